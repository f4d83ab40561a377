"""Small JSON messages with open files beside them, over a Unix stream socket.

A frame is a length, a count of file descriptors, and a JSON object. The descriptors travel as
SCM_RIGHTS with its first byte, so they arrive in order and no later than the frame.
"""

import asyncio
import json
import os
import socket
import struct
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

Message = dict[str, Any]

_HEADER = struct.Struct("!IB")
_MAX_BODY_BYTES = 64 * 1024
_MAX_FDS = 4


class FrameError(Exception):
    """The peer does not speak frames."""


def encode_frame(message: Message, fds: Sequence[int] = ()) -> bytes:
    body = json.dumps(message, separators=(",", ":")).encode()
    return _HEADER.pack(len(body), len(fds)) + body


class FrameDecoder:
    """Bytes and descriptors in, whole frames out. Does no I/O."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._fds: deque[int] = deque()

    def feed(self, data: bytes, fds: Sequence[int]) -> Iterator[tuple[Message, list[int]]]:
        """Raises: FrameError."""
        self._bytes += data
        self._fds += fds
        while len(self._bytes) >= _HEADER.size:
            length, count = _HEADER.unpack_from(self._bytes)
            if length > _MAX_BODY_BYTES or count > _MAX_FDS:
                raise FrameError(f"a frame of {length} bytes and {count} files")
            end = _HEADER.size + length
            if len(self._bytes) < end:
                return
            if count > len(self._fds):
                raise FrameError("a file that was announced did not arrive")
            message = json.loads(self._bytes[_HEADER.size : end])
            del self._bytes[:end]
            yield message, [self._fds.popleft() for _ in range(count)]

    def close(self) -> None:
        """Close the descriptors that no frame claimed."""
        while self._fds:
            os.close(self._fds.popleft())


class BlockingFrames:
    """One message at a time, for a process that does nothing else."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._decoder = FrameDecoder()
        self._ready: deque[tuple[Message, list[int]]] = deque()

    def receive(self) -> tuple[Message, list[int]]:
        """Raises: EOFError when the peer is gone."""
        while not self._ready:
            data, fds, _, _ = socket.recv_fds(self._sock, _MAX_BODY_BYTES, _MAX_FDS)
            if not data:
                raise EOFError
            self._ready.extend(self._decoder.feed(data, fds))
        return self._ready.popleft()

    def send(self, message: Message, fds: Sequence[int] = ()) -> None:
        frame = encode_frame(message, fds)
        sent = socket.send_fds(self._sock, [frame], list(fds))
        self._sock.sendall(frame[sent:])


class FrameConnection:
    """Frames both ways on the running event loop.

    `received` owns the descriptors it is given. `closed` is called once, when the peer is gone or
    `close` was called; nothing is received after it.
    """

    def __init__(
        self,
        sock: socket.socket,
        received: Callable[[Message, list[int]], None],
        closed: Callable[[], None],
    ) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._received = received
        self._closed = closed
        self._decoder = FrameDecoder()
        self._outgoing: deque[tuple[bytes, list[int]]] = deque()
        self._loop = asyncio.get_running_loop()
        self._open = True
        self._loop.add_reader(sock, self._readable)

    @property
    def is_open(self) -> bool:
        return self._open

    def send(self, message: Message, fds: Sequence[int] = ()) -> None:
        """Queue a frame; `fds` are taken over and closed once sent. On a closed one, a no-op."""
        if not self._open:
            _close_all(fds)
            return
        self._outgoing.append((encode_frame(message, fds), list(fds)))
        if len(self._outgoing) == 1:
            self._writable()

    def close(self) -> None:
        if not self._open:
            return
        self._open = False
        self._loop.remove_reader(self._sock)
        self._loop.remove_writer(self._sock)
        self._sock.close()
        self._decoder.close()
        for _, fds in self._outgoing:
            _close_all(fds)
        self._outgoing.clear()
        self._closed()

    def _readable(self) -> None:
        try:
            data, fds, _, _ = socket.recv_fds(self._sock, _MAX_BODY_BYTES, _MAX_FDS)
        except BlockingIOError:
            return
        except OSError:
            data, fds = b"", []
        if not data:
            self.close()
            return
        try:
            for message, message_fds in self._decoder.feed(data, fds):
                if self._open:
                    self._received(message, message_fds)
                else:
                    _close_all(message_fds)
        except (FrameError, ValueError):
            self.close()

    def _writable(self) -> None:
        try:
            while self._outgoing:
                frame, fds = self._outgoing[0]
                sent = socket.send_fds(self._sock, [frame], fds)
                _close_all(fds)
                if sent < len(frame):
                    self._outgoing[0] = (frame[sent:], [])
                else:
                    self._outgoing.popleft()
        except BlockingIOError:
            self._loop.add_writer(self._sock, self._writable)
            return
        except OSError:
            self.close()
            return
        self._loop.remove_writer(self._sock)


def _close_all(fds: Sequence[int]) -> None:
    for fd in fds:
        os.close(fd)
