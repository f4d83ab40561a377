"""Minutes of mixed traffic: every body right, no answer of 500 or above, nothing that grows."""

import asyncio
import random
import statistics
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.load_workload import run_clients
from support.processes import open_descriptors, resident_bytes
from support.site import Site, endpoint_of

BUCKET = "load"
CLIENTS = 64
WARM_UP_SECONDS = 120
SECONDS = 420
SAMPLE_SECONDS = 1
MEMORY_LIMIT = 64 * 1024**2
"""How much more all server processes may hold in the last minute than in the warm-up's last."""
DESCRIPTOR_LIMIT = 64
OPERATIONS = 5_000
"""Fewer, and the test has not tested."""


@dataclass(frozen=True)
class Sample:
    memory: int
    descriptors: int


async def watch(pid: int, samples: list[Sample]) -> None:
    while True:
        found = await asyncio.to_thread(lambda: Sample(resident_bytes(pid), open_descriptors(pid)))
        samples.append(found)
        await asyncio.sleep(SAMPLE_SECONDS)


def level(samples: list[Sample]) -> Sample:
    """The median of a minute, which a single large request does not move."""
    return Sample(
        int(statistics.median(sample.memory for sample in samples)),
        int(statistics.median(sample.descriptors for sample in samples)),
    )


@pytest.mark.torture
async def test_minutes_of_mixed_traffic(tmp_path: Path) -> None:
    seed = random.randrange(2**31)
    site = Site(
        tmp_path / "data",
        settings={"VEXOBJ_STORAGE_GC_GRACE": "30s", "VEXOBJ_STORAGE_GC_INTERVAL": "10s"},
    )
    server = site.start()
    try:
        endpoint_of(server).boto3().create_bucket(Bucket=BUCKET)
        samples: list[Sample] = []
        watching = asyncio.create_task(watch(server.pid, samples))
        done: Counter[str] = await run_clients(
            endpoint_of(server), BUCKET, seed=seed, count=CLIENTS, seconds=SECONDS
        )
        watching.cancel()
        minute = len(samples) * 60 // SECONDS
        warm = len(samples) * WARM_UP_SECONDS // SECONDS
        before, after = level(samples[warm - minute : warm]), level(samples[-minute:])
        assert server.stop() == 0
        assert "Traceback" not in server.log
    finally:
        server.kill()
    await site.no_orphans()
    print(
        f"{SECONDS} s, {CLIENTS} clients, seed {seed}: {done.total()} operations, {dict(done)}; "
        f"{before.memory / 1e6:.0f} MB and {before.descriptors} descriptors after {WARM_UP_SECONDS}"
        f" s, {after.memory / 1e6:.0f} MB and {after.descriptors} at the end"
    )
    assert done.total() > OPERATIONS
    assert after.memory - before.memory < MEMORY_LIMIT
    assert after.descriptors - before.descriptors < DESCRIPTOR_LIMIT
