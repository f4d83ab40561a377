"""kill -9 at random moments: what was acknowledged is there, what was not is not half there."""

import asyncio
import random
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from support.crash_workload import Ledger, check, run_clients
from support.endpoint import Endpoint
from support.site import Site, endpoint_of
from support.tools import missing
from vexobj_server.testing import RunningServer
from vexobj_storage.testing_postgres import PostgresServer, postgres_binaries

BUCKET = "crash"
EAGER_GC = {"VEXOBJ_STORAGE_GC_GRACE": "2s", "VEXOBJ_STORAGE_GC_INTERVAL": "1s"}
OPERATIONS_PER_KILL = 20
"""Fewer acknowledged ones, and the test has not tested."""


async def work_until(
    doomed: tuple[PostgresServer | None, RunningServer | None],
    endpoint: Endpoint,
    ledger: Ledger,
    seed: int,
) -> None:
    """Sixteen clients write; after a moment the doomed die, which ends all of them."""
    postgres, server = doomed

    def disaster() -> None:
        if postgres is not None:
            postgres.stop()
        if server is not None:
            server.kill()

    timer = threading.Timer(random.Random(seed).uniform(0.2, 2.0), disaster)
    timer.start()
    try:
        await run_clients(endpoint, BUCKET, ledger, seed=seed, may_fail=postgres is not None)
    finally:
        timer.join()


async def rounds(site: Site, count: int, seed: int, postgres: PostgresServer | None = None) -> int:
    """Kill and check `count` times on one data directory; how much was acknowledged in all.

    Where `postgres` is given, it crashes too: alone, or an instant before VexObj.
    """
    ledger, choice = Ledger(), random.Random(seed)
    server = site.start()
    try:
        endpoint_of(server).boto3().create_bucket(Bucket=BUCKET)
        for number in range(count):
            crashes = choice.choice((True, False)) and postgres is not None
            killed = not crashes or choice.choice((True, False))

            doomed = (postgres if crashes else None, server if killed else None)
            await work_until(doomed, endpoint_of(server), ledger, seed + number)
            if postgres is not None and crashes:
                postgres.start()
            if killed:
                server = site.start()
            await check(endpoint_of(server), BUCKET, ledger)
            if postgres is None:  # whose driver tells at length that its server is gone
                assert "Traceback" not in server.log
    finally:
        server.kill()
    await site.no_orphans()
    return ledger.operations


@pytest.fixture
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Site, int]]:
    """Metadata in SQLite, or in a PostgreSQL server that outlives VexObj; and how many rounds."""
    engine, durability, count = request.param
    with ExitStack() as stack:
        url = None
        if engine == "postgresql":
            postgres = stack.enter_context(PostgresServer(_postgres()))
            url = postgres.url(postgres.create_database())
        settings = {**EAGER_GC, "VEXOBJ_STORAGE_DURABILITY": durability}
        yield Site(tmp_path / "data", url, settings), count


def _postgres() -> Path:
    return postgres_binaries() or missing("PostgreSQL")


def _kill(site: Site, count: int, postgres: PostgresServer | None = None) -> None:
    seed = random.randrange(2**31)
    operations = asyncio.run(rounds(site, count, seed, postgres))
    print(f"{count} kills from seed {seed}, {operations} acknowledged operations, nothing lost")
    assert operations > OPERATIONS_PER_KILL * count


def _rounds(*cases: tuple[str, str, int]) -> pytest.MarkDecorator:
    """Each an engine, its durability, and how often it is killed."""
    ids = [f"{engine}-{durability}" for engine, durability, _ in cases]
    return pytest.mark.parametrize("site", cases, indirect=True, ids=ids)


@pytest.mark.timeout(600)
@_rounds(("sqlite", "strict", 20), ("postgresql", "strict", 5), ("sqlite", "relaxed", 3))
def test_kills(site: tuple[Site, int]) -> None:
    _kill(*site)


@pytest.mark.torture
@_rounds(
    ("sqlite", "strict", 300), ("postgresql", "strict", 100),
    ("sqlite", "relaxed", 100), ("postgresql", "relaxed", 100),
)  # fmt: skip
def test_many_kills(site: tuple[Site, int]) -> None:
    _kill(*site)


@pytest.mark.torture
def test_many_kills_of_vexobj_and_postgresql(tmp_path: Path) -> None:
    """PostgreSQL ends as in `pg_ctl stop -m immediate`, and recovers from its log."""
    with PostgresServer(_postgres(), durable=True) as postgres:
        url = postgres.url(postgres.create_database())
        _kill(Site(tmp_path / "data", url, EAGER_GC), 100, postgres)
