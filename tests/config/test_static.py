"""Production's static files: hashed names for everything that pages ask for."""

import re

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.management import call_command

HASHED = "whitenoise.storage.CompressedManifestStaticFilesStorage"


def test_every_file_can_be_hashed_and_every_reference_in_it_is_found(tmp_path, settings):
    """The storage of production fails on a style sheet that names a file which is not there."""
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": HASHED}}
    call_command("collectstatic", interactive=False, verbosity=0)
    assert (tmp_path / "staticfiles.json").exists()
    assert list((tmp_path / "vendor").glob("bootstrap.min.*.css"))


def named_in_templates() -> set[str]:
    found: set[str] = set()
    for path in (settings.ROOT / "templates").rglob("*.html"):
        found |= set(re.findall(r"""{%\s*static\s+["']([^"']+)["']""", path.read_text("utf-8")))
    return found


def test_every_static_file_that_a_template_names_exists():
    named = named_in_templates()
    assert "yc/yuchuang.css" in named
    assert {name for name in named if finders.find(name) is None} == set()


@pytest.mark.parametrize("name", ["bootstrap.min.css", "bootstrap.js", "icons.svg", "licenses.txt"])
def test_set_up_made_the_vendors_files(name):
    assert finders.find(f"vendor/{name}")


def test_no_static_script_is_inlined_or_loaded_from_elsewhere():
    for path in (settings.ROOT / "templates").rglob("*.html"):
        text = path.read_text("utf-8")
        assert not re.search(r"<script(?![^>]*\b(src|type=\"application/json\"))", text), path
        assert not re.search(r"""(?:src|href)=["'](?:https?:)?//[^"']+\.(?:js|css|woff2?)""", text), path
