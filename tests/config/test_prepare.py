"""Setting a machine up: what is missing is said, and nothing is done twice."""

import importlib.util
from types import ModuleType

import pytest
from django.conf import settings


@pytest.fixture
def prepare(tmp_path, monkeypatch) -> ModuleType:
    """bin/prepare.py, with its places under `tmp_path`."""
    spec = importlib.util.spec_from_file_location("prepare", settings.ROOT / "bin" / "prepare.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "LOCAL", tmp_path)
    monkeypatch.setattr(module, "STAMPS", tmp_path / "stamps")
    (tmp_path / "stamps").mkdir()
    return module


@pytest.fixture
def bare_machine(tmp_path, monkeypatch):
    """A machine without any of the programs, and without apt."""
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    monkeypatch.delenv("YUCHUANG_CHROMIUM", raising=False)


def test_without_apt_each_missing_program_is_said_with_what_it_costs_and_how_to_get_it(
    prepare, bare_machine, capsys
):
    prepare.install_system_packages("run")
    said = capsys.readouterr().err
    assert "missing: janus (no live video). To have it: sudo apt-get install janus" in said
    assert "missing: ffmpeg (recordings of lessons cannot be replayed)" in said
    assert "chromium" not in said  # only tests need it


def test_what_apt_could_not_install_is_not_tried_at_every_start(prepare, tmp_path, bare_machine, capsys):
    """An apt that always fails, called as root or through a sudo that asks nothing."""
    calls = tmp_path / "calls"
    scripts = {
        "apt-get": f'echo "$@" >> {calls}; exit 100',
        "sudo": 'shift; [ "$1" = true ] || { shift; exec /usr/bin/env "$@"; }',
    }
    for name, script in scripts.items():
        program = tmp_path / "empty" / name
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)

    prepare.install_system_packages("run")
    first = calls.read_text().splitlines()
    assert first[0].startswith("update")
    assert first[1].endswith("--no-install-recommends ffmpeg janus janus-tools")
    assert [line.split()[-1] for line in first[2:]] == ["ffmpeg", "janus", "janus-tools"]  # each by itself
    assert "not asked again until" in capsys.readouterr().err

    prepare.install_system_packages("run")
    assert calls.read_text().splitlines() == first
    prepare.install_system_packages("test")  # other packages: asked
    assert len(calls.read_text().splitlines()) > len(first)


def test_ubuntus_chromium_is_seen_through(prepare, tmp_path, bare_machine):
    stub = tmp_path / "empty" / "chromium-browser"
    stub.write_text('#!/bin/sh\nexec /snap/bin/chromium "$@"\n')
    stub.chmod(0o755)
    assert prepare.find_program("chromium") is None
    real = tmp_path / "empty" / "google-chrome"
    real.write_text("#!/bin/sh\n")
    real.chmod(0o755)
    assert prepare.find_program("chromium") == str(real)


def test_a_step_is_done_again_only_when_what_it_is_made_from_changed(prepare, tmp_path):
    source = tmp_path / "source"
    source.write_text("1")
    first = prepare.fingerprint([source])
    assert not prepare.stamped("step", first)
    prepare.stamp("step", first)
    assert prepare.stamped("step", prepare.fingerprint([source]))
    source.write_text("2")
    assert not prepare.stamped("step", prepare.fingerprint([source]))
    assert prepare.fingerprint([source], "more") != prepare.fingerprint([source])


def test_without_the_venv_module_the_message_names_the_package(prepare, tmp_path, monkeypatch):
    monkeypatch.setattr(prepare, "VENV_PYTHON", tmp_path / "none")
    monkeypatch.setattr(prepare, "can_make_venvs", lambda: False)
    with pytest.raises(prepare.SetUpFailed, match=r"sudo apt-get install python3\.\d+-venv"):
        prepare.make_venv()


def test_a_step_that_fails_says_what_the_program_said(prepare, monkeypatch):
    monkeypatch.setattr(prepare.time, "sleep", lambda seconds: None)
    with pytest.raises(prepare.SetUpFailed, match=r"installing failed:\nno space left"):
        prepare.run(["sh", "-c", "echo no space left; exit 1"], "installing")


@pytest.mark.parametrize("name", ["uv", "base", "dev", "node"])
def test_requirements_are_pinned_hashed_and_name_no_server(name):
    text = (settings.ROOT / "requirements" / f"{name}.txt").read_text("utf-8")
    assert "://" not in text
    entries = [
        entry
        for entry in text.replace("\\\n", " ").splitlines()
        if entry and not entry.startswith(("#", " "))
    ]
    assert entries
    assert all("==" in entry and "--hash=sha256:" in entry for entry in entries)


def test_dev_contains_base_with_the_same_versions():
    def pins(name: str) -> set[str]:
        text = (settings.ROOT / "requirements" / f"{name}.txt").read_text("utf-8")
        return {
            line.split(" ")[0]
            for line in text.splitlines()
            if "==" in line and not line.startswith((" ", "#"))
        }

    assert pins("base") <= pins("dev")
    assert {pin for pin in pins("uv") if pin.startswith("setuptools")} <= pins("base")


def test_the_npm_lock_names_no_registry():
    assert '"resolved"' not in (settings.ROOT / "package-lock.json").read_text("utf-8")
    assert "omit-lockfile-registry-resolved=true" in (settings.ROOT / ".npmrc").read_text("utf-8")
