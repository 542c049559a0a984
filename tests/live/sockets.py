"""A browser's side of the room: a real socket to the whole application, with a transcript."""

import contextlib
import json
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from typing import Any

import uvicorn
from django.conf import settings
from django.test import Client, override_settings
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from accounts.models import User
from classes.models import Lesson
from tests.cast import client_of

WITHIN = 10.0  # seconds: for what must happen


class LiveServer:
    """The platform's ASGI application behind uvicorn, as bin/run starts it, in a thread of this process."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        config = uvicorn.Config(
            "config.asgi:application",
            ws="websockets-sansio",
            loop="uvloop",
            lifespan="off",
            log_level="warning",
        )
        with override_settings(WHITENOISE_AUTOREFRESH=False):  # see tests/conftest.py
            config.load()
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._listener]})

    def start(self) -> None:
        self._thread.start()
        deadline = time.monotonic() + WITHIN
        while not self._server.started:
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(WITHIN)
        assert not self._thread.is_alive()


class RoomClient:
    """One device of one person in one room."""

    def __init__(
        self, server: LiveServer, user: User | None, lesson: Lesson, *, device: str = "", **options: Any
    ) -> None:
        self.lesson = lesson
        self.http: Client = client_of(user)
        cookie = self.http.cookies.get(settings.SESSION_COOKIE_NAME)
        headers = {"Cookie": f"{settings.SESSION_COOKIE_NAME}={cookie.value}"} if cookie else {}
        query = f"?device={device}" if device else ""
        options = {"origin": f"http://{server.address}", "max_queue": None, **options}
        self.socket: ClientConnection = connect(
            f"ws://{server.address}/ws/lessons/{lesson.pk}/{query}",
            additional_headers=headers,
            proxy=None,
            ping_interval=None,
            legacy=True,
            **options,
        )
        self.transcript: list[str] = []
        self.hello: dict[str, Any] = {}
        self.nonce = ""
        self.number = 0

    def listen(self) -> dict[str, Any]:
        """The next message, whatever it is."""
        text = str(self.socket.recv(timeout=WITHIN))
        self.transcript.append(f"< {text}")
        message: dict[str, Any] = json.loads(text)
        if message["type"] == "hello":
            self.hello = message["data"]
        if "nonce" in message["data"]:
            self.nonce = message["data"]["nonce"]
        return message

    def hear(self, type: str) -> dict[str, Any]:
        """The next message of a type; what comes before it is passed over but stays in the transcript."""
        while True:
            message = self.listen()
            if message["type"] == type:
                return message

    def say(self, type: str, data: Any, id: Any = None) -> None:
        self.send(json.dumps({"type": type, "id": id, "data": data}))

    def send(self, text: str) -> None:
        self.transcript.append(f"> {text}")
        self.socket.send(text)

    def beat(self) -> dict[str, Any]:
        """One heartbeat that answers the last nonce; returns its acknowledgement."""
        self.number += 1
        self.say("heartbeat", {"nonce": self.nonce, "seq": self.number}, self.number)
        return self.hear("heartbeat.ack")

    def get(self, path: str) -> Any:
        """What the API answers to this person; `path` is below the lesson."""
        slash = "" if "?" in path else "/"
        return self.http.get(f"/api/v1/lessons/{self.lesson.pk}/{path}{slash}")

    def post(self, path: str, **data: Any) -> Any:
        """A post of the API as this person."""
        return self.http.post(
            f"/api/v1/lessons/{self.lesson.pk}/{path}/", data, content_type="application/json"
        )

    def post_message(self, text: str) -> dict[str, Any]:
        answer = self.post("messages", key=str(uuid.uuid4()), text=text)
        assert answer.status_code == 201, answer.content
        event: dict[str, Any] = answer.json()
        return event

    def closed_with(self) -> int:
        """Wait for the server to close; return its code."""
        with contextlib.suppress(ConnectionClosed):
            while True:
                self.listen()
        close = self.socket.close_code
        self.transcript.append(f"< closed {close}")
        assert close is not None
        return close

    def leave(self) -> None:
        """Close as a browser does that goes to another page."""
        self.socket.close(1001)

    def vanish(self) -> None:
        """The network is gone: no goodbye."""
        self.socket.socket.shutdown(socket.SHUT_RDWR)
        self.socket.socket.close()


@contextlib.contextmanager
def in_room(server: LiveServer, user: User | None, lesson: Lesson, **options: Any) -> Iterator[RoomClient]:
    """A client that has been greeted; its transcript is printed, pytest shows it when the test fails."""
    client = RoomClient(server, user, lesson, **options)
    try:
        client.hear("hello")
        yield client
    finally:
        client.socket.close()
        print(f"--- {user}:", *client.transcript, sep="\n")


def eventually(condition: Any, within: float = WITHIN) -> None:
    """Wait until what another thread does has happened."""
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)
