"""Where sockets go (config/asgi.py)."""

from channels.security.websocket import WebsocketDenier
from django.urls import path, re_path

from classes.live.consumers import RoomConsumer

websocket_urlpatterns = [
    path("ws/lessons/<int:pk>/", RoomConsumer.as_asgi()),  # type: ignore[arg-type]
    # Channels has no 404 of its own: without this the handshake answers 500.
    re_path("", WebsocketDenier.as_asgi()),  # type: ignore[arg-type]
]
