"""One answer over ASGI: ready bytes, a whole file, or a stream. Knows no S3.

Source: ASGI specification, "HTTP & WebSocket" and "Path Send" extension.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path

from vexobj_s3compat.asgi import RawHeaders, Receive, Scope, Send
from vexobj_s3compat.content import Payload

_FILE_CHUNK_BYTES = 256 * 1024


class IncompletePayload(Exception):
    """A stream had fewer or more bytes than announced: the connection must not end cleanly."""


@dataclass(slots=True)
class Response:
    """An answer before it is sent. `length` is announced; None where there is no body at all."""

    status: int
    headers: RawHeaders = field(default_factory=list)
    payload: Payload = b""
    length: int | None = None


def full(status: int, body: bytes, headers: RawHeaders) -> Response:
    """An answer whose body is at hand."""
    return Response(status, headers, body, len(body))


async def respond(
    scope: Scope,
    receive: Receive,
    send: Send,
    status: int,
    headers: Sequence[tuple[bytes, bytes]],
    payload: Payload = b"",
    length: int | None = None,
) -> None:
    """Send one whole answer; on HEAD everything but the payload.

    `length` goes out as Content-Length (None: there is no body, as with 204 and 304) and a
    stream is held to it. A stream stops, and its iterator is closed, when the client leaves;
    `receive` must therefore be free for this call. When a stream fails after the answer began,
    the error leaves this function so that the server cuts the connection; the last chunk is
    only sent after the iterator ended well.

    Raises:
        IncompletePayload
    """
    begun = list(headers)
    if length is not None:
        begun.append((b"content-length", b"%d" % length))
    await send({"type": "http.response.start", "status": status, "headers": begun})
    if scope["method"] == "HEAD" or not length:
        await _discard(payload)
        await send({"type": "http.response.body", "body": b""})
    elif isinstance(payload, bytes):
        await send({"type": "http.response.body", "body": payload})
    elif isinstance(payload, Path):
        if "http.response.pathsend" in (scope.get("extensions") or ()):
            await send({"type": "http.response.pathsend", "path": str(payload)})
        else:
            await _stream(receive, send, _read_file(payload), length)
    else:
        await _stream(receive, send, payload, length)


async def _stream(receive: Receive, send: Send, chunks: AsyncIterator[bytes], length: int) -> None:
    gone = asyncio.ensure_future(_disconnect(receive))
    held = b""
    sent = 0
    try:
        async for chunk in chunks:
            if held:
                await send({"type": "http.response.body", "body": held, "more_body": True})
                sent += len(held)
                # A server may not suspend in send(), and the watcher has to run.
                await asyncio.sleep(0)
                if gone.done():
                    return
            held = chunk
            if sent + len(held) > length:
                break
        if sent + len(held) != length:
            raise IncompletePayload(f"{sent + len(held)} of {length} bytes")
        await send({"type": "http.response.body", "body": held})
    finally:
        gone.cancel()
        await _discard(chunks)


async def _disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _discard(payload: Payload) -> None:
    close = getattr(payload, "aclose", None)
    if close is not None:
        await close()


async def _read_file(path: Path) -> AsyncIterator[bytes]:
    file = await asyncio.to_thread(path.open, "rb")
    with _closing(file):
        while chunk := await asyncio.to_thread(file.read, _FILE_CHUNK_BYTES):
            yield chunk


@contextlib.contextmanager
def _closing(file: BufferedReader) -> Iterator[None]:
    try:
        yield
    finally:
        file.close()
