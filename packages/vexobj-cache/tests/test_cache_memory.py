"""The memory cache against a model of what least-recently-used means."""

import tracemalloc

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from vexobj_cache import CacheEntry, MemoryCache

_MAX = 20_000
_KEYS = st.sampled_from([f"key-{number}" for number in range(12)])


class MemoryAgainstModel(RuleBasedStateMachine):
    """The model: a list of (key, entry, size), least recently used first."""

    def __init__(self) -> None:
        super().__init__()
        self.cache = MemoryCache(_MAX, max_entry_bytes=8000)
        self.model: dict[str, tuple[CacheEntry, int]] = {}

    @rule(key=_KEYS, size=st.integers(0, 9000))
    def put(self, key: str, size: int) -> None:
        entry = CacheEntry(bytes(size), {"size": str(size)})
        kept = self.cache.put_now(key, entry)
        self.model.pop(key, None)
        cost = len(key) + size + 4 + len(str(size)) + 600
        assert kept == (cost <= 8000)
        if kept:
            while sum(cost for _, cost in self.model.values()) + cost > _MAX:
                del self.model[next(iter(self.model))]
            self.model[key] = (entry, cost)

    @rule(key=_KEYS)
    def get(self, key: str) -> None:
        known = self.model.pop(key, None)
        if known is not None:
            self.model[key] = known
        assert self.cache.get_now(key) == (known and known[0])

    @rule(key=_KEYS)
    def delete(self, key: str) -> None:
        assert self.cache.delete_now(key) == (self.model.pop(key, None) is not None)

    @invariant()
    def accounts(self) -> None:
        assert self.cache.stats.bytes == sum(cost for _, cost in self.model.values()) <= _MAX
        assert self.cache.stats.entries == len(self.model)


TestMemoryAgainstModel = MemoryAgainstModel.TestCase


def test_an_entry_may_not_push_out_all_others() -> None:
    cache = MemoryCache(80_000)
    assert cache.put_now("small", CacheEntry(b"x"))
    assert not cache.put_now("large", CacheEntry(bytes(10_001)))
    assert cache.stats.rejected == 1
    assert cache.get_now("small") is not None


def test_the_bound_holds_for_real_memory() -> None:
    cache = MemoryCache(2 * 1024**2)
    tracemalloc.start()
    try:
        for number in range(20_000):
            metadata = {"content_type": f"image/{number}", "etag": f"{number:032}"}
            cache.put_now(f"{number:064}", CacheEntry(bytes(100), metadata))
        used, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert cache.stats.evictions
    assert used < 2.2 * 1024**2
