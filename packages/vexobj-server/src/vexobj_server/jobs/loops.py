"""Background loops: what is done now and then, in one process of all, until the server stops."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

_log = logging.getLogger(__name__)


class Leader(Protocol):
    async def is_leader(self) -> bool: ...

    async def resign(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Loop:
    """`work` runs every `interval`, the first time after one. `everywhere`: in each process."""

    name: str
    interval: timedelta
    work: Callable[[], Awaitable[object]]
    everywhere: bool = False


@contextlib.asynccontextmanager
async def running(loops: Sequence[Loop], leader: Leader) -> AsyncIterator[None]:
    """The loops run while the context is open; work under way is cancelled at its end."""
    tasks = [asyncio.create_task(_run(loop, leader), name=loop.name) for loop in loops]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        with contextlib.suppress(Exception):
            await leader.resign()


async def _run(loop: Loop, leader: Leader) -> None:
    """A failure is told and does not end the loop."""
    while True:
        await asyncio.sleep(loop.interval.total_seconds())
        try:
            if loop.everywhere or await leader.is_leader():
                await loop.work()
        except Exception:  # noqa: BLE001 -- whatever it is, the next time may do better
            _log.exception("%s failed", loop.name)
