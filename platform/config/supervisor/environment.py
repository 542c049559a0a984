"""A machine's own settings: written once, kept private, read by every process (docs/settings.md)."""

import base64
import hashlib
import os
import secrets
import socket
import tempfile
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

ROOT = Path(__file__).resolve().parents[3]
LOGINS = {
    "DATABASE_URL": "yuchuang_app",
    "DATABASE_OWNER_URL": "yuchuang_owner",
    "SUPERVISION_DATABASE_URL": "yuchuang_supervision",
    "LOOKS_DATABASE_URL": "yuchuang_looks",
}
_OURS = ("YUCHUANG_", "JANUS_", "DATABASE_", "SUPERVISION_DATABASE_", "LOOKS_DATABASE_", "REDIS_URL")
_HEADER = """\
# Written by bin/run on this machine's first start: its keys, secrets and places (docs/settings.md).
# Keep it private, and keep it with the data: what was encrypted with these keys is lost without them.
"""
# sockaddr_un holds 107 bytes; the longest socket name of ours is PostgreSQL's.
_LONGEST_SOCKET = 107 - len("/.s.PGSQL.5432")


def is_ours(name: str) -> bool:
    """Tell whether an environment variable is one of the platform's."""
    return name.startswith(_OURS)


def socket_folder(state: Path) -> Path:
    """Return the folder for unix sockets, made private; elsewhere when the checkout lies too deep for one."""
    folder = state / "run"
    if len(os.fsencode(folder)) > _LONGEST_SOCKET:
        short = hashlib.sha256(os.fsencode(state)).hexdigest()[:12]
        base = os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()
        folder = Path(base) / f"yuchuang-{os.getuid()}-{short}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid not in (os.getuid(), 65534):
        raise PermissionError(f"{folder} belongs to somebody else")
    folder.chmod(0o700)
    return folder


def database_urls(sockets: Path, name: str = "yuchuang") -> dict[str, str]:
    """Return the four logins' addresses in the cluster that listens in `sockets`."""
    host = quote(str(sockets), safe="")
    return {variable: f"postgres://{login}@{host}/{name}" for variable, login in LOGINS.items()}


def read(path: Path) -> dict[str, str]:
    """Return the KEY=VALUE lines of an environment file; empty when there is none."""
    if not path.exists():
        return {}
    lines = (line.strip() for line in path.read_text("utf-8").splitlines())
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#") and "=" in line)


def settle(state: Path, *, demo: bool, port: int) -> dict[str, str]:
    """Return this machine's settings, after making what is missing and noting what this run chose.

    Keys and secrets are made once. Places, the demo switch and Janus's control ports follow the run.
    """
    path = state / "environment"
    known = read(path)
    settled = {**_secrets(), **known, **_of_this_run(state, known, demo=demo, port=port)}
    if settled != known:
        write(path, settled)
    return settled


def write(path: Path, values: Mapping[str, str]) -> None:
    """Replace an environment file in one step, readable by its owner alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(_HEADER + "".join(f"{name}={value}\n" for name, value in values.items()))
    new.replace(path)


def _secrets() -> dict[str, str]:
    return {
        "YUCHUANG_SECRET_KEY": secrets.token_urlsafe(50),
        "YUCHUANG_DATA_KEY": _key(),
        "YUCHUANG_INDEX_KEY": _key(),
        "YUCHUANG_SIGNING_KEY": _key(),
        "JANUS_API_SECRET": secrets.token_hex(24),
        "JANUS_ADMIN_SECRET": secrets.token_hex(24),
        "JANUS_ROOM_KEY": secrets.token_hex(24),
    }


def _key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


def _of_this_run(state: Path, known: Mapping[str, str], *, demo: bool, port: int) -> dict[str, str]:
    sockets = socket_folder(state)
    janus, admin = (_free_port(known.get(name, "")) for name in ("JANUS_HTTP_URL", "JANUS_ADMIN_URL"))
    return {
        "YUCHUANG_MODE": "development",
        "YUCHUANG_DEMO": "1" if demo else "0",
        "YUCHUANG_PUBLIC_URL": f"http://localhost:{port}",
        "YUCHUANG_DATA_DIR": str(state / "data"),
        **database_urls(sockets),
        "REDIS_URL": f"unix://{quote(str(sockets / 'redis.sock'))}",
        "JANUS_HTTP_URL": f"http://127.0.0.1:{janus}/janus",
        "JANUS_ADMIN_URL": f"http://127.0.0.1:{admin}/admin",
        "JANUS_RECORDINGS_DIR": str(state / "data" / "recordings"),
    }


def _free_port(url: str) -> int:
    """Keep the port of last time while it is free; otherwise let the system choose one."""
    last = url.partition("127.0.0.1:")[2].partition("/")[0]
    for port in (int(last), 0) if last else (0,):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            chosen: int = probe.getsockname()[1]
            return chosen
    raise RuntimeError("no free port on 127.0.0.1")
