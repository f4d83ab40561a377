"""The broker process: `python -m vexobj_server.media.broker`, started by the supervisor.

It reads its configuration from standard input, accepts on the socket that it inherited, and holds
no state that a restart would lose. It ends when standard input does: signals that reach the whole
group, as a terminal's Ctrl-C and systemd's SIGTERM do, are blocked by who starts it, because the
workers still need it for the requests that they finish.
"""

import asyncio
import logging
import os
import socket
import sys
from collections.abc import Callable

from vexobj_cache import CacheInUse, DiskCache
from vexobj_processing import ProcessingError
from vexobj_processing.frames import FrameConnection
from vexobj_processing.lifeline import die_with_parent
from vexobj_server.media.config import BrokerConfig
from vexobj_server.media.errors import MediaBusy
from vexobj_server.media.protocol import (
    HELLO,
    MediaFile,
    Message,
    failure_answer,
    read_variant_question,
    rendering_answer,
    stats_answer,
)
from vexobj_server.media.renderer import Renderer
from vexobj_server.media.room import give_way
from vexobj_server.media.variantcache import VariantCache, own_directory
from vexobj_server.observability.page import MetricsPage
from vexobj_server.observability.variants import BrokerMetrics

_log = logging.getLogger("vexobj.media")


def main() -> None:
    parent_pid, fd = (int(argument) for argument in sys.argv[1:])
    die_with_parent(parent_pid)
    logging.basicConfig(format="%(levelname)s %(name)s %(message)s")
    config = BrokerConfig.from_json(sys.stdin.readline())
    asyncio.run(serve(config, socket.socket(fileno=fd)))


async def serve(config: BrokerConfig, listener: socket.socket) -> None:
    """Until standard input ends: its other end is the supervisor's, alive or not."""
    listener.setblocking(False)
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    loop.add_reader(sys.stdin.fileno(), stopped.set)
    disk = _open_cache(config)
    kept = VariantCache(disk, config.cache_key) if disk else None
    page = MetricsPage(config.metrics_dir, "broker") if config.metrics_dir else None
    renderer = Renderer(config, kept, BrokerMetrics(page) if page else None)
    renderer.tell()
    tasks = [asyncio.create_task(_accept(renderer, listener))]
    if disk and config.cache_dir:
        tasks.append(asyncio.create_task(give_way(disk, config.cache_dir)))
    try:
        await stopped.wait()
    finally:
        loop.remove_reader(sys.stdin.fileno())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await renderer.close()
        if disk:
            disk.close()
        if page:
            page.close()


def _open_cache(config: BrokerConfig) -> DiskCache | None:
    """Variants can always be computed anew, so a cache that cannot be had is done without."""
    if config.cache_dir is None:
        return None
    try:
        return DiskCache(own_directory(config.cache_dir, config.cache_key), config.cache_bytes)
    except (CacheInUse, OSError) as error:
        _log.warning("no variants are kept on disk: %s", error)
        return None


async def _accept(renderer: Renderer, listener: socket.socket) -> None:
    sessions: set[_Session] = set()
    try:
        while True:
            sock, _ = await asyncio.get_running_loop().sock_accept(listener)
            session = _Session(renderer, sock, sessions.discard)
            sessions.add(session)
    finally:
        for session in tuple(sessions):
            session.close()


class _Session:
    """One worker's connection; its questions end with it."""

    def __init__(
        self, renderer: Renderer, sock: socket.socket, ended: Callable[["_Session"], None]
    ) -> None:
        self._renderer = renderer
        self._ended = ended
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._frames = FrameConnection(sock, self._received, self._closed)
        self._frames.send(HELLO)

    def close(self) -> None:
        self._frames.close()

    def _received(self, message: Message, fds: list[int]) -> None:
        number: int = message["id"]
        if "cancel" in message:
            if number in self._tasks:
                self._tasks[number].cancel()
        elif "stats" in message:
            self._frames.send({"id": number, **stats_answer(self._renderer.stats())})
        else:
            source = MediaFile(fds[0], 0, os.fstat(fds[0]).st_size)
            task = asyncio.create_task(self._answer(number, message, source))
            self._tasks[number] = task
            task.add_done_callback(lambda _: self._tasks.pop(number, None))

    async def _answer(self, number: int, message: Message, source: MediaFile) -> None:
        try:
            key, transform, preference = read_variant_question(message)
            rendering = await self._renderer.render(key, source, transform, preference)
        except (ProcessingError, MediaBusy) as error:
            self._frames.send({"id": number, **failure_answer(error)})
        except Exception:  # noqa: BLE001 - whatever it was, the worker must not wait for it
            _log.exception("a rendering failed")
            self._frames.send({"id": number, **failure_answer(MediaBusy())})
        else:
            answer = {"id": number, **rendering_answer(rendering)}
            self._frames.send(answer, [rendering.file.duplicate()])
        finally:
            source.close()

    def _closed(self) -> None:
        for task in tuple(self._tasks.values()):
            task.cancel()
        self._ended(self)


if __name__ == "__main__":
    main()
