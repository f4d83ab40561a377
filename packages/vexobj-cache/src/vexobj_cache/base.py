"""What a cache is: bytes under string keys, kept while there is room and never owed to anyone."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class CacheEntry:
    """A cached value. `metadata` is small: a content type, an ETag."""

    data: bytes
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class CacheStats:
    """Counters since the cache was made; `bytes` and `entries` are what it holds now.

    `rejected` counts entries too large to keep; `failures` what a device refused or had spoilt.
    """

    hits: int = 0
    misses: int = 0
    evictions: int = 0
    rejected: int = 0
    failures: int = 0
    bytes: int = 0
    entries: int = 0


class Cache(Protocol):
    """An entry may vanish at any time; one that is returned is exactly as it was put.

    No method raises on account of the medium: what cannot be read is a miss.
    """

    @property
    def stats(self) -> CacheStats: ...

    def get_now(self, key: str) -> CacheEntry | None:
        """The entry if it can be had without waiting; None says nothing about `get`.

        Counts a hit, never a miss.
        """
        ...

    async def get(self, key: str) -> CacheEntry | None: ...

    async def put(self, key: str, entry: CacheEntry) -> bool:
        """Keep it, in place of what was there; False if it is not kept."""
        ...

    async def delete(self, key: str) -> bool:
        """False if it was not there."""
        ...
