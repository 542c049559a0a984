"""Print a new .env for docker-compose.yml: `python3 deploy/new_env.py peixun.example.cn ADDRESS > .env`.

ADDRESS is the public IPv4 address of this host, to which browsers send and from which they receive the live
video. Every secret is made by chance, so two runs never agree: print it once and keep it with the backups.
"""

import base64
import secrets
import sys


def new_env(host: str, address: str) -> str:
    """Return the file's text."""
    keys = {
        f"YUCHUANG_{name}_KEY": base64.b64encode(secrets.token_bytes(32)).decode()
        for name in ("DATA", "INDEX", "SIGNING")
    }
    passwords = ("POSTGRES", "OWNER", "APP", "SUPERVISION", "LOOKS")
    values = {
        "YUCHUANG_HOST": host,
        "YUCHUANG_MEDIA_PUBLIC_ADDRESS": address,
        "YUCHUANG_SECRET_KEY": secrets.token_urlsafe(50),
        **keys,
        **{f"{name}_PASSWORD": secrets.token_hex(24) for name in passwords},
        **{
            name: secrets.token_hex(24)
            for name in ("JANUS_API_SECRET", "JANUS_ADMIN_SECRET", "JANUS_ROOM_KEY")
        },
    }
    return "".join(f"{name}={value}\n" for name, value in values.items())


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.stdout.write(new_env(sys.argv[1], sys.argv[2]))
