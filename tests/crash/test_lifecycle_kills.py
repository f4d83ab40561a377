"""kill -9 in the midst of lifecycle sweeps: what is to go goes in the end, and nothing else."""

import asyncio
import random
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from support.metrics import wait_until
from support.site import Site
from support.tools import missing
from vexobj_server.testing import RunningServer
from vexobj_storage import LifecycleRule, ObjectAttributes, ObjectStore, Versioning
from vexobj_storage.testing.helpers import make_bucket
from vexobj_storage.testing_postgres import PostgresServer, postgres_binaries

_SHORT_DAYS = {"VEXOBJ_LIFECYCLE_DAY_SECONDS": "1"}
_GOING = [b"tmp/%04d" % number for number in range(1500)]
_STAYING = [b"kept/%02d" % number for number in range(40)]


async def _fill(store: ObjectStore) -> None:
    """What goes passes through all that a rule does: hidden, removed, its marker removed."""
    bucket = await make_bucket(store, Versioning.ENABLED)
    for at in range(0, len(_GOING), 250):
        await asyncio.gather(*(_put(store, key) for key in [*_GOING[at : at + 250], *_STAYING]))
    rule = LifecycleRule("", datetime.now(UTC), prefix="tmp/", expire_days=1, noncurrent_days=1)
    await store.add_lifecycle_rule(bucket.name, rule)


async def _put(store: ObjectStore, key: bytes) -> None:
    bucket = await store.bucket("bucket")
    await store.put_object(bucket, key, store.stage_bytes(key), ObjectAttributes())


async def _versions(store: ObjectStore, prefix: bytes) -> Sequence[bytes]:
    page = await store.list_versions(await store.bucket("bucket"), prefix=prefix)
    return [each.key for each in page.versions]


async def _beside(site: Site, prefix: bytes) -> Sequence[bytes]:
    store = await site.open()
    try:
        return await _versions(store, prefix)
    finally:
        await store.close()


def _run(server: RunningServer) -> None:
    headers = {"authorization": f"Bearer {server.secret_access_key}"}
    httpx.post(f"{server.url}/v1/admin/lifecycle/run", headers=headers, timeout=60)


def _kill_within(site: Site, choice: random.Random) -> bool:
    """Whether the server died before it had answered."""
    server = site.start()
    timer = threading.Timer(choice.uniform(0.01, 0.5), server.kill)
    timer.start()
    try:
        _run(server)
    except httpx.TransportError:
        return True
    finally:
        timer.join()
    return False


def _kills(site: Site, count: int) -> None:
    seed = random.randrange(2**31)

    async def begin() -> None:
        store = await site.open()
        await _fill(store)
        await store.close()

    asyncio.run(begin())
    staying = asyncio.run(_beside(site, b"kept/"))
    choice = random.Random(seed)
    midst = sum(_kill_within(site, choice) for _ in range(count))
    server = site.start()

    def gone() -> bool:
        _run(server)
        return not asyncio.run(_beside(site, b"tmp/"))

    try:
        wait_until(gone)
        assert "Traceback" not in server.log
    finally:
        server.kill()
    assert asyncio.run(_beside(site, b"kept/")) == staying
    asyncio.run(site.no_orphans())
    print(f"{count} kills from seed {seed}, {midst} of them in the midst of a sweep, nothing lost")


@pytest.mark.timeout(300)
@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_kills_in_sweeps(tmp_path: Path, engine: str) -> None:
    _on(engine, tmp_path, 4)


@pytest.mark.torture
@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_many_kills_in_sweeps(tmp_path: Path, engine: str) -> None:
    for number in range(15):
        _on(engine, tmp_path / str(number), 5)


def _on(engine: str, folder: Path, count: int) -> None:
    if engine == "sqlite":
        _kills(Site(folder / "data", None, _SHORT_DAYS), count)
        return
    with PostgresServer(postgres_binaries() or missing("PostgreSQL")) as postgres:
        url = postgres.url(postgres.create_database())
        _kills(Site(folder / "data", url, _SHORT_DAYS), count)
