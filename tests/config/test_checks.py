"""Production refuses to start as a demo or with secrets that anybody could know."""

import base64
import os
import subprocess
import sys

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from config.checks import keys_are_keys, production_is_no_demo, require_safe_start


def random_key() -> str:
    return base64.b64encode(os.urandom(32)).decode()


@pytest.fixture
def production(settings):
    """Settings with which production may start."""
    settings.MODE = "production"
    settings.DEMO = False
    settings.DEBUG = False
    settings.SECRET_KEY = base64.b64encode(os.urandom(48)).decode()
    settings.DATA_KEY, settings.INDEX_KEY, settings.SIGNING_KEY = (random_key() for _ in range(3))
    settings.ALLOWED_HOSTS = ["peixun.example.cn"]
    settings.PUBLIC_URL = "https://peixun.example.cn"
    settings.JANUS_HTTP_URL = "http://janus:8088/janus"
    settings.JANUS_API_SECRET = settings.JANUS_ADMIN_SECRET = settings.JANUS_ROOM_KEY = os.urandom(24).hex()
    return settings


def test_a_safe_production_starts(production):
    require_safe_start()


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("DEMO", True, "config.E010"),
        ("DEBUG", True, "config.E011"),
        ("SECRET_KEY", "short", "config.E012"),
        ("SECRET_KEY", "only-for-tests-" * 4, "config.E012"),
        ("DATA_KEY", base64.b64encode(bytes(32)).decode(), "config.E013"),
        ("ALLOWED_HOSTS", ["*"], "config.E014"),
        ("ALLOWED_HOSTS", [], "config.E014"),
        ("ALLOWED_HOSTS", ["localhost", "127.0.0.1"], "config.E014"),
        ("PUBLIC_URL", "http://peixun.example.cn", "config.E015"),
        ("JANUS_API_SECRET", "janusrocks", "config.E016"),
    ],
)
def test_an_unsafe_production_is_refused(production, name, value, code):
    setattr(production, name, value)
    assert [error.id for error in production_is_no_demo()] == [code]
    with pytest.raises(ImproperlyConfigured, match=code.replace(".", r"\.")):
        require_safe_start()


def test_two_keys_may_not_be_the_same(production):
    production.INDEX_KEY = production.DATA_KEY
    assert [error.id for error in production_is_no_demo()] == ["config.E013"]


def test_production_without_live_video_needs_no_janus_secrets(production):
    production.JANUS_HTTP_URL = production.JANUS_API_SECRET = ""
    require_safe_start()


def test_a_demo_may_be_a_demo(settings):
    settings.MODE = "development"
    assert production_is_no_demo() == []


@pytest.mark.parametrize("value", ["", "not base64!", base64.b64encode(bytes(31)).decode()])
def test_a_key_of_the_wrong_length_is_refused_everywhere(settings, value):
    settings.SIGNING_KEY = value
    assert [error.id for error in keys_are_keys()] == ["config.E001"]


def test_an_unknown_mode_is_refused(settings):
    settings.MODE = "prod"
    assert [error.id for error in keys_are_keys()] == ["config.E002"]


@pytest.mark.parametrize("process", ["manage.py", "web", "worker"])
def test_no_process_of_an_unsafe_production_starts(process):
    """With the demo on in production, each kind of process ends by itself and says why."""
    command = {
        "manage.py": ["manage.py", "migrate", "--check"],
        "web": ["-c", "import config.asgi"],
        "worker": [
            "-c",
            "from config.celery import refuse_unsafe_start as r; import django; django.setup(); r()",
        ],
    }[process]
    done = subprocess.run(
        [sys.executable, *command],
        cwd=settings.ROOT,
        env={**os.environ, "YUCHUANG_MODE": "production", "YUCHUANG_DEMO": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    assert "config.E010" in done.stderr
