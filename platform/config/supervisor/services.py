"""One child process, kept alive: started until ready, restarted when it falls, stopped as it likes to be."""

import asyncio
import contextlib
import ctypes
import os
import signal
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

_libc = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_STEADY_SECONDS = 60  # one that ran this long has recovered from earlier falls
_LONGEST_PAUSE = 30.0


class ServiceFailed(Exception):
    """A service did not become ready; carries what it said last."""


@dataclass
class Service:
    """How to run one child, how to see that it is ready, and how it wants to be told to stop."""

    name: str
    command: Sequence[str]
    say: Callable[[str, str], None]
    environment: Mapping[str, str] = field(default_factory=dict)
    ready: Callable[[], Awaitable[bool]] | None = None  # polled; None: see ready_line
    ready_line: str = ""  # ready once a line of its log contains this
    before_exec: Callable[[], None] | None = None  # runs in the child, e.g. to give up root
    stop_signal: signal.Signals = signal.SIGTERM
    grace: float = 10.0
    tries: int = 2  # how often it may fall before it was ever ready
    quiet: Callable[[str], bool] = lambda line: False  # lines that nobody needs

    def __post_init__(self) -> None:
        self.process: asyncio.subprocess.Process | None = None
        self._stopping = False
        self._falls = 0
        self._seen_ready = asyncio.Event()
        self._last: deque[str] = deque(maxlen=5)
        self._keeper: asyncio.Task[None] | None = None

    async def start(self, timeout: float = 180.0) -> None:
        """Start and return once ready. Raises ServiceFailed with its last lines."""
        self._keeper = asyncio.create_task(self._keep(), name=self.name)
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline and self._falls < self.tries and not self._keeper.done():
            if await self._is_ready():
                return
            await asyncio.sleep(0.05)
        if self._keeper.done() and (error := self._keeper.exception()):
            self._last.append(str(error))
        raise ServiceFailed(f"{self.name} did not become ready:\n  " + "\n  ".join(self._last))

    async def stop(self) -> None:
        """Ask it to stop, wait its grace, then end its whole process group."""
        self._stopping = True
        process = self.process
        if process and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, self.stop_signal)
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(_ended(process), self.grace)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        elif self._keeper:  # it is between two starts
            self._keeper.cancel()
        if self._keeper:
            await asyncio.gather(self._keeper, return_exceptions=True)

    async def _is_ready(self) -> bool:
        if self.process is None or self.process.returncode is not None:
            return False
        return await self.ready() if self.ready else self._seen_ready.is_set()

    async def _keep(self) -> None:
        while True:
            started = time.monotonic()
            self.process = await asyncio.create_subprocess_exec(
                *self.command,
                env=dict(self.environment),
                cwd="/",
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,  # a Ctrl-C in the terminal is for the supervisor alone
                preexec_fn=_in_child(self.before_exec, os.getpid()),
            )
            following = asyncio.create_task(self._follow(self.process))
            try:
                code = await _ended(self.process)
                with contextlib.suppress(ProcessLookupError):  # what it left behind would hold its sockets
                    os.killpg(self.process.pid, signal.SIGKILL)
                await asyncio.wait({following}, timeout=2)
            finally:
                following.cancel()
            if self._stopping:
                return
            self._falls = 0 if time.monotonic() - started > _STEADY_SECONDS else self._falls + 1
            pause = min(_LONGEST_PAUSE, 0.25 * 2**self._falls)
            self.say(self.name, f"ended with {code}, starts again in {pause:g} s")
            await asyncio.sleep(pause)

    async def _follow(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        while True:
            try:
                raw = await process.stdout.readline()
            except ValueError:  # a line beyond the reader's limit: drop it, keep following
                continue
            if not raw:
                return
            line = raw.decode(errors="replace").rstrip()
            self._last.append(line)
            if self.ready_line and self.ready_line in line:
                self._seen_ready.set()
            if line and not self.quiet(line):
                self.say(self.name, line)


async def _ended(process: asyncio.subprocess.Process) -> int:
    """Return the exit code. Process.wait() would also wait for grandchildren that hold the pipe open."""
    while process.returncode is None:
        await asyncio.sleep(0.05)
    return process.returncode


def adopt_orphans() -> None:
    """Make this process the parent of every descendant whose own parent dies (PR_SET_CHILD_SUBREAPER)."""
    _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def bury_orphans(known: set[int]) -> None:
    """Reap adopted children that ended; `known` pids are asyncio's to reap."""
    for entry in os.scandir("/proc"):
        if not entry.name.isdigit() or int(entry.name) in known:
            continue
        try:
            with open(f"/proc/{entry.name}/stat") as file:
                state, parent = file.read().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if state == "Z" and int(parent) == os.getpid():
            with contextlib.suppress(ChildProcessError):
                os.waitpid(int(entry.name), os.WNOHANG)


def _in_child(before_exec: Callable[[], None] | None, parent: int) -> Callable[[], None]:
    def prepare() -> None:
        if before_exec:
            before_exec()
        # After any change of identity, which clears it: when the supervisor dies, so does the child.
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return prepare
