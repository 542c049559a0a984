"""System checks: production refuses to start as a demo, with known or short secrets, or with DEBUG.

Django runs them before every management command; web, worker and beat run them through `require_safe_start`.
"""

import base64
import binascii
from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import ImproperlyConfigured

_KEY_NAMES = {
    "YUCHUANG_DATA_KEY": "DATA_KEY",
    "YUCHUANG_INDEX_KEY": "INDEX_KEY",
    "YUCHUANG_SIGNING_KEY": "SIGNING_KEY",
}
_MODES = ("development", "test", "production")
_SHORTEST_SECRET = 50


@register
def keys_are_keys(app_configs: Sequence[AppConfig] | None = None, **options: Any) -> list[CheckMessage]:
    """Each key is base64 of exactly 32 bytes, in every mode (config.E001); the mode is a known one (E002)."""
    errors: list[CheckMessage] = [
        Error(
            f"{variable} is not base64 of 32 bytes",
            hint="python3 -c 'import base64, os; print(base64.b64encode(os.urandom(32)).decode())'",
            id="config.E001",
        )
        for variable, name in _KEY_NAMES.items()
        if len(_decoded(getattr(settings, name))) != 32
    ]
    if settings.MODE not in _MODES:
        errors.append(
            Error(f"YUCHUANG_MODE is {settings.MODE!r}; it is one of {', '.join(_MODES)}", id="config.E002")
        )
    return errors


@register
def production_is_no_demo(
    app_configs: Sequence[AppConfig] | None = None, **options: Any
) -> list[CheckMessage]:
    """In production: no demo, no DEBUG, secrets that somebody chose, real addresses (config.E010 to E016)."""
    if settings.MODE != "production":
        return []
    hosts = set(settings.ALLOWED_HOSTS)
    found = {
        "E010": settings.DEMO and "YUCHUANG_DEMO is on: the cast's passwords are published",
        "E011": settings.DEBUG and "YUCHUANG_DEBUG is on: it shows settings to strangers",
        "E012": _weak(settings.SECRET_KEY)
        and f"YUCHUANG_SECRET_KEY is short or plain: it needs {_SHORTEST_SECRET} characters by chance",
        "E013": _known_keys()
        and f"{', '.join(_known_keys())}: a key of one repeated byte, or one used twice",
        "E014": (not hosts or "*" in hosts or hosts <= {"localhost", "127.0.0.1"})
        and "YUCHUANG_ALLOWED_HOSTS does not name this site",
        "E015": not settings.PUBLIC_URL.startswith("https://")
        and "YUCHUANG_PUBLIC_URL is not https: browsers give no camera to such a page",
        "E016": _weak_janus() and f"{', '.join(_weak_janus())} is missing or short: 32 characters by chance",
    }
    return [
        Error(message, hint="docs/settings.md", id=f"config.{code}")
        for code, message in found.items()
        if message
    ]


def require_safe_start(**signal: Any) -> None:
    """Raise ImproperlyConfigured with every finding, in processes that are no management command."""
    errors = [*keys_are_keys(), *production_is_no_demo()]
    if errors:
        raise ImproperlyConfigured("refusing to start:\n" + "\n".join(f"  {error}" for error in errors))


def _decoded(value: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _weak(secret: str) -> bool:
    return len(secret) < _SHORTEST_SECRET or len(set(secret)) < 16


def _known_keys() -> list[str]:
    """Names of keys that a machine did not choose: one byte repeated, or the same as another."""
    values = {variable: getattr(settings, name) for variable, name in _KEY_NAMES.items()}
    return [
        variable
        for variable, value in values.items()
        if len(set(_decoded(value))) < 8 or list(values.values()).count(value) > 1
    ]


def _weak_janus() -> list[str]:
    """Names of Janus's secrets that would not stand a guess, where live video is on."""
    if not settings.JANUS_HTTP_URL:
        return []
    names = ("JANUS_API_SECRET", "JANUS_ADMIN_SECRET", "JANUS_ROOM_KEY")
    return [name for name in names if len(getattr(settings, name)) < 32]
