"""`platform/` is a source root and never a package (docs/decisions/0001-platform-is-a-source-root.md)."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
APPS = sorted(path.parent.name for path in (ROOT / "platform").glob("*/__init__.py"))


def fresh_interpreter(code: str) -> str:
    """Run code in a new Python with the two source roots, as every server has them."""
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'platform'}"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_platform_is_still_the_standard_librarys():
    where = fresh_interpreter("import platform; print(platform.__file__, platform.system())")
    assert where.endswith("platform.py Linux")
    assert str(ROOT) not in where.replace(str(ROOT / ".local"), "")


def test_platform_folder_holds_packages_and_no_modules():
    assert not (ROOT / "platform" / "__init__.py").exists()
    assert list((ROOT / "platform").glob("*.py")) == []
    assert not (ROOT / "tests" / "platform").exists()


@pytest.mark.parametrize("app", APPS)
def test_each_app_of_platform_has_one_name(app):
    code = (
        f"import {app}, importlib.util as u\n"
        "try: found = u.find_spec('platform.' + {app!r})\n"
        "except ModuleNotFoundError: found = None\n"
        f"print({app}.__file__, found)"
    ).replace("{app!r}", repr(app))
    assert fresh_interpreter(code) == f"{ROOT / 'platform' / app / '__init__.py'} None"


def test_manage_py_and_every_tool_know_both_roots():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert project["tool"]["hatch"]["build"]["dev-mode-dirs"] == [".", "platform"]
    assert project["tool"]["pytest"]["ini_options"]["pythonpath"] == [".", "platform"]
    assert project["tool"]["ruff"]["src"][:2] == [".", "platform"]
    assert project["tool"]["mypy"]["mypy_path"].split(":")[:2] == [
        "$MYPY_CONFIG_FILE_DIR",
        "$MYPY_CONFIG_FILE_DIR/platform",
    ]
    assert project["tool"]["mypy"]["explicit_package_bases"] is True
    done = subprocess.run(
        [sys.executable, "manage.py", "help", "prepare_database"],
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_the_top_level_holds_what_the_design_names():
    allowed = {
        *("manage.py", "pyproject.toml", "README.md", "README.zh.md", "CHANGELOG.md", "docker-compose.yml"),
        *(
            "bin",
            "platform",
            "courses",
            "classes",
            "attendance",
            "exams",
            "subsidies",
            "supervision",
            "followup",
        ),
        *("templates", "tests", "bench", "docs", ".ci", ".gitignore"),
        # docs/decisions/0007-browser-files-from-npm.md, 0002-private-servers-…, 0008-production-by-compose.md
        *("package.json", "package-lock.json", ".npmrc", "requirements", "deploy", ".dockerignore"),
    }
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert {line.split("/")[0] for line in listed.splitlines()} <= allowed | {"LICENSE"}
