"""What CI checks, run by bin/test once the machine is prepared: style, types, floors, migrations, tests.

Tests run on a private PostgreSQL and Redis under `.local/test`, made anew each time, and inside a private
network namespace (Janus cannot use loopback; nothing in it reaches beyond this machine). With arguments only
pytest runs, with them. The exit code is the first failure's.
"""

import asyncio
import base64
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from config.supervisor.environment import database_urls, is_ours, socket_folder
from config.supervisor.postgres import Cluster, in_thread
from config.supervisor.services import Service
from config.supervisor.stack import redis_answers, redis_command
from prepare import find_program, node_program

ROOT = Path(__file__).resolve().parent.parent
STATE = ROOT / ".local" / "test"
CACHES = ROOT / ".local" / "cache"
ADDRESS = "10.77.0.1"  # of the namespace's only real interface
NAMESPACE = (
    "ip link set lo up && ip link add media0 type veth peer name media1"
    f" && ip addr add {ADDRESS}/24 dev media0 && ip link set media0 up && ip link set media1 up"
    ' && exec "$@"'
)
PYTHON = sys.executable
# Each process of the tests would compile all code anew.
_UNWANTED = {"PYTHONDONTWRITEBYTECODE"}
TYPESCRIPT = ROOT / ".local" / "npm" / "node_modules" / "typescript" / "bin" / "tsc"


def checks() -> dict[str, list[str]]:
    """Return what runs before the tests, the longest first: name and command."""
    floors = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    return {
        "mypy --strict": [PYTHON, "-m", "mypy", "--cache-dir", str(CACHES / "mypy"), "."],
        "ruff": [PYTHON, "-m", "ruff", "check", "--quiet", "--output-format", "concise", "."],
        "ruff format": [PYTHON, "-m", "ruff", "format", "--quiet", "--check", "."],
        "import floors": [PYTHON, "-c", floors, "--cache-dir", str(CACHES / "importlinter")],
        "makemigrations --check": [PYTHON, "manage.py", "makemigrations", "--check", "--dry-run"],
        "tsc --checkJs": [*node_program("node")[0], str(TYPESCRIPT), "-p", str(write_tsconfig())],
    }


def write_tsconfig() -> Path:
    """Write how our browser scripts are checked: all static folders are one, as they are when served."""
    apps = [folder for folder in ROOT.iterdir() if folder.is_dir() and not folder.name.startswith(".")]
    scripts = sorted(path for folder in apps for path in folder.glob("**/static/**/*.js"))
    statics = {parent for path in scripts for parent in path.parents if parent.name == "static"}
    options = {
        "noEmit": True,
        "allowJs": True,
        "checkJs": True,
        "strict": True,
        "types": [],
        "target": "es2020",
        "module": "es2022",
        "moduleResolution": "bundler",
        "lib": ["es2020", "dom", "dom.iterable"],
        "rootDirs": sorted(map(str, statics)),
        "useUnknownInCatchVariables": False,  # JSDoc has no word for the type of what was caught
    }
    CACHES.mkdir(exist_ok=True)
    file = CACHES / "tsconfig.json"
    file.write_text(json.dumps({"compilerOptions": options, "files": [str(path) for path in scripts]}))
    return file


async def main(arguments: list[str]) -> int:
    """Run the checks and the tests. Returns the exit code."""
    shutil.rmtree(STATE / "data", ignore_errors=True)
    services: list[Service] = []
    with open(STATE / "servers.log", "w", encoding="utf-8") as log:

        def say(name: str, line: str) -> None:
            log.write(f"{name:8} | {line}\n")
            log.flush()

        environment = environment_of_tests()
        sockets = socket_folder(STATE)
        cluster = Cluster(STATE / "data" / "postgres", sockets, durable=False)
        folder = STATE / "data" / "redis"
        folder.mkdir(parents=True)
        redis_socket = str(sockets / "redis.sock")
        Path(redis_socket).unlink(missing_ok=True)
        try:
            await in_thread(cluster.initialise)
            postgres = Service(
                "postgres",
                cluster.command(),
                say,
                os.environ,
                cluster.is_ready,
                before_exec=cluster.before_exec,
            )
            redis = Service(
                *("redis", redis_command(redis_socket, folder, durable=False), say, os.environ),
                ready=lambda: redis_answers(redis_socket),
            )
            services += [postgres, redis]
            await asyncio.gather(*(service.start() for service in services))
            await in_thread(lambda: cluster.prepare(for_tests=True))
            if not arguments and not await run_checks(environment):
                return 1
            return await run_tests(arguments, environment)
        finally:
            for service in reversed(services):
                await service.stop()


def environment_of_tests() -> dict[str, str]:
    """Return what every check and test is given: keys that are no secret, the private servers."""
    keys = ("YUCHUANG_DATA_KEY", "YUCHUANG_INDEX_KEY", "YUCHUANG_SIGNING_KEY")
    sockets = socket_folder(STATE)
    urls = database_urls(sockets)
    return {
        **{name: value for name, value in os.environ.items() if not is_ours(name) and name not in _UNWANTED},
        "YUCHUANG_MODE": "test",
        "YUCHUANG_DEMO": "1",
        "YUCHUANG_SECRET_KEY": "only-for-tests-" * 4,
        **{name: base64.b64encode(bytes([number]) * 32).decode() for number, name in enumerate(keys)},
        "YUCHUANG_DATA_DIR": str(STATE / "data"),
        "YUCHUANG_TASKS_EAGER": "1",
        **urls,
        "DATABASE_URL": urls["DATABASE_OWNER_URL"],  # tests/conftest.py takes on the application's role
        "REDIS_URL": f"unix://{sockets / 'redis.sock'}",
        "YUCHUANG_CHROMIUM": find_program("chromium") or "",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'platform'}",
        "PYTHONUTF8": "1",
        "RUFF_CACHE_DIR": str(CACHES / "ruff"),
        "HYPOTHESIS_STORAGE_DIRECTORY": str(CACHES / "hypothesis"),
    }


async def run_checks(environment: dict[str, str]) -> bool:
    """Run every check, two at a time, show what failed, and tell whether all passed."""
    cores = asyncio.Semaphore(2)

    async def passes(name: str, command: list[str]) -> bool:
        async with cores:
            process = await asyncio.create_subprocess_exec(
                *command,
                env=environment,
                cwd=ROOT,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
            output, _ = await process.communicate()
        print(f"{'ok' if process.returncode == 0 else 'FAILED':7}{name}", flush=True)
        if process.returncode != 0:
            print(output.decode(errors="replace"), flush=True)
        return process.returncode == 0

    commands = checks()
    outcomes = await asyncio.gather(*(passes(name, command) for name, command in commands.items()))
    failed = [name for name, passed in zip(commands, outcomes, strict=True) if not passed]
    if failed:
        print(f"no test was run: {', '.join(failed)} failed", flush=True)
    return not failed


async def run_tests(arguments: list[str], environment: dict[str, str]) -> int:
    """Run pytest in its own network; its closing line stays the last one."""
    prefix, reason = network_namespace()
    if prefix:
        environment["YUCHUANG_MEDIA_ADDRESS"] = ADDRESS
    else:
        print(f"tests of live video will be skipped: {reason}", flush=True)
    # One more than cores: those that play a lesson in real time mostly wait.
    workers = [] if arguments else ["-n", str((os.cpu_count() or 1) + 1), "--dist", "loadgroup"]
    cache = ["-o", f"cache_dir={CACHES / 'pytest'}"]
    # Short, since unix sockets lie in it; ours alone, since in its namespace every user is called root.
    with tempfile.TemporaryDirectory(prefix="yc-", ignore_cleanup_errors=True) as temporary:
        environment |= {"TMPDIR": temporary, "XDG_RUNTIME_DIR": temporary}
        process = await asyncio.create_subprocess_exec(
            *prefix, PYTHON, "-m", "pytest", *cache, *workers, *arguments, env=environment, cwd=ROOT
        )
        # Told to end, pytest still takes down what its fixtures have put up. A Ctrl-C reaches it by itself.
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, process.send_signal, signal.SIGINT)
        try:
            return await process.wait()
        except asyncio.CancelledError:
            await process.wait()
            raise


def network_namespace() -> tuple[list[str], str]:
    """Return the command that opens a private network, or nothing and why."""
    if not find_program("ip") or not shutil.which("unshare"):
        return [], "`ip` and `unshare` are needed for a private network (apt-get install iproute2 util-linux)"
    for flags in ["-n", "-rn"] if os.geteuid() == 0 else ["-rn"]:
        prefix = ["unshare", flags, "sh", "-c", NAMESPACE, "namespace"]
        if subprocess.run([*prefix, "true"], capture_output=True, stdin=subprocess.DEVNULL).returncode == 0:
            return prefix, ""
    return [], "this machine does not allow a private network (unshare -n)"


if __name__ == "__main__":
    STATE.mkdir(parents=True, exist_ok=True)
    with open(STATE / "lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            sys.exit("bin/test already runs in this checkout")
        try:
            sys.exit(asyncio.run(main(sys.argv[1:])))
        except KeyboardInterrupt:
            sys.exit(130)
