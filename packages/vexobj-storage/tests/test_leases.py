"""Leases exclude, expire, and fence off who held them before."""

import asyncio
import os
from pathlib import Path

import pytest

from vexobj_storage.errors import LeaseLost
from vexobj_storage.metadata import leases
from vexobj_storage.metadata.connections import SqliteFiles, open_lock, write_lock
from vexobj_storage.metadata.engine import open_metadata
from vexobj_storage.metadata.leases import Lease, run_leased
from vexobj_storage.metadata.tx import MetaStore


class Clock:
    def __init__(self) -> None:
        self.now_us = 1_000_000

    def __call__(self) -> int:
        return self.now_us


async def take(metadata: MetaStore, holder: str, now_us: int) -> Lease | None:
    return await metadata.write(leases.acquire, "gc", holder, now_us=now_us, seconds=10)


async def test_one_holder_until_it_expires(metadata: MetaStore) -> None:
    first = await take(metadata, "a", 0)
    assert first == Lease("gc", "a", 1)
    assert await take(metadata, "b", 9_999_999) is None
    second = await take(metadata, "b", 10_000_000)
    assert second == Lease("gc", "b", 2)
    assert not await metadata.write(leases.renew, first, now_us=10_000_000, seconds=10)
    with pytest.raises(LeaseLost):
        await metadata.write(leases.check, first)
    await metadata.write(leases.check, second)


async def test_renewing_prolongs_and_releasing_frees(metadata: MetaStore) -> None:
    lease = await take(metadata, "a", 0)
    assert lease is not None
    assert await metadata.write(leases.renew, lease, now_us=9_000_000, seconds=10)
    assert await take(metadata, "b", 18_000_000) is None
    await metadata.write(leases.release, lease)
    assert await take(metadata, "b", 18_000_000) == Lease("gc", "b", 2)
    await metadata.write(leases.release, lease)
    assert await take(metadata, "c", 18_000_000) is None


async def test_of_many_one_gets_it(metadata: MetaStore) -> None:
    taken = await asyncio.gather(*(take(metadata, str(i), 0) for i in range(20)))
    assert sum(lease is not None for lease in taken) == 1


async def test_work_runs_under_one_lease_at_a_time(metadata: MetaStore) -> None:
    running, ran = 0, []

    async def work(lease: Lease) -> None:
        nonlocal running
        running += 1
        assert running == 1
        await metadata.write(leases.check, lease)
        ran.append(lease.token)
        running -= 1

    await asyncio.gather(
        *(run_leased(metadata, "gc", str(i), work, seconds=1.5, clock=Clock()) for i in range(4))
    )
    assert sorted(ran) == ran == [1, 2, 3, 4]


async def test_work_is_cancelled_when_its_lease_is_lost(metadata: MetaStore) -> None:
    clock, started, tokens = Clock(), asyncio.Event(), []

    async def work(lease: Lease) -> None:
        tokens.append(lease.token)
        started.set()
        if len(tokens) == 1:
            await asyncio.Event().wait()

    running = asyncio.create_task(run_leased(metadata, "gc", "a", work, seconds=1.5, clock=clock))
    await started.wait()
    thief = await metadata.write(
        leases.acquire, "gc", "thief", now_us=clock() + 10_000_000, seconds=0
    )
    assert thief is not None
    clock.now_us += 20_000_000
    await running
    assert tokens == [1, 3]


async def test_a_dead_holder_is_outlived_although_the_clock_was_set_back(
    metadata: MetaStore,
) -> None:
    assert await take(metadata, "dead", now_us=10**15) is not None
    tokens = []

    async def work(lease: Lease) -> None:
        tokens.append(lease.token)

    await run_leased(metadata, "gc", "b", work, seconds=0.06, clock=Clock())
    assert tokens == [2]


async def test_a_living_holder_whose_clock_is_ahead_keeps_its_lease(metadata: MetaStore) -> None:
    ahead, leading, renewed = Clock(), asyncio.Event(), asyncio.Event()
    ahead.now_us += 10**15
    order: list[str] = []

    def count_renewals() -> int:
        ahead.now_us += 1
        if ahead.now_us == 10**15 + 1_000_007:
            renewed.set()
        return ahead()

    async def lead(_: Lease) -> None:
        leading.set()
        await renewed.wait()
        order.append("ahead")

    async def follow(_: Lease) -> None:
        order.append("behind")

    first = asyncio.create_task(
        run_leased(metadata, "gc", "a", lead, seconds=2.4, clock=count_renewals)
    )
    await leading.wait()
    await run_leased(metadata, "gc", "b", follow, seconds=2.4, clock=Clock())
    await first
    assert order == ["ahead", "behind"]


async def test_what_the_work_raises_comes_out_and_frees_the_lease(metadata: MetaStore) -> None:
    async def work(_: Lease) -> None:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        await run_leased(metadata, "gc", "a", work, clock=Clock())
    assert await take(metadata, "b", 1_000_000) == Lease("gc", "b", 2)


async def test_work_ends_with_its_lease_though_renewing_is_not_answered(tmp_path: Path) -> None:
    metadata = await open_metadata(tmp_path)
    started, ended = asyncio.Event(), asyncio.Event()

    async def work(_: Lease) -> None:
        if started.is_set():
            return
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    running = asyncio.create_task(run_leased(metadata, "gc", "a", work, seconds=0.3))
    await started.wait()
    lock = open_lock(SqliteFiles(tmp_path))
    with write_lock(lock):
        async with asyncio.timeout(30):
            await ended.wait()
    os.close(lock)
    await running
    await metadata.close()
