"""The whole platform as bin/run runs it: it survives what machines do, and leaves nothing behind."""

import os
import re
import signal
import time
import urllib.request
from pathlib import Path

import pytest

from tests.stack import RunningStack

WRITE = (
    "from django.contrib.sessions.backends.db import SessionStore as S; from django.core.cache import cache;"
    " s = S(); s['kept'] = 'yes'; s.save(); print(s.session_key)"
)
READ = "from django.contrib.sessions.backends.db import SessionStore as S; print(S('{key}').get('kept'))"


def answers(stack: RunningStack) -> bool:
    try:
        with urllib.request.urlopen(stack.url, timeout=5) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def alive(pids: list[int]) -> list[int]:
    def running(pid: int) -> bool:
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        except OSError:
            return False

    return [pid for pid in pids if running(pid)]


def wait_until(condition, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.1)


@pytest.mark.xdist_group("stack")
def test_the_platform_survives_kill_9_of_every_process_and_stops_without_a_trace(tmp_path):
    stack = RunningStack(tmp_path / "state")
    stack.start()
    try:
        assert re.search(r"/accounts/activate/\n.*operator\n.*[2-9A-Z]{5}-[2-9A-Z]{5}\n", stack.log)
        key = stack.manage("shell", "-v0", "-c", WRITE).split()[-1]
        family = stack.descendants()
        commands = [Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ") for pid in family]
        for part in (b"postgres", b"valkey-server", b"config.asgi", b"worker", b"beat"):
            assert any(part in command for command in commands), part

        # One that falls comes back by itself.
        web = next(pid for pid, command in zip(family, commands, strict=True) if b"config.asgi" in command)
        os.kill(web, signal.SIGKILL)
        wait_until(lambda: "web      | ended with -9" in stack.log)
        wait_until(lambda: answers(stack))

        # All of them at once, as when the power goes.
        family = stack.descendants()
        stack.kill_everything()
        wait_until(lambda: not alive(family))
        assert not answers(stack)

        stack.start()
        assert answers(stack)
        assert stack.manage("shell", "-v0", "-c", READ.format(key=key)).split()[-1] == "yes"
        family = [stack.pid, *stack.descendants()]
    finally:
        code = stack.stop()
    assert code == 0
    assert alive(family) == []
    assert not list((tmp_path / "state" / "data" / "postgres").glob("postmaster.pid"))


@pytest.mark.xdist_group("stack")
def test_a_killed_supervisor_takes_its_children_with_it_and_the_next_start_finds_no_strays(tmp_path):
    stack = RunningStack(tmp_path / "state")
    stack.start()
    family = stack.descendants()
    stack.kill_supervisor()
    stack.start()  # at once, while the orphans are still stopping
    try:
        assert answers(stack)
        assert alive(family) == []
    finally:
        stack.stop()
