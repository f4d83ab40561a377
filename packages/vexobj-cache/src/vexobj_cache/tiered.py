"""A fast small cache in front of a slow large one."""

from vexobj_cache.base import Cache, CacheEntry, CacheStats


class TieredCache:
    """Cache that asks `upper` first and lifts what `lower` has into it.

    `stats` counts requests as the user sees them; the tiers count their own. Its `bytes` and
    `entries` stay 0.
    """

    def __init__(self, upper: Cache, lower: Cache) -> None:
        self.stats = CacheStats()
        self._upper = upper
        self._lower = lower

    def get_now(self, key: str) -> CacheEntry | None:
        entry = self._upper.get_now(key)
        if entry is not None:
            self.stats.hits += 1
        return entry

    async def get(self, key: str) -> CacheEntry | None:
        entry = await self._upper.get(key)
        if entry is None:
            entry = self._lower.get_now(key) or await self._lower.get(key)
            if entry is None:
                self.stats.misses += 1
                return None
            await self._upper.put(key, entry)
        self.stats.hits += 1
        return entry

    async def put(self, key: str, entry: CacheEntry) -> bool:
        """True if either tier keeps it."""
        below = await self._lower.put(key, entry)
        above = await self._upper.put(key, entry)
        return above or below

    async def delete(self, key: str) -> bool:
        below = await self._lower.delete(key)
        above = await self._upper.delete(key)
        return above or below
