"""The supervisor: nothing is lost, nothing stays behind, and what cannot work is said."""

import asyncio
import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import unquote, urlsplit

import psycopg
import pytest

from config.supervisor import environment
from config.supervisor.__main__ import CAST, PASSWORD, main
from config.supervisor.janus import JanusUnavailable, write_configuration
from config.supervisor.postgres import SUPERUSER, Cluster
from config.supervisor.services import Service, ServiceFailed
from config.supervisor.stack import Stack, StackFailed, redis_answers, redis_command


class Log:
    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []

    def __call__(self, name: str, line: str) -> None:
        self.lines.append((name, line))

    def texts(self) -> list[str]:
        return [line for _, line in self.lines]


def shell(script: str, log: Log, **options: object) -> Service:
    return Service("probe", ["sh", "-c", script], log, os.environ, **options)  # type: ignore[arg-type]


async def until(condition: object, seconds: float = 20) -> None:
    """Wait for something that has to come; how long it takes proves nothing."""
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, "it never came"
        await asyncio.sleep(0.02)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


# --- the machine's own settings ---


def test_keys_are_made_once_kept_and_private(tmp_path):
    first = environment.settle(tmp_path, demo=True, port=8000)
    again = environment.settle(tmp_path, demo=False, port=8001)

    kept = [name for name in first if name.endswith(("_KEY", "_SECRET"))]
    assert len(kept) == 7
    assert all(first[name] == again[name] for name in kept)
    assert len({first[name] for name in kept}) == len(kept)
    assert (first["YUCHUANG_DEMO"], again["YUCHUANG_DEMO"]) == ("1", "0")
    assert again["YUCHUANG_PUBLIC_URL"] == "http://localhost:8001"
    assert environment.read(tmp_path / "environment") == again
    assert stat.S_IMODE((tmp_path / "environment").stat().st_mode) == 0o600


def test_a_deep_checkout_gets_short_sockets_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", tempfile.mkdtemp())
    deep = tmp_path / ("d" * 100)
    folder = environment.socket_folder(deep)
    assert len(os.fsencode(folder / ".s.PGSQL.5432")) <= 107
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert folder != environment.socket_folder(tmp_path / ("e" * 100))


def test_a_socket_folder_of_somebody_else_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    deep = tmp_path / ("d" * 100)
    folder = environment.socket_folder(deep)
    folder.rmdir()
    folder.symlink_to(tmp_path)
    with pytest.raises(PermissionError):
        environment.socket_folder(deep)


def test_settings_find_a_database_in_a_folder_with_capitals_and_chinese(tmp_path):
    urls = environment.database_urls(Path("/srv/My 豫创/run"))
    asked = "from config.settings import DATABASES as d; print(d['default']['HOST'], d['default']['USER'])"
    done = subprocess.run(
        [sys.executable, "-c", asked], env={**os.environ, **urls}, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "/srv/My 豫创/run yuchuang_app"


# --- one child ---


async def test_a_service_that_falls_is_started_again():
    log = Log()
    service = shell("echo up; exec sleep 60", log, ready_line="up")
    await service.start()
    first = service.process
    assert first
    os.kill(first.pid, signal.SIGKILL)
    await until(lambda: log.texts().count("up") == 2)
    assert service.process is not first
    assert ("probe", "ended with -9, starts again in 0.5 s") in log.lines
    await service.stop()


async def test_stopping_ends_the_whole_group_even_a_child_that_ignores_it():
    log = Log()
    service = shell("trap '' TERM; sleep 61 & echo $!; echo up; wait; wait", log, ready_line="up", grace=0.2)
    await service.start()
    assert service.process
    grandchild = int(log.texts()[0])
    await service.stop()
    await until(lambda: not is_alive(grandchild))
    assert not is_alive(service.process.pid)


async def test_a_service_that_cannot_start_says_its_last_words():
    service = shell("echo the disk is full; exit 3", Log(), ready_line="up")
    with pytest.raises(ServiceFailed, match="the disk is full"):
        await service.start()
    await service.stop()


async def test_children_die_with_a_killed_supervisor():
    code = (
        "import asyncio, os\n"
        "from config.supervisor.services import Service\n"
        "async def go():\n"
        "    command = ['sh', '-c', 'echo up; exec sleep 62']\n"
        "    s = Service('x', command, lambda *a: None, os.environ, ready_line='up')\n"
        "    await s.start(); print(s.process.pid, flush=True); await asyncio.sleep(60)\n"
        "asyncio.run(go())\n"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE)
    assert process.stdout
    child = int(await process.stdout.readline())
    assert is_alive(child)
    process.kill()
    await process.wait()
    await until(lambda: not is_alive(child))


# --- the servers ---


def postgres(cluster: Cluster) -> Service:
    return Service(
        *("postgres", cluster.command(), Log(), os.environ),
        ready=cluster.is_ready,
        before_exec=cluster.before_exec,
        stop_signal=signal.SIGINT,
        tries=8,
    )


async def test_postgres_comes_back_after_kill_9_with_its_rows(tmp_path):
    cluster = Cluster(tmp_path / "postgres", environment.socket_folder(tmp_path))
    cluster.initialise()
    service = postgres(cluster)
    await service.start()
    cluster.prepare()
    cluster.prepare()  # twice: nothing to do
    address = f"host={cluster.sockets} dbname=yuchuang user=yuchuang_owner"
    with psycopg.connect(address) as connection:
        connection.execute("create table t (i int); insert into t values (7)")
    assert service.process
    os.kill(service.process.pid, signal.SIGKILL)
    await until(lambda: service.process and service.process.returncode is not None)
    await service.stop()

    # By now the kernel may have given the old server's number to anybody: to us, say.
    for lock in (cluster.data / "postmaster.pid", cluster.sockets / ".s.PGSQL.5432.lock"):
        lines = lock.read_text().splitlines()
        lock.write_text("\n".join([str(os.getpid()), *lines[1:]]))
    cluster.clear_stale_lock()
    again = postgres(cluster)
    await again.start()
    with psycopg.connect(address) as connection:
        assert connection.execute("select i from t").fetchall() == [(7,)]
    await again.stop()
    assert not (cluster.data / "postmaster.pid").exists()


async def test_an_initdb_cut_off_half_way_is_made_anew(tmp_path):
    cluster = Cluster(tmp_path / "postgres", environment.socket_folder(tmp_path), durable=False)
    (tmp_path / "postgres.new" / "base").mkdir(parents=True)
    cluster.initialise()
    service = postgres(cluster)
    await service.start()
    with psycopg.connect(f"host={cluster.sockets} dbname=postgres user={SUPERUSER}") as connection:
        row = connection.execute("select datlocprovider, datlocale from pg_database limit 1").fetchone()
    assert row == ("b", "C.UTF-8")
    await service.stop()


async def test_redis_keeps_what_it_was_told_after_kill_9(tmp_path):
    path = str(environment.socket_folder(tmp_path) / "redis.sock")
    command = redis_command(path, tmp_path)
    service = Service("redis", command, Log(), os.environ, ready=lambda: redis_answers(path))
    await service.start()
    import redis

    redis.Redis(unix_socket_path=path).set("kept", "yes")
    await asyncio.sleep(1.1)  # the append-only file is synced every second
    first = service.process
    assert first
    os.kill(first.pid, signal.SIGKILL)
    await until(lambda: service.process is not first)
    while not await redis_answers(path):
        await asyncio.sleep(0.05)
    assert redis.Redis(unix_socket_path=path).get("kept") == b"yes"
    await service.stop()


@pytest.mark.media
def test_janus_gets_a_private_configuration_only(tmp_path):
    settled = environment.settle(tmp_path, demo=False, port=8000)
    command = write_configuration(tmp_path / "janus", settled)
    conf = tmp_path / "janus" / "conf"
    assert command[1:3] == ["-F", str(conf)]
    texts = {path.name: path.read_text() for path in conf.iterdir()}
    everything = "\n".join(texts.values())
    for secret in ("JANUS_API_SECRET", "JANUS_ADMIN_SECRET", "JANUS_ROOM_KEY"):
        assert settled[secret] in everything
    http = texts["janus.transport.http.jcfg"]
    assert http.count('ip = "127.0.0.1"') == 2
    assert str(urlsplit(settled["JANUS_HTTP_URL"]).port) in http
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in conf.iterdir())
    assert [path.name for path in (tmp_path / "janus" / "plugins").iterdir()] == ["libjanus_videoroom.so"]
    assert [path.name for path in (tmp_path / "janus" / "transports").iterdir()] == ["libjanus_http.so"]


def test_without_janus_the_message_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(JanusUnavailable, match="apt-get install janus"):
        write_configuration(tmp_path, environment.settle(tmp_path, demo=False, port=8000))


# --- the whole, before anything starts ---


async def test_a_taken_port_is_said_before_anything_starts(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        stack = Stack(state=tmp_path, port=port, say=Log())
        with pytest.raises(StackFailed, match=f"port {port} is taken.*--port {port + 1}"):
            await stack.start()
        await stack.stop()
    assert not (tmp_path / "data").exists()


async def test_one_checkout_runs_once(tmp_path):
    first = Stack(state=tmp_path, say=Log())
    first._take_lock()
    second = Stack(state=tmp_path, say=Log())
    with pytest.raises(StackFailed, match=f"already runs \\(process {os.getpid()}\\)"):
        await second.start()
    await first.stop()


async def test_an_outside_database_needs_all_four_logins(tmp_path):
    stack = Stack(state=tmp_path, port=0, environment={"DATABASE_URL": "postgres://x/y"}, say=Log())
    with pytest.raises(StackFailed, match="DATABASE_OWNER_URL, SUPERVISION_DATABASE_URL, LOOKS_DATABASE_URL"):
        await stack.start()
    await stack.stop()


def test_our_processes_keep_what_python_compiled(tmp_path, monkeypatch):
    """Without the cache every start compiles everything anew, which takes longer than all the rest of it."""
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    settled = Stack(state=tmp_path, port=0, say=Log())._settle()
    assert "PYTHONDONTWRITEBYTECODE" not in settled


def test_fresh_deletes_nothing_without_a_terminal_or_a_yes(tmp_path, monkeypatch, capsys):
    kept = tmp_path / "data" / "kept"
    kept.mkdir(parents=True)
    monkeypatch.setattr("sys.stdin", None)
    assert main(["--fresh", "--state", str(tmp_path)]) == 1
    assert kept.exists()
    assert "Nothing was deleted" in capsys.readouterr().err


def test_removing_data_keeps_the_keys(tmp_path):
    (tmp_path / "data" / "postgres").mkdir(parents=True)
    before = environment.settle(tmp_path, demo=False, port=8000)
    stack = Stack(state=tmp_path, say=Log())
    stack.remove_data()
    assert not (tmp_path / "data").exists()
    assert environment.read(tmp_path / "environment") == before


def test_the_printed_cast_is_the_demos(cast):
    from config.demo.cast import PASSWORD as PASSWORD_OF_DEMO

    assert all(cast[username].is_active for username, _ in CAST)
    assert PASSWORD_OF_DEMO == PASSWORD


def test_socket_addresses_can_be_read_back(tmp_path):
    settled = environment.settle(tmp_path, demo=False, port=8000)
    assert Path(unquote(urlsplit(settled["REDIS_URL"]).path)).parent == environment.socket_folder(tmp_path)
