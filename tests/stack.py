"""The whole platform as a separate process, for tests that need real sockets, workers and browsers.

    with running_stack(tmp_path, extra={"YUCHUANG_EDITION_DIRS": str(folder)}) as stack:
        page.goto(stack.url)
        stack.manage("shell", "-c", "...")

It is what `bin/run` runs: its own PostgreSQL, Redis, Janus, web, worker and beat, with data under `tmp_path`.
With DATABASE_URL and its siblings in `extra` it works on that database instead.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from config.supervisor import environment

READY = "Ctrl-C"  # in the line that tells the address


class RunningStack:
    """A platform that answers at `url`; `log` is everything it has said."""

    def __init__(self, state: Path, *, demo: bool = False, extra: Mapping[str, str] | None = None) -> None:
        self.state = state
        self.port = free_port()
        self.url = f"http://localhost:{self.port}"
        self.extra = dict(extra or {})
        self._demo = demo
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        return (self.state / "log").read_text("utf-8", errors="replace")

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    @property
    def environment(self) -> dict[str, str]:
        """What every process of it was given."""
        return {**_outer(), **environment.read(self.state / "environment"), **self.extra}

    def start(self, timeout: float = 300) -> None:
        """Return once `/` answers 200; fail with its log otherwise."""
        self.state.mkdir(parents=True, exist_ok=True)
        command = [
            sys.executable,
            "-m",
            "config.supervisor",
            "--state",
            str(self.state),
            "--port",
            str(self.port),
        ]
        with open(self.state / "log", "wb") as log:
            self._process = subprocess.Popen(
                [*command, *([] if self._demo else ["--no-demo"])],
                env={**_outer(), **self.extra},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + timeout
        try:
            while READY not in self.log:
                assert self._process.poll() is None, f"the platform did not start:\n{self.log[-6000:]}"
                assert time.monotonic() < deadline, f"the platform is not up yet:\n{self.log[-6000:]}"
                time.sleep(0.1)
        except BaseException:  # a Ctrl-C too
            self.stop()
            raise

    def stop(self) -> int:
        """Stop it as Ctrl-C does. Returns its exit code."""
        assert self._process
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
        try:
            return self._process.wait(60)
        except subprocess.TimeoutExpired:
            self.kill_everything()
            raise AssertionError(f"the platform did not stop:\n{self.log[-6000:]}") from None

    def kill_everything(self) -> None:
        """kill -9 of every process it has, the supervisor first."""
        family = [self.pid, *self.descendants()]
        for pid in family:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        assert self._process
        self._process.wait(10)

    def kill_supervisor(self) -> None:
        """kill -9 of the supervisor alone."""
        assert self._process
        self._process.kill()
        self._process.wait(10)

    def descendants(self) -> list[int]:
        """The pids of all its children and theirs."""
        children: dict[int, list[int]] = {}
        for entry in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                parent = int(entry.read_text().rpartition(")")[2].split()[1])
                children.setdefault(parent, []).append(int(entry.parent.name))
        found, queue = [], [self.pid]
        while queue:
            below = children.get(queue.pop(), [])
            found += below
            queue += below
        return found

    def manage(self, *arguments: str, check: bool = True) -> str:
        """Run a manage.py command beside it, with its settings; return what it prints."""
        done = subprocess.run(
            [sys.executable, str(environment.ROOT / "manage.py"), *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@contextlib.contextmanager
def running_stack(
    state: Path, *, demo: bool = False, extra: Mapping[str, str] | None = None
) -> Iterator[RunningStack]:
    """Start the platform, hand it over, stop it."""
    stack = RunningStack(state, demo=demo, extra=extra)
    stack.start()
    try:
        yield stack
    finally:
        stack.stop()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _outer() -> dict[str, str]:
    """This process's environment without the test run's own settings."""
    kept = {name: value for name, value in os.environ.items() if not environment.is_ours(name)}
    root = environment.ROOT
    return {**kept, "PYTHONPATH": f"{root}{os.pathsep}{root / 'platform'}"}
