"""What every Cache must do, as functions that take an empty one with room for a few MiB.

@pytest.mark.parametrize("check", CONTRACT, ids=lambda check: check.__name__)
async def test_contract(check, cache):
    await check(cache)
"""

from collections.abc import Awaitable, Callable

from vexobj_cache.base import Cache, CacheEntry

CacheCheck = Callable[[Cache], Awaitable[None]]

_KEYS = ("plain", "", "with/slash", "../up", "sp ace", "\N{SNOWMAN}", "x" * 2000)


async def returns_exactly_what_was_put(cache: Cache) -> None:
    for number, key in enumerate(_KEYS):
        entry = CacheEntry(bytes([number]) * number * 1000, {"type": "image/x", "key": key[:20]})
        assert await cache.put(key, entry)
        assert await cache.get(key) == entry
    for number, key in enumerate(_KEYS):
        found = await cache.get(key)
        assert found is not None
        assert found.data == bytes([number]) * number * 1000
        assert cache.get_now(key) in (None, found)


async def misses_what_was_never_put(cache: Cache) -> None:
    assert await cache.get("nothing") is None
    assert cache.get_now("nothing") is None
    assert await cache.delete("nothing") is False


async def replaces(cache: Cache) -> None:
    await cache.put("key", CacheEntry(b"old" * 1000, {"is": "old"}))
    await cache.put("key", CacheEntry(b"new"))
    assert await cache.get("key") == CacheEntry(b"new")


async def deletes(cache: Cache) -> None:
    await cache.put("key", CacheEntry(b"value"))
    await cache.put("other", CacheEntry(b"other"))
    assert await cache.delete("key") is True
    assert await cache.delete("key") is False
    assert await cache.get("key") is None
    assert await cache.get("other") == CacheEntry(b"other")


async def counts_hits_and_misses(cache: Cache) -> None:
    await cache.put("key", CacheEntry(b"value"))
    await cache.get("key")
    await cache.get("key")
    await cache.get("nothing")
    assert (cache.stats.hits, cache.stats.misses) == (2, 1)


async def a_rejected_entry_replaces_none(cache: Cache) -> None:
    """An entry that cannot be kept must not leave an older one to be found in its place."""
    await cache.put("key", CacheEntry(b"old"))
    assert await cache.put("key", CacheEntry(bytes(64 * 1024**2))) is False
    assert await cache.get("key") is None


CONTRACT: tuple[CacheCheck, ...] = (
    returns_exactly_what_was_put,
    misses_what_was_never_put,
    replaces,
    deletes,
    counts_hits_and_misses,
    a_rejected_entry_replaces_none,
)
