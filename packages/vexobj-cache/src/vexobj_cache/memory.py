"""A least-recently-used cache in memory, bounded by bytes."""

from collections import OrderedDict

from vexobj_cache.base import CacheEntry, CacheStats

_OVERHEAD = 600
"""Bytes of objects and table slots around an entry with small metadata, measured on 64 bits."""


class MemoryCache:
    """Cache for one event loop or thread; every operation is O(1).

    Keys, metadata and the objects around them count towards `max_bytes` too. An entry of more
    than `max_entry_bytes` (an eighth of `max_bytes` if not given) is not kept, so that one cannot
    push out all others.
    """

    def __init__(self, max_bytes: int, *, max_entry_bytes: int | None = None) -> None:
        self.stats = CacheStats()
        self._max_bytes = max_bytes
        limit = max_bytes // 8 if max_entry_bytes is None else max_entry_bytes
        self._max_entry_bytes = min(limit, max_bytes)
        self._entries: OrderedDict[str, tuple[CacheEntry, int]] = OrderedDict()

    def get_now(self, key: str) -> CacheEntry | None:
        found = self._entries.get(key)
        if found is None:
            return None
        self._entries.move_to_end(key)
        self.stats.hits += 1
        return found[0]

    async def get(self, key: str) -> CacheEntry | None:
        entry = self.get_now(key)
        if entry is None:
            self.stats.misses += 1
        return entry

    async def put(self, key: str, entry: CacheEntry) -> bool:
        return self.put_now(key, entry)

    def put_now(self, key: str, entry: CacheEntry) -> bool:
        """As `put`, without a coroutine."""
        self.delete_now(key)
        size = _size(key, entry)
        if size > self._max_entry_bytes:
            self.stats.rejected += 1
            return False
        while self.stats.bytes + size > self._max_bytes:
            _, (_, evicted) = self._entries.popitem(last=False)
            self._forget(evicted)
            self.stats.evictions += 1
        self._entries[key] = (entry, size)
        self.stats.bytes += size
        self.stats.entries += 1
        return True

    async def delete(self, key: str) -> bool:
        return self.delete_now(key)

    def delete_now(self, key: str) -> bool:
        """As `delete`, without a coroutine."""
        found = self._entries.pop(key, None)
        if found is None:
            return False
        self._forget(found[1])
        return True

    def _forget(self, size: int) -> None:
        self.stats.bytes -= size
        self.stats.entries -= 1


def _size(key: str, entry: CacheEntry) -> int:
    metadata = sum(len(name) + len(value) for name, value in entry.metadata.items())
    return len(key) + len(entry.data) + metadata + _OVERHEAD
