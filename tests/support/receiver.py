"""An HTTP server that webhooks are sent to: it remembers, and behaves as its paths say."""

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

_SECONDS = 60


@dataclass(frozen=True)
class Received:
    """One request, whatever was answered."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    peer: str

    @property
    def event(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self.body)
        return told


@dataclass
class Receiver:
    """`/ok` takes all; `/status/N` answers N, `/stall` nothing, `/endless` without end.

    `/redirect` leads to `/ok`, `/gate` answers 503 until `opened` is set.
    """

    address: str = "127.0.0.1"
    port: int = 0
    received: list[Received] = field(default_factory=list)
    opened: threading.Event = field(default_factory=threading.Event)
    sent_endless: int = 0
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _released: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        handler = type("Handler", (_Handler,), {"owner": self})
        self._server = _Server((self.address, self.port), handler)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://{self.address}:{self.port}"

    def add(self, request: Received) -> None:
        with self._changed:
            self.received.append(request)
            self._changed.notify_all()

    def at(self, path: str) -> list[Received]:
        with self._changed:
            return [each for each in self.received if each.path == path]

    def wait(self, enough: Callable[[list[Received]], bool], path: str = "/ok") -> list[Received]:
        """Until what came to that path is enough."""
        deadline = time.monotonic() + _SECONDS
        with self._changed:
            while True:
                found = [each for each in self.received if each.path == path]
                if enough(found):
                    return found
                left = deadline - time.monotonic()
                assert left > 0, f"only {len(found)} came to {path}: {found[-3:]}"
                self._changed.wait(left)

    def stalled(self) -> None:
        """Returns at the end only."""
        self._released.wait()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


class _Handler(BaseHTTPRequestHandler):
    owner: Receiver
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        peer = str(self.client_address[0])
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.owner.add(Received(self.path, headers, body, peer))
        with contextlib.suppress(OSError):
            self._answer()

    def _answer(self) -> None:
        path = self.path.partition("?")[0]
        if path.startswith("/status/"):
            self._say(int(path.rpartition("/")[2]))
        elif path == "/redirect":
            self._say(307, location=f"{self.owner.url}/ok")
        elif path == "/gate":
            self._say(204 if self.owner.opened.is_set() else 503)
        elif path == "/stall":
            self.owner.stalled()
        elif path == "/endless":
            self._say_without_end()
        else:
            self._say(204)

    def _say(self, status: int, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("content-length", "2")
        self.end_headers()
        if status != 204:
            self.wfile.write(b"no")

    def _say_without_end(self) -> None:
        self.send_response(200)
        self.end_headers()
        try:
            while True:
                self.wfile.write(bytes(65536))
                self.owner.sent_endless += 65536
        finally:
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextlib.contextmanager
def receiver(address: str = "127.0.0.1", port: int = 0) -> Iterator[Receiver]:
    with Receiver(address, port) as running:
        yield running
