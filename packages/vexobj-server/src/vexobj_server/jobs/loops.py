"""Background loops: what is done now and then, in one process of all, until the server stops."""

import asyncio
import contextlib
import logging
import os
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from vexobj_storage import MetaStore
from vexobj_storage.metadata.leases import Lease, run_leased

_LEASE = "upkeep"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Loop:
    """`work` runs every `interval`, the first time after one, or after `first` if that is less."""

    name: str
    interval: timedelta
    work: Callable[[], Awaitable[object]]
    first: timedelta = timedelta.max


@contextlib.asynccontextmanager
async def running(
    metadata: MetaStore, *, once: Sequence[Loop], everywhere: Sequence[Loop]
) -> AsyncIterator[None]:
    """`everywhere` runs in this process, `once` in whichever process holds the lease.

    They run while the context is open; work under way is cancelled at its end.
    """

    async def lead(_lease: Lease) -> None:
        await _run_all(once)

    holder = f"{os.uname().nodename}-{os.getpid()}-{secrets.token_hex(4)}"
    tasks = [
        asyncio.create_task(run_leased(metadata, _LEASE, holder, lead), name=_LEASE),
        asyncio.create_task(_run_all(everywhere), name="everywhere"),
    ]
    for task in tasks:
        task.add_done_callback(_tell_failure)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _tell_failure(task: asyncio.Task[None]) -> None:
    """Without these loops a server goes on serving: only the log tells that they are gone."""
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.error("the background loops %r ended", task.get_name(), exc_info=error)


async def _run_all(loops: Sequence[Loop]) -> None:
    async with asyncio.TaskGroup() as group:
        for loop in loops:
            group.create_task(_run(loop), name=loop.name)


async def _run(loop: Loop) -> None:
    """A failure is told and does not end the loop."""
    pause = min(loop.first, loop.interval)
    while True:
        await asyncio.sleep(pause.total_seconds())
        pause = loop.interval
        try:
            await loop.work()
        except Exception:  # noqa: BLE001 - whatever it is, the next time may do better
            _log.exception("%s failed", loop.name)
