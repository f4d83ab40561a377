"""One HTTP exchange as the outermost layer sees it: its facts, and its answer on the way out."""

from collections.abc import Awaitable
from functools import lru_cache
from time import perf_counter
from typing import Any

from starlette.types import Message, Receive, Scope, Send

from vexobj_server.observability.securityheaders import (
    NATIVE,
    NOSNIFF,
    SANDBOX,
    STRICT_TRANSPORT,
    is_active,
)

__all__ = ["Exchange", "Receive", "Scope", "header"]

_PATHSEND = "http.response.pathsend"


@lru_cache(maxsize=512)
def _is_active(content_type: bytes) -> bool:
    return is_active(content_type.decode("latin-1"))


def header(scope: Scope, name: bytes) -> bytes | None:
    """The first of that name."""
    for key, value in scope["headers"]:
        if key == name:
            found: bytes = value
            return found
    return None


class Exchange:
    """Is the `send` of one request: counts what goes out and adds the headers every answer has.

    `status` is 0 until the answer has begun; `added` headers go out with it. `native` answers are
    ours to be shown in a browser; all others are somebody's content.
    """

    __slots__ = (
        "_announced",
        "_request_id",
        "_secure",
        "_send",
        "added",
        "began",
        "bytes_out",
        "native",
        "seconds",
        "status",
    )

    def __init__(self, send: Send, request_id: bytes, *, secure: bool) -> None:
        self._send = send
        self._request_id = request_id
        self._secure = secure
        self._announced = 0
        self.added: list[tuple[bytes, bytes]] = []
        self.began = perf_counter()
        self.seconds = 0.0
        self.status = 0
        self.bytes_out = 0
        self.native = False

    def __call__(self, message: Any) -> Awaitable[None]:
        """Not a coroutine itself: one frame less for every message."""
        kind = message["type"]
        if kind == "http.response.body":
            self.bytes_out += len(message.get("body", b""))
        elif kind == "http.response.start":
            self._start(message)
        elif kind == _PATHSEND:
            self.bytes_out = self._announced
        return self._send(message)

    def _start(self, message: Message) -> None:
        self.status = message["status"]
        self.seconds = perf_counter() - self.began
        headers = list(message.get("headers", ()))
        content_type: bytes | None = None
        policy = False
        for name, value in headers:
            if name == b"content-type":
                content_type = value
            elif name == b"content-length":
                self._announced = int(value)
            elif name == b"content-security-policy":
                policy = True
        headers.append((b"x-request-id", self._request_id))
        headers += self.added
        if self.native:
            headers += NATIVE[:-1] if policy else NATIVE
        else:
            headers.append(NOSNIFF)
            if content_type is not None and _is_active(content_type):
                headers.append(SANDBOX)
        if self._secure:
            headers.append(STRICT_TRANSPORT)
        message["headers"] = headers
