"""Every cache there is keeps the contract, and the package shows what it says it shows."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import vexobj_cache
from vexobj_cache import Cache, DiskCache, MemoryCache, TieredCache
from vexobj_cache.testing import CONTRACT, CacheCheck

_MAX = 4 * 1024**2


@pytest.fixture(params=["memory", "disk", "tiered", "tiered on little memory"])
def cache(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Cache]:
    memory = MemoryCache(5000 if "little" in request.param else _MAX)
    if request.param == "memory":
        yield memory
        return
    disk = DiskCache(tmp_path / "cache", _MAX)
    yield disk if request.param == "disk" else TieredCache(memory, disk)
    disk.close()


@pytest.mark.parametrize("check", CONTRACT, ids=lambda check: check.__name__)
async def test_contract(check: CacheCheck, cache: Cache) -> None:
    await check(cache)


def test_public_names() -> None:
    assert vexobj_cache.__all__ == sorted(vexobj_cache.__all__)
    assert set(vexobj_cache.__all__) == {
        "Cache",
        "CacheEntry",
        "CacheInUse",
        "CacheStats",
        "ComputationCancelled",
        "DiskCache",
        "DiskCacheReader",
        "MemoryCache",
        "OpenEntry",
        "SingleFlight",
        "TieredCache",
        "wipe",
    }
    assert all(hasattr(vexobj_cache, name) for name in vexobj_cache.__all__)
