"""Where sockets go (config/asgi.py)."""

from django.urls import path

from classes.live.consumers import RoomConsumer

websocket_urlpatterns = [path("ws/lessons/<int:pk>/", RoomConsumer.as_asgi())]  # type: ignore[arg-type]
