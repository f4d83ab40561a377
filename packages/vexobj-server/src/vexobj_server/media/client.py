"""A worker's line to the broker: many questions at once over one connection."""

import asyncio
import itertools
import os
import socket
from collections.abc import Sequence
from pathlib import Path

from vexobj_processing import Preference, Transform
from vexobj_processing.frames import FrameConnection
from vexobj_server.media.errors import MediaBusy, MediaDeadline, MediaUnavailable
from vexobj_server.media.protocol import (
    BrokerStats,
    Message,
    Rendering,
    read_rendering,
    variant_question,
)

_HELLO_SECONDS = 2.0
_Answer = tuple[Message, list[int]]


class MediaClient:
    """For one event loop. It connects when first asked, and again when the broker was lost.

    At most `max_in_flight` questions wait at once; each for at most `deadline_seconds`.
    """

    def __init__(
        self, socket_path: Path, *, deadline_seconds: float = 30.0, max_in_flight: int = 256
    ) -> None:
        self._socket_path = socket_path
        self._deadline_seconds = deadline_seconds
        self._max_in_flight = max_in_flight
        self._connecting = asyncio.Lock()
        self._line: _Line | None = None

    async def render(
        self, key: str, source_fd: int, transform: Transform, preference: Preference
    ) -> Rendering:
        """The variant named `key` of the file behind `source_fd`, which stays the caller's.

        Raises:
            ProcessingError: as ImagePool.transform.
            MediaBusy: too much is waiting, here or at the broker.
            MediaUnavailable: the broker is not there, or died over it.
            MediaDeadline: no answer in time.
        """
        line = await self._connected()
        number = line.next_number()
        question = variant_question(number, key, transform, preference)
        return read_rendering(*await self._ask(line, question, os.dup(source_fd)))

    async def stats(self) -> BrokerStats:
        """Raises: MediaUnavailable."""
        line = await self._connected()
        message, _ = await self._ask(line, {"id": line.next_number(), "stats": True})
        return BrokerStats(**message["stats"])

    async def close(self) -> None:
        if self._line:
            self._line.close()
            self._line = None

    async def _ask(self, line: "_Line", question: Message, *fds: int) -> _Answer:
        if line.waiting >= self._max_in_flight:
            for fd in fds:
                os.close(fd)
            raise MediaBusy
        try:
            async with asyncio.timeout(self._deadline_seconds):
                return await line.ask(question, *fds)
        except TimeoutError:
            raise MediaDeadline from None

    async def _connected(self) -> "_Line":
        if self._line and self._line.is_open:
            return self._line
        async with self._connecting:
            if not (self._line and self._line.is_open):
                self._line = await self._connect()
            return self._line

    async def _connect(self) -> "_Line":
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(sock, str(self._socket_path))
        except OSError as error:
            sock.close()
            raise MediaUnavailable from error
        except asyncio.CancelledError:
            sock.close()
            raise
        line = _Line(sock)
        try:
            async with asyncio.timeout(_HELLO_SECONDS):
                await line.greeted()
        except BaseException as error:
            line.close()
            if isinstance(error, TimeoutError):
                raise MediaUnavailable from error
            raise
        return line


class _Line:
    """One connection and who waits on it."""

    def __init__(self, sock: socket.socket) -> None:
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[_Answer]] = {}
        self._hello: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._frames = FrameConnection(sock, self._received, self._closed)

    @property
    def is_open(self) -> bool:
        return self._frames.is_open

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def next_number(self) -> int:
        return next(self._numbers)

    async def greeted(self) -> None:
        await self._hello

    async def ask(self, question: Message, *fds: int) -> _Answer:
        if not self._frames.is_open:
            _close_all(fds)
            raise MediaUnavailable
        number = question["id"]
        answer: asyncio.Future[_Answer] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            self._frames.send(question, fds)
            return await answer
        except asyncio.CancelledError:
            if answer.done() and not answer.cancelled() and not answer.exception():
                _close_all(answer.result()[1])
            self._frames.send({"id": number, "cancel": True})
            raise
        finally:
            self._waiting.pop(number, None)

    def close(self) -> None:
        self._frames.close()

    def _received(self, message: Message, fds: list[int]) -> None:
        if "hello" in message:
            if not self._hello.done():
                self._hello.set_result(None)
            return
        answer = self._waiting.get(message["id"])
        if answer and not answer.done():
            answer.set_result((message, fds))
        else:
            _close_all(fds)

    def _closed(self) -> None:
        if not self._hello.done():
            self._hello.set_exception(MediaUnavailable())
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(MediaUnavailable())


def _close_all(fds: Sequence[int]) -> None:
    for fd in fds:
        os.close(fd)
