"""docs/settings.md names every variable that a process reads, and no other."""

import re

from django.conf import settings

from config.supervisor.environment import is_ours

READERS = ("platform/config/settings.py", "platform/config/supervisor", "bin", "tests/conftest.py")
# Marks and compose's own inputs that no person sets on a machine.
INNER = {"YUCHUANG_STATE_DIR"}


def read_somewhere() -> set[str]:
    found: set[str] = set()
    for place in READERS:
        path = settings.ROOT / place
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file() and file.suffix != ".pyc":
                text = file.read_text("utf-8")
                found |= set(
                    re.findall(r'["{ ]((?:YUCHUANG|YC|JANUS|DATABASE|SUPERVISION|LOOKS|REDIS)_[A-Z_]+)', text)
                )
    return {name for name in found if (is_ours(name) or name == "YC_TEST_DB") and name[-1] != "_"} - INNER


def test_each_variable_is_documented_and_each_documented_one_is_read():
    text = (settings.ROOT / "docs/settings.md").read_text("utf-8")
    documented = set(re.findall(r"^\| `([A-Z_]+)`", text, re.MULTILINE))
    assert read_somewhere() - documented == set()
    assert documented - read_somewhere() == set()
