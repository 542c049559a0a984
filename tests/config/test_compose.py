"""docker-compose.yml against the settings that production needs. Docker itself does not run here."""

import ast
import os
import re
import subprocess
import sys
from urllib.parse import urlsplit

import pytest
import yaml
from django.conf import settings

from config.supervisor.environment import LOGINS

ROOT = settings.ROOT
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
SERVICES = COMPOSE["services"]
DJANGO = ("prepare", "web", "worker", "beat")
# Optional to the settings, needed by a site that the public reaches.
NEEDED_IN_PRODUCTION = {
    *("YUCHUANG_MODE", "YUCHUANG_ALLOWED_HOSTS", "YUCHUANG_TRUSTED_ORIGINS", "YUCHUANG_PUBLIC_URL"),
    *("YUCHUANG_DATA_DIR", "JANUS_HTTP_URL", "JANUS_ADMIN_URL", "JANUS_API_SECRET", "JANUS_ADMIN_SECRET"),
    *("JANUS_ROOM_KEY", "JANUS_RECORDINGS_DIR"),
}
# Read by the settings but wrong in production, or good as they are.
LEFT_OUT = {
    *("YUCHUANG_DEMO", "YUCHUANG_DEBUG", "YUCHUANG_TASKS_EAGER", "DATABASE_OWNER_URL"),
    *("YUCHUANG_REDIS_PREFIX", "YUCHUANG_DB_POOL", "YUCHUANG_DB_POOLED", "YUCHUANG_FACE_ENGINE"),
    *("YUCHUANG_HEARTBEAT_SECONDS", "YUCHUANG_PRESENCE_TIMEOUT_SECONDS"),
    *("YUCHUANG_EDITION_DIRS", "YUCHUANG_CALENDAR_DIRS", "YUCHUANG_EXCHANGE_GATEWAY"),
}


def settings_read() -> dict[str, bool]:
    """{variable: whether it must be given} as settings.py reads them."""
    tree = ast.parse((ROOT / "platform/config/settings.py").read_text("utf-8"))
    found: dict[str, bool] = {}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not node.args or not isinstance(node.args[0], ast.Constant):
            continue
        name = ast.unparse(node.func)
        if name == "_database":
            found[str(node.args[0].value)] = True
        elif name.startswith("env."):
            optional = any(keyword.arg == "default" for keyword in node.keywords)
            found[str(node.args[0].value)] = not optional
    found.setdefault("DATABASE_URL", True)
    found["DATABASE_OWNER_URL"] = False
    return found


@pytest.fixture(scope="module")
def dot_env() -> dict[str, str]:
    """A .env as an operator makes it."""
    done = subprocess.run(
        [sys.executable, ROOT / "deploy" / "new_env.py", "peixun.example.cn", "203.0.113.7"],
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(line.split("=", 1) for line in done.stdout.splitlines())


def interpolated(service: str, dot_env: dict[str, str]) -> dict[str, str]:
    """A service's environment with ${NAME:?} and ${NAME:-default} filled in as compose does."""

    def fill(match: re.Match[str]) -> str:
        name, kind, rest = match.groups()
        if name in dot_env:
            return dot_env[name]
        assert kind == ":-", f"{service} needs {name}, which deploy/new_env.py does not make"
        return str(rest)

    pattern = re.compile(r"\$\{(\w+)(:[-?])([^}]*)\}")
    return {name: pattern.sub(fill, str(value)) for name, value in SERVICES[service]["environment"].items()}


def test_every_part_of_the_platform_is_there():
    assert set(SERVICES) == {"postgres", "redis", "janus", "proxy", *DJANGO}


@pytest.mark.parametrize("service", DJANGO)
def test_each_django_service_has_every_setting_it_needs_and_no_unknown_one(service, dot_env):
    known = settings_read()
    given = set(SERVICES[service]["environment"])
    required = {name for name, must in known.items() if must} | NEEDED_IN_PRODUCTION
    assert required - given == set()
    assert given - set(known) == set()
    assert set(known) - required - LEFT_OUT <= given, "a new setting: give it, or say why not in LEFT_OUT"


@pytest.mark.parametrize(
    "service", ["prepare", "web"]
)  # the other two differ from web in nothing the checks see
def test_production_would_start_with_a_new_dot_env(service, dot_env):
    code = "import django; django.setup(); from config.checks import require_safe_start; require_safe_start()"
    environment = {name: value for name, value in os.environ.items() if name not in settings_read()}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**environment, **interpolated(service, dot_env)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("service", DJANGO)
def test_each_alias_has_its_own_login_and_only_prepare_has_the_owners(service, dot_env):
    environment = interpolated(service, dot_env)
    expected = dict(LOGINS)
    if service != "prepare":
        del expected["DATABASE_OWNER_URL"]
        assert dot_env["OWNER_PASSWORD"] not in "".join(environment.values())
    urls = {name: urlsplit(value) for name, value in environment.items() if name.endswith("DATABASE_URL")}
    urls |= {name: urlsplit(environment[name]) for name in ("DATABASE_OWNER_URL",) if name in environment}
    assert {name: url.username for name, url in urls.items()} == expected
    assert {url.hostname for url in urls.values()} == {"postgres"}
    assert len({url.password for url in urls.values()}) == len(urls)
    assert dot_env["POSTGRES_PASSWORD"] not in "".join(environment.values())


def test_the_database_is_made_with_those_logins_and_passwords(dot_env):
    script = (ROOT / "deploy/postgres/20-database.sh").read_text("utf-8")
    roles = (ROOT / "platform/config/roles.sql").read_text("utf-8")
    for login in LOGINS.values():
        assert f"alter role {login} password" in script
        assert f"'{login}'" in roles
    given = set(SERVICES["postgres"]["environment"])
    assert set(re.findall(r"\$(\w+_PASSWORD)", script)) <= given
    mounted = [volume.split(":")[0] for volume in SERVICES["postgres"]["volumes"] if volume.startswith("./")]
    assert mounted == ["./platform/config/roles.sql", "./deploy/postgres/20-database.sh"]
    assert all((ROOT / path).exists() for path in mounted)


def test_no_secret_has_a_default():
    secret = re.compile(r"PASSWORD|SECRET|_KEY$")
    for name, service in SERVICES.items():
        for variable, value in service["environment"].items() if "environment" in service else ():
            for used, kind in re.findall(r"\$\{(\w+)(:[-?])", str(value)):
                assert not secret.search(used) or kind == ":?", f"{name}: {used} may not have a default"
            if secret.search(variable):
                assert "${" in str(value), f"{name}: {variable} is written down"


def test_only_the_proxy_and_the_media_can_be_reached():
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert set(published) == {"proxy", "janus"}
    assert published["proxy"] == ["80:80", "443:443", "443:443/udp"]
    assert all(port.endswith("/udp") for port in published["janus"])
    low, high = SERVICES["janus"]["environment"]["YUCHUANG_RTP_PORTS"].split("-")
    assert published["janus"] == [f"{low}-{high}:{low}-{high}/udp"]
    assert {name for name, net in COMPOSE["networks"].items() if not net.get("internal")} == {
        "media",
        "outside",
    }
    for network in ("media", "outside"):
        assert [name for name, service in SERVICES.items() if network in service["networks"]] == (
            ["janus"] if network == "media" else ["proxy"]
        )


def test_janus_is_controlled_from_the_inner_network_alone(dot_env):
    janus = interpolated("janus", dot_env)
    networks = SERVICES["janus"]["networks"]
    assert networks["control"]["ipv4_address"] == janus["YUCHUANG_JANUS_CONTROL"]
    assert networks["media"]["ipv4_address"] == janus["YUCHUANG_MEDIA_ADDRESS"]
    subnet = COMPOSE["networks"]["control"]["ipam"]["config"][0]["subnet"]
    assert subnet == janus["YUCHUANG_JANUS_ALLOWED"] + "0/24"
    for name in (
        "JANUS_HTTP_URL",
        "JANUS_ADMIN_URL",
        "JANUS_API_SECRET",
        "JANUS_ADMIN_SECRET",
        "JANUS_ROOM_KEY",
    ):
        assert janus[name] == interpolated("web", dot_env)[name]
    proxy = (ROOT / "deploy/Caddyfile").read_text("utf-8")
    assert "janus" not in proxy
    assert proxy.count("reverse_proxy") == 1


def test_janus_and_the_worker_share_the_recordings():
    folder = SERVICES["janus"]["environment"]["JANUS_RECORDINGS_DIR"]
    for service in ("janus", "worker", "web"):
        assert f"recordings:{folder}" in SERVICES[service]["volumes"]
        assert SERVICES[service]["environment"]["JANUS_RECORDINGS_DIR"] == folder
    named = {volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", ())}
    assert {name for name in named if not name.startswith("./")} == set(COMPOSE["volumes"])


@pytest.mark.parametrize("service", ["janus", *DJANGO])
def test_images_are_built_from_files_that_exist(service):
    recipe = ROOT / SERVICES[service]["build"]["dockerfile"]
    stages = recipe.read_text("utf-8").replace("\\\n", " ")
    for line in re.findall(r"^COPY (?!--from)(.+)$", stages, re.MULTILINE):
        *sources, _ = line.split()
        for source in sources:
            assert (ROOT / source).exists(), f"{recipe}: COPY {source}"


@pytest.mark.parametrize("service", ["prepare", "worker", "beat"])
def test_commands_name_modules_that_exist(service):
    command = SERVICES[service]["command"]
    assert command[0] == "python"
    if command[1] == "manage.py":
        assert (ROOT / "platform/config/management/commands" / f"{command[2]}.py").exists()
    else:
        assert command[1:5] == ["-m", "celery", "-A", "config.celery"]
