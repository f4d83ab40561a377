"""Sending answers: what the client gets when streams fail, and when it leaves."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from vexobj_s3compat import IncompletePayload, respond
from vexobj_s3compat.asgi import Message


class Wire:
    """The server's side of one ASGI exchange."""

    def __init__(self, *, extensions: dict[str, Any] | None = None) -> None:
        self.sent: list[Message] = []
        self.left = asyncio.Event()
        self.closed = False
        self.extensions = extensions or {}

    def scope(self, method: str = "GET") -> dict[str, Any]:
        return {"type": "http", "method": method, "extensions": self.extensions}

    async def receive(self) -> Message:
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        self.sent.append(message)

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent)

    @property
    def ended(self) -> bool:
        return not self.sent[-1].get("more_body", False)

    async def chunks(self, *chunks: bytes, error: Exception | None = None) -> AsyncIterator[bytes]:
        try:
            for chunk in chunks:
                yield chunk
            if error is not None:
                raise error
        finally:
            self.closed = True


async def test_bytes_are_one_message() -> None:
    wire = Wire()
    await respond(wire.scope(), wire.receive, wire.send, 200, [(b"a", b"b")], b"body", 4)
    assert wire.sent == [
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [(b"a", b"b"), (b"content-length", b"4")],
        },
        {"type": "http.response.body", "body": b"body"},
    ]


async def test_head_opens_nothing_and_closes_the_stream() -> None:
    wire = Wire()
    stream = wire.chunks(b"x")
    await respond(wire.scope("HEAD"), wire.receive, wire.send, 200, [], stream, 1)
    assert wire.body == b""
    assert (b"content-length", b"1") in wire.sent[0]["headers"]
    with pytest.raises(StopAsyncIteration):
        await anext(stream)


async def test_a_stream_ends_with_its_last_chunk() -> None:
    wire = Wire()
    await respond(wire.scope(), wire.receive, wire.send, 200, [], wire.chunks(b"ab", b"c"), 3)
    assert wire.body == b"abc"
    assert wire.ended
    assert wire.closed


@pytest.mark.parametrize(
    ("chunks", "length"), [((b"ab",), 3), ((b"ab", b"cd"), 3), ((), 1), ((b"abcd",), 3)]
)
async def test_a_wrong_length_is_no_clean_end(chunks: tuple[bytes, ...], length: int) -> None:
    wire = Wire()
    with pytest.raises(IncompletePayload):
        await respond(wire.scope(), wire.receive, wire.send, 200, [], wire.chunks(*chunks), length)
    assert wire.closed
    assert len(wire.body) < length


async def test_a_failure_after_the_last_byte_withholds_it() -> None:
    wire = Wire()
    stream = wire.chunks(b"ab", b"c", error=ValueError("bad tag"))
    with pytest.raises(ValueError, match="bad tag"):
        await respond(wire.scope(), wire.receive, wire.send, 200, [], stream, 3)
    assert wire.body == b"ab"
    assert wire.closed


async def test_a_client_that_left_stops_the_stream() -> None:
    wire = Wire()
    produced = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal produced
        while True:
            produced += 1
            if produced == 5:
                wire.left.set()
            yield b"x"

    await respond(wire.scope(), wire.receive, wire.send, 200, [], endless(), 10**9)
    assert produced < 20


@pytest.mark.parametrize("pathsend", [True, False])
async def test_files(tmp_path: Path, *, pathsend: bool) -> None:
    path = tmp_path / "blob"
    path.write_bytes(b"z" * 600_000)
    wire = Wire(extensions={"http.response.pathsend": {}} if pathsend else {})
    await respond(wire.scope(), wire.receive, wire.send, 200, [], path, 600_000)
    if pathsend:
        assert wire.sent[1] == {"type": "http.response.pathsend", "path": str(path)}
    else:
        assert wire.body == path.read_bytes()
