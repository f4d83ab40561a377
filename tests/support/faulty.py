"""A proxy before an HTTP server that misbehaves as a test tells it to, request by request."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Refuse:
    """Take the request, answer with an S3 error, pass nothing on."""

    status: int
    code: str


@dataclass(frozen=True)
class CutRequest:
    """Pass on so many bytes of the body, then drop both connections."""

    after: int


@dataclass(frozen=True)
class CutAnswer:
    """Bring back so many bytes of the answer's body, then drop the connection; 0 loses it all."""

    after: int


@dataclass(frozen=True)
class Stall:
    """Take the request, and say nothing until the client leaves."""


Fault = Refuse | CutRequest | CutAnswer | Stall


@dataclass
class Faulty:
    """`plan` is asked at each request's head; `requests` are `METHOD target`, as they came."""

    url: str
    plan: Callable[[str, str], Fault | None] = lambda _method, _target: None
    requests: list[str] = field(default_factory=list)

    def first(self, count: int, fault: Fault, method: str, having: str = "") -> None:
        """The first `count` requests of `method` whose target has `having` meet `fault`."""
        left = count

        def plan(asked: str, target: str) -> Fault | None:
            nonlocal left
            if asked != method or having not in target or not left:
                return None
            left -= 1
            return fault

        self.plan = plan


@contextlib.asynccontextmanager
async def faulty_proxy(url: str) -> AsyncIterator[Faulty]:
    """On a free port of 127.0.0.1; each request has a connection of its own to the server."""
    open_writers: set[asyncio.StreamWriter] = set()
    tasks: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        open_writers.add(writer)
        try:
            await _serve(proxy, url, reader, writer, open_writers)
        except (OSError, asyncio.IncompleteReadError):
            pass  # the client or the server left, which is what is tested
        finally:
            writer.transport.abort()
            open_writers.discard(writer)
            tasks.discard(task)

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    proxy = Faulty(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    try:
        yield proxy
    finally:
        server.close()
        while tasks:
            for writer in open_writers:
                writer.transport.abort()
            await asyncio.gather(*tasks)
        await server.wait_closed()


async def _serve(
    proxy: Faulty,
    url: str,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    open_writers: set[asyncio.StreamWriter],
) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    method, target = head.decode("latin-1").split(" ", 2)[:2]
    length = _content_length(head)
    proxy.requests.append(f"{method} {target}")
    fault = proxy.plan(method, target)
    if isinstance(fault, Refuse | Stall):
        await reader.readexactly(length)
        if isinstance(fault, Stall):
            await reader.read()
            return
        writer.write(_error(fault))
        await writer.drain()
        writer.write_eof()
        await reader.read()
        return
    parts = urlsplit(url)
    answer, upstream = await asyncio.open_connection(parts.hostname, parts.port)
    open_writers.add(upstream)
    try:
        upstream.write(head[:-2] + b"Connection: close\r\n\r\n")
        await _relay(reader, upstream, min(length, _after(fault, CutRequest, length)))
        if isinstance(fault, CutRequest):
            return
        head = await answer.readuntil(b"\r\n\r\n")
        if fault == CutAnswer(0):
            await answer.read()
            return
        writer.write(head)
        await _relay(answer, writer, _after(fault, CutAnswer, -1))
        if fault is None:
            writer.write_eof()
            await reader.read()
    finally:
        upstream.transport.abort()
        open_writers.discard(upstream)


def _after(fault: Fault | None, kind: type[CutRequest | CutAnswer], otherwise: int) -> int:
    return fault.after if isinstance(fault, kind) else otherwise


async def _relay(source: asyncio.StreamReader, target: asyncio.StreamWriter, count: int) -> None:
    """So many bytes; all there are when `count` is negative."""
    while count:
        chunk = await source.read(65536 if count < 0 else min(count, 65536))
        if not chunk:
            break
        count -= len(chunk) if count > 0 else 0
        target.write(chunk)
        await target.drain()


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


def _error(fault: Refuse) -> bytes:
    body = f"<Error><Code>{fault.code}</Code><Message>as planned</Message></Error>".encode()
    head = (
        f"HTTP/1.1 {fault.status} Planned\r\nContent-Type: application/xml\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body
