"""A private Janus: VideoRoom only, its control ports on loopback, its own secrets and folders.

The stock configuration (all interfaces, demo rooms, a known admin secret) is never read. The production image
writes its configuration with this module too, so it imports nothing but the standard library.
Why each setting: docs/decisions/0006-live-media.md
"""

import fcntl
import os
import shutil
import socket
import struct
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

_SIOCGIFADDR = 0x8915
_SIOCGIFFLAGS = 0x8913
_IFF_UP, _IFF_LOOPBACK = 0x1, 0x8
_VIRTUAL = ("docker", "br-", "virbr", "vmnet")
_LIBRARIES = (
    "/usr/lib/*/janus",
    "/usr/lib/janus",
    "/usr/lib64/janus",
    "/usr/local/lib/janus",
    "/opt/janus/lib/janus",
)

_GENERAL = """\
general: {{
  configs_folder = "{folder}/conf"
  plugins_folder = "{folder}/plugins"
  transports_folder = "{folder}/transports"
  events_folder = "{folder}/none"
  loggers_folder = "{folder}/none"
  debug_level = 3
  debug_timestamps = false
  debug_colors = false
  api_secret = "{JANUS_API_SECRET}"
  admin_secret = "{JANUS_ADMIN_SECRET}"
  server_name = "yuchuang"
  session_timeout = 60
  reclaim_session_timeout = 10
  candidates_timeout = 45
  event_loops = 2
  hide_dependencies = true
  recordings_tmp_ext = "tmp"
  protected_folders = [ "/bin", "/boot", "/dev", "/etc", "/lib", "/lib64", "/proc", "/sbin", "/sys", "/usr" ]
}}
media: {{ rtp_port_range = "{range}"  slowlink_threshold = 4 }}
nat: {{
  nice_debug = false  ignore_mdns = true  full_trickle = false
  ice_enforce_list = "{address}"{public}
}}
plugins: {{}}
transports: {{}}
loggers: {{}}
events: {{ broadcast = false }}
"""
_HTTP = """\
general: {{
  json = "compact"  base_path = "/janus"  https = false
  http = true  port = {http_port}  ip = "{control}"  acl = "{allowed}"
}}
admin: {{
  admin_base_path = "/admin"  admin_https = false
  admin_http = true  admin_port = {admin_port}  admin_ip = "{control}"  admin_acl = "{allowed}"
}}
"""
_VIDEOROOM = """\
general: {{ admin_key = "{JANUS_ROOM_KEY}"  lock_rtp_forward = true  string_ids = true  events = false }}
"""


class JanusUnavailable(Exception):
    """No live video here; the message says why and what would help."""


def media_address() -> str:
    """Return the IPv4 address that browsers reach: the default route's interface, else the first real one.

    Janus cannot use loopback. Raises JanusUnavailable where there is nothing else.
    """
    routed = _default_route()
    names = sorted((name for _, name in socket.if_nameindex()), key=lambda name: (name != routed, name))
    for name in names:
        if name == routed or not name.startswith(_VIRTUAL):
            address = _address(name)
            if address:
                return address
    raise JanusUnavailable("this machine has no network interface but loopback, which Janus cannot use")


def write_configuration(folder: Path, environment: Mapping[str, str]) -> list[str]:
    """Write Janus's private tree under `folder` and return its command line. Raises JanusUnavailable.

    Takes control addresses, secrets and the recordings folder from `environment`. The control ports answer on
    YUCHUANG_JANUS_CONTROL (127.0.0.1) to callers whose address begins with YUCHUANG_JANUS_ALLOWED (the same).
    """
    program = shutil.which("janus")
    libraries = next((path for pattern in _LIBRARIES for path in sorted(_glob(pattern))), None)
    if not program or not libraries:
        raise JanusUnavailable("Janus is not installed: apt-get install janus janus-tools ffmpeg")
    address = environment.get("YUCHUANG_MEDIA_ADDRESS") or media_address()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in ("conf", "plugins", "transports", "none"):
        shutil.rmtree(folder / name, ignore_errors=True)
        (folder / name).mkdir(mode=0o700)
    Path(environment["JANUS_RECORDINGS_DIR"]).mkdir(mode=0o700, parents=True, exist_ok=True)
    for kind, library in (("plugins", "libjanus_videoroom.so"), ("transports", "libjanus_http.so")):
        (folder / kind / library).symlink_to(libraries / kind / library)
    control = environment.get("YUCHUANG_JANUS_CONTROL", "127.0.0.1")
    public = environment.get("YUCHUANG_MEDIA_PUBLIC_ADDRESS")  # behind a translating router or a container
    values = {
        **environment,
        "control": control,
        "allowed": environment.get("YUCHUANG_JANUS_ALLOWED", control),
        "public": f'\n  nat_1_1_mapping = "{public}"' if public else "",
        "folder": folder,
        "address": address,
        "range": environment.get("YUCHUANG_RTP_PORTS", "20000-20999"),
        "http_port": urlsplit(environment["JANUS_HTTP_URL"]).port,
        "admin_port": urlsplit(environment["JANUS_ADMIN_URL"]).port,
    }
    for name, text in (
        ("janus.jcfg", _GENERAL),
        ("janus.transport.http.jcfg", _HTTP),
        ("janus.plugin.videoroom.jcfg", _VIDEOROOM),
    ):
        path = folder / "conf" / name
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as file:
            file.write(text.format(**values))
    return [program, "-F", str(folder / "conf"), "-o"]


def _glob(pattern: str) -> list[Path]:
    return [path for path in Path("/").glob(pattern.lstrip("/")) if (path / "plugins").is_dir()]


def _default_route() -> str:
    with open("/proc/net/route") as routes:
        for line in list(routes)[1:]:
            name, destination = line.split()[:2]
            if destination == "00000000":
                return name
    return ""


def _address(name: str) -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        request = struct.pack("256s", name.encode()[:15])
        try:
            (flags,) = struct.unpack_from("H", fcntl.ioctl(asker.fileno(), _SIOCGIFFLAGS, request), 16)
            if not flags & _IFF_UP or flags & _IFF_LOOPBACK:
                return ""
            return socket.inet_ntoa(fcntl.ioctl(asker.fileno(), _SIOCGIFADDR, request)[20:24])
        except OSError:
            return ""
