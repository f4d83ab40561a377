"""What many clients do at once to the same things, through a server with two workers."""

import random
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pytest

from support.arena import Arena
from support.feature_races import DOWNLOAD_RACES, FEATURE_RACES, SEALED_RACES
from support.races import RACES, Race
from support.site import Site, endpoint_of
from support.tools import missing
from vexobj_storage.testing import invariants
from vexobj_storage.testing_postgres import PostgresServer, postgres_binaries

BUCKET = "arena"
AT_REST = {"VEXOBJ_STORAGE_GC_GRACE": "10ms", "VEXOBJ_STORAGE_GC_INTERVAL": "1h"}
"""Garbage is collected when a race says so, and what is condemned goes almost at once."""
GRACE = {"VEXOBJ_STORAGE_GC_GRACE": "5s", "VEXOBJ_STORAGE_GC_INTERVAL": "1h"}
"""For races in which what is being read goes."""

SEALED = {**GRACE, "VEXOBJ_SSE_ENABLED": "true", "VEXOBJ_SSE_MASTER_KEY": "5e" * 32}


async def run(site: Site, races: Iterable[Race], rounds: int, seed: int) -> None:
    """Again and again; after each race the rows agree with each other and with the blobs."""
    server = site.start()
    try:
        store = await site.open()
        try:
            async with Arena(endpoint_of(server), BUCKET, seed, store) as arena:
                await arena.request("PUT")
                for race in races:
                    for _ in range(rounds):
                        await race(arena)
                        await arena.collect()
                        await invariants(store)
        finally:
            await store.close()
        assert server.stop() == 0
        assert "Traceback" not in server.log
    finally:
        server.kill()
    await site.no_orphans()


@pytest.fixture(params=["sqlite", "postgresql"])
def metadata_url(request: pytest.FixtureRequest) -> Iterator[str | None]:
    if request.param == "sqlite":
        yield None
        return
    with PostgresServer(postgres_binaries() or missing("PostgreSQL")) as postgres:
        yield postgres.url(postgres.create_database())


KINDS = pytest.mark.parametrize(
    ("races", "settings"),
    [((*RACES, *FEATURE_RACES), AT_REST), (DOWNLOAD_RACES, GRACE), (SEALED_RACES, SEALED)],
    ids=["plain", "read", "sealed"],
)
EACH = pytest.mark.parametrize(
    ("race", "settings"),
    [
        *(pytest.param(race, AT_REST, id=race.__name__) for race in (*RACES, *FEATURE_RACES)),
        *(pytest.param(race, GRACE, id=race.__name__) for race in DOWNLOAD_RACES),
        *(pytest.param(race, SEALED, id=f"sealed-{race.__name__}") for race in SEALED_RACES),
    ],
)


@KINDS
async def test_races(
    tmp_path: Path, metadata_url: str | None, races: Iterable[Race], settings: Mapping[str, str]
) -> None:
    site = Site(tmp_path / "data", metadata_url, settings)
    await run(site, races, 5, random.randrange(2**31))


@pytest.mark.torture
@EACH
async def test_many_races(
    tmp_path: Path, metadata_url: str | None, race: Race, settings: Mapping[str, str]
) -> None:
    seed = random.randrange(2**31)
    await run(Site(tmp_path / "data", metadata_url, settings), [race], 300, seed)
    print(f"300 rounds from seed {seed}, nothing lost")
