"""ASGI entry: HTTP to Django, sockets to Channels."""

import os

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
http = get_asgi_application()

from config.checks import require_safe_start  # noqa: E402

require_safe_start()

from classes.live.routing import websocket_urlpatterns  # noqa: E402  (apps must be loaded first)

sockets = URLRouter(websocket_urlpatterns)  # type: ignore[arg-type]  # stubs want their own
application = ProtocolTypeRouter(
    {"http": http, "websocket": AllowedHostsOriginValidator(AuthMiddlewareStack(sockets))}
)
