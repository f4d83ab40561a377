"""Background loops: their end is told."""

import asyncio
import logging
from datetime import timedelta
from pathlib import Path

from vexobj_server.jobs.loops import Loop, running
from vexobj_storage import open_metadata
from vexobj_storage.metadata.sqlite import SqliteMetaStore


class Listening(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.heard: asyncio.Future[logging.LogRecord] = asyncio.get_running_loop().create_future()

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.set_result(record)


async def test_a_loop_may_begin_earlier_than_its_interval(tmp_path: Path) -> None:
    metadata = await open_metadata(tmp_path)
    ran = asyncio.Event()

    async def work() -> None:
        ran.set()

    loop = Loop("work", timedelta(days=1), work, first=timedelta(0))
    async with running(metadata, once=(), everywhere=(loop,)), asyncio.timeout(30):
        await ran.wait()
    await metadata.close()


async def test_loops_that_end_with_an_error_are_told(tmp_path: Path) -> None:
    metadata = SqliteMetaStore(tmp_path)  # without its schema nobody can ask for the lease
    log, listening = logging.getLogger("vexobj_server.jobs.loops"), Listening()
    log.addHandler(listening)
    try:
        async with running(metadata, once=(), everywhere=()), asyncio.timeout(60):
            record = await listening.heard
    finally:
        log.removeHandler(listening)
        await metadata.close()
    assert record.exc_info is not None
    assert "no such table" in str(record.exc_info[1])
