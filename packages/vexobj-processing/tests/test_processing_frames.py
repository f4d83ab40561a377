"""Frames: any cut of the stream gives the same messages, and files arrive with theirs."""

import asyncio
import os
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vexobj_processing.frames import (
    BlockingFrames,
    FrameConnection,
    FrameDecoder,
    FrameError,
    Message,
    encode_frame,
)


@given(
    st.lists(st.dictionaries(st.text(max_size=9), st.integers() | st.text(max_size=9))),
    st.integers(1, 50),
)
def test_the_cut_of_the_stream_does_not_matter(messages: list[Message], step: int) -> None:
    stream = b"".join(encode_frame(message) for message in messages)
    decoder = FrameDecoder()
    received = [
        message
        for start in range(0, len(stream), step)
        for message, _ in decoder.feed(stream[start : start + step], ())
    ]
    assert received == messages


@pytest.mark.parametrize("data", [b"\xff" * 9, encode_frame({}, [0])])
def test_what_is_no_frame_is_refused(data: bytes) -> None:
    with pytest.raises(FrameError):
        list(FrameDecoder().feed(data, ()))


async def test_files_travel_with_their_messages(tmp_path: Path) -> None:
    ours, theirs = socket.socketpair()
    received: asyncio.Queue[tuple[Message, list[int]]] = asyncio.Queue()
    ended = asyncio.Event()
    connection = FrameConnection(ours, lambda *frame: received.put_nowait(frame), ended.set)
    with theirs:
        peer = BlockingFrames(theirs)
        for number in range(20):
            path = tmp_path / str(number)
            path.write_text(str(number))
            fd = os.open(path, os.O_RDONLY)
            peer.send({"n": number}, [fd] if number % 3 else [])
            os.close(fd)
        for number in range(20):
            message, fds = await received.get()
            assert message == {"n": number}
            assert [os.pread(fd, 9, 0) for fd in fds] == [str(number).encode()] * bool(number % 3)
            for fd in fds:
                os.close(fd)
    await ended.wait()
    assert not connection.is_open


async def test_more_than_the_socket_holds_is_sent_in_the_end() -> None:
    ours, theirs = socket.socketpair()
    connection = FrameConnection(ours, lambda *_: None, lambda: None)
    with theirs:
        for number in range(200):
            connection.send({"n": number, "pad": "x" * 10_000})
        peer = BlockingFrames(theirs)
        got = [(await asyncio.to_thread(peer.receive))[0]["n"] for _ in range(200)]
    assert got == list(range(200))
    connection.close()


async def test_closing_closes_what_was_not_sent() -> None:
    ours, theirs = socket.socketpair()
    connection = FrameConnection(ours, lambda *_: None, lambda: None)
    read, write = os.pipe()
    while connection._outgoing == type(connection._outgoing)():
        connection.send({"pad": "x" * 60_000})
    connection.send({}, [write])
    connection.close()
    assert os.read(read, 1) == b""
    connection.send({}, [read])
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(read)
    theirs.close()
