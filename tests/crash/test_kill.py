"""kill -9 at random moments: what was acknowledged is there, what was not is not half there."""

import asyncio
import random
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from support.crash_workload import Ledger, check, run_clients
from support.endpoint import Endpoint
from vexobj_server.testing import RunningServer, start_server
from vexobj_storage import ObjectStore, StoreConfig
from vexobj_storage.testing import invariants

BUCKET = "crash"
ZERO = timedelta(0)


def of(server: RunningServer) -> Endpoint:
    return Endpoint(server.url, server.access_key_id, server.secret_access_key)


async def work_until_killed(server: RunningServer, ledger: Ledger, seed: int) -> None:
    delay = random.Random(seed).uniform(0.2, 1.5)
    killer = threading.Timer(delay, server.kill)
    killer.start()
    try:
        await run_clients(of(server), BUCKET, ledger, seed=seed)
    finally:
        killer.join()


async def no_orphans(data_dir: Path) -> None:
    """After a collection without grace, what is on disk is exactly what the metadata names."""
    store = await ObjectStore.open(StoreConfig(data_dir=data_dir, gc_grace=ZERO))
    try:
        while (report := await store.collect_garbage()).removed or report.condemned:
            pass
        await store.sweep_orphans(ZERO)
        assert not await invariants(store)
    finally:
        await store.close()


async def rounds(data_dir: Path, count: int, seed: int) -> int:
    """Kill and check `count` times on one data directory; how much was acknowledged in all."""
    ledger = Ledger()
    environment = {"VEXOBJ_STORAGE_GC_GRACE": "2s", "VEXOBJ_STORAGE_GC_INTERVAL": "1s"}

    def start() -> RunningServer:
        return start_server(data_dir, workers=2, environment=environment)

    server = start()
    try:
        of(server).boto3().create_bucket(Bucket=BUCKET)
        for number in range(count):
            await work_until_killed(server, ledger, seed + number)
            server = start()
            await check(of(server), BUCKET, ledger)
            assert "Traceback" not in server.log
    finally:
        server.kill()
    await no_orphans(data_dir)
    return ledger.operations


@pytest.mark.timeout(600)
def test_twenty_kills(tmp_path: Path) -> None:
    operations = asyncio.run(rounds(tmp_path / "data", 20, seed=random.randrange(2**31)))
    assert operations > 1000
    print(f"20 kills, {operations} acknowledged operations, nothing lost")


@pytest.mark.torture
def test_three_hundred_kills(tmp_path: Path) -> None:
    operations = asyncio.run(rounds(tmp_path / "data", 300, seed=random.randrange(2**31)))
    print(f"300 kills, {operations} acknowledged operations, nothing lost")
