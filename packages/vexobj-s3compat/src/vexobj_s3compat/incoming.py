"""The request's bytes as ASGI delivers them: read with a deadline, drained within a bound."""

import asyncio
import contextlib
from collections.abc import Mapping

from vexobj_s3compat.asgi import Receive
from vexobj_s3compat.errors import IncompleteBody, RequestTimeout

DRAIN_BYTES = 1024 * 1024
DRAIN_SECONDS = 5.0


class Incoming:
    """A request body being received. `timeout_seconds` bounds each wait for more bytes."""

    __slots__ = ("_receive", "_timeout_seconds", "ended", "started")

    def __init__(self, receive: Receive, timeout_seconds: float) -> None:
        self._receive = receive
        self._timeout_seconds = timeout_seconds
        self.started = False
        self.ended = False

    async def chunk(self) -> bytes | None:
        """The next bytes (perhaps none), or None after the last.

        Raises:
            IncompleteBody: the client left.
            RequestTimeout: it sent nothing for the timeout.
        """
        if self.ended:
            return None
        self.started = True
        try:
            async with asyncio.timeout(self._timeout_seconds):
                message = await self._receive()
        except TimeoutError:
            self.ended = True
            raise RequestTimeout(headers={"connection": "close"}) from None
        if message["type"] == "http.disconnect":
            self.ended = True
            raise IncompleteBody
        self.ended = not message.get("more_body", False)
        body: bytes = message.get("body", b"")
        return body

    async def drain(self, headers: Mapping[str, str]) -> bool:
        """Read what is left if it is little, so that the client gets to read its answer.

        A client that waits for `100 Continue` is left waiting: the answer itself tells it not
        to send. Returns whether the connection may be used again.
        """
        if self.ended:
            return True
        if not self.started and "100-continue" in headers.get("expect", "").lower():
            return False
        length = headers.get("content-length", "")
        if length == "0" or (not length and "transfer-encoding" not in headers):
            return True
        if length.isdecimal() and int(length) > DRAIN_BYTES:
            return False
        left = DRAIN_BYTES
        with contextlib.suppress(IncompleteBody, RequestTimeout, TimeoutError):
            async with asyncio.timeout(DRAIN_SECONDS):
                while left > 0:
                    chunk = await self.chunk()
                    if chunk is None:
                        return True
                    left -= len(chunk)
        return False
