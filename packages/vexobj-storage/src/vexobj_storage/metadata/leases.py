"""Leases: which process runs a background loop, and how a former holder is fenced off.

Time is the callers' clock: two machines may differ by some of a lease's length, in which case
both may believe for a while that they hold it. What must not happen twice therefore calls `check`
in the transaction that does it: the token in the row is the truth. A clock that was set back does
not keep a dead holder's lease alive: who waits takes one that nobody renews while it looks on.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sqlalchemy import BigInteger, bindparam, func, select, update
from sqlmodel import col

from vexobj_storage.errors import LeaseLost, StoreError
from vexobj_storage.metadata.statement import Statement, insert_for
from vexobj_storage.metadata.tables import Leases
from vexobj_storage.metadata.tx import MetaStore, Tx, durable, repeatable

_LOOKS = 4
"""How often in a row, a third of the lease's length apart, an end that is not renewed is seen."""

Clock = Callable[[], int]


@dataclass(frozen=True, slots=True)
class Lease:
    """`token` is higher than that of any earlier lease of this name."""

    name: str
    holder: str
    token: int


def wall_clock() -> int:
    """Microseconds since 1970."""
    return time.time_ns() // 1000


_held = (
    col(Leases.name) == bindparam("lease"),
    col(Leases.holder) == bindparam("who"),
    col(Leases.token) == bindparam("fence"),
)
_TAKE = Statement(
    lambda _: (
        update(Leases)
        .where(
            col(Leases.name) == bindparam("lease"),
            (col(Leases.until_us) <= bindparam("now_us", type_=BigInteger))
            | (col(Leases.until_us) == bindparam("stale_us", type_=BigInteger))
            | (col(Leases.holder) == bindparam("who")),
        )
        .values(holder=bindparam("who"), token=col(Leases.token) + 1, until_us=bindparam("end_us"))
        .returning(col(Leases.token))
    )
)
_MAKE = Statement(
    lambda dialect: (
        insert_for(dialect, Leases)
        .values(
            name=bindparam("lease"), holder=bindparam("who"), token=1, until_us=bindparam("end_us")
        )
        .on_conflict_do_nothing()
        .returning(col(Leases.token))
    )
)
_PROLONG = Statement(lambda _: update(Leases).where(*_held).values(until_us=bindparam("end_us")))
_END = Statement(
    lambda _: select(col(Leases.until_us)).where(col(Leases.name) == bindparam("lease"))
)
_LAST_END = Statement(lambda _: select(func.max(col(Leases.until_us))))
_CHECK = Statement(lambda _: select(col(Leases.token)).where(*_held).with_for_update(read=True))


@durable
@repeatable
async def acquire(
    tx: Tx, name: str, holder: str, *, now_us: int, seconds: float, stale_us: int | None = None
) -> Lease | None:
    """The lease, if it is free, expired or the holder's own already; None while another has it.

    One that ends at `stale_us` counts as expired, whatever the time.
    """
    values = {"lease": name, "who": holder, "now_us": now_us, "end_us": _end(now_us, seconds)}
    row = await tx.one(_TAKE, stale_us=stale_us, **values) or await tx.one(_MAKE, **values)
    return None if row is None else Lease(name, holder, row[0])


async def end_of(tx: Tx, name: str) -> int | None:
    """When the lease ends unless it is renewed, which always changes it."""
    row = await tx.one(_END, lease=name)
    return None if row is None else row[0]


async def last_end(tx: Tx) -> int:
    """When the last of all leases ends; 0 if there never was any."""
    row = await tx.one(_LAST_END)
    return 0 if row is None or row[0] is None else int(row[0])


@repeatable
async def renew(tx: Tx, lease: Lease, *, now_us: int, seconds: float) -> bool:
    """Whether it is held still, and now for `seconds` more. One that expired unnoticed is held."""
    return await tx.run(_PROLONG, end_us=_end(now_us, seconds), **_binds(lease)) == 1


@repeatable
async def release(tx: Tx, lease: Lease) -> None:
    """Let another have it at once; nothing happens when another has it already."""
    await tx.run(_PROLONG, end_us=0, **_binds(lease))


async def check(tx: Tx, lease: Lease) -> None:
    """Nobody takes the lease before this transaction ends. Raises: LeaseLost."""
    if await tx.one(_CHECK, **_binds(lease)) is None:
        raise LeaseLost(lease.name)


async def run_leased(
    metadata: MetaStore,
    name: str,
    holder: str,
    work: Callable[[Lease], Awaitable[None]],
    *,
    seconds: float = 15.0,
    clock: Clock = wall_clock,
) -> None:
    """Wait for the lease, run `work` under it, and give it back.

    `work` is cancelled when the lease is lost or could not be renewed for as long as it lasts;
    then the waiting begins anew. Returns when `work` does; raises what it raises.
    """
    while True:
        lease = await _wait_for(metadata, name, holder, seconds, clock)
        task = asyncio.ensure_future(work(lease))
        try:
            await _keep(metadata, lease, task, seconds, clock)
            if task.done():
                return task.result()
        finally:
            task.cancel()
            await asyncio.wait([task])
            with contextlib.suppress(StoreError):
                await metadata.write(release, lease)


async def _wait_for(
    metadata: MetaStore, name: str, holder: str, seconds: float, clock: Clock
) -> Lease:
    end_us, unchanged = None, 0
    while True:
        with contextlib.suppress(StoreError):
            last_us, end_us = end_us, await metadata.read(end_of, name)
            unchanged = unchanged + 1 if end_us == last_us else 0
            lease = await metadata.write(
                acquire,
                name,
                holder,
                now_us=clock(),
                seconds=seconds,
                stale_us=end_us if unchanged >= _LOOKS else None,
            )
            if lease is not None:
                return lease
        await asyncio.sleep(seconds / 3)


async def _keep(
    metadata: MetaStore,
    lease: Lease,
    task: asyncio.Future[None],
    seconds: float,
    clock: Clock,
) -> None:
    """Renew until `task` is done or the lease is gone."""
    safe_until = time.monotonic() + seconds
    while time.monotonic() < safe_until:
        done, _ = await asyncio.wait([task], timeout=seconds / 3)
        if done:
            return
        asked = time.monotonic()
        with contextlib.suppress(StoreError, TimeoutError):
            async with asyncio.timeout(safe_until - asked):
                if not await metadata.write(renew, lease, now_us=clock(), seconds=seconds):
                    return
            safe_until = asked + seconds


def _binds(lease: Lease) -> dict[str, str | int]:
    return {"lease": lease.name, "who": lease.holder, "fence": lease.token}


def _end(now_us: int, seconds: float) -> int:
    return now_us + int(seconds * 1_000_000)
