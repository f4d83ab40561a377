"""A byte-bounded memory and disk cache with single-flight."""

from vexobj_cache.base import Cache, CacheEntry, CacheStats
from vexobj_cache.disk import CacheInUse, DiskCache
from vexobj_cache.diskreader import DiskCacheReader, OpenEntry
from vexobj_cache.memory import MemoryCache
from vexobj_cache.singleflight import ComputationCancelled, SingleFlight
from vexobj_cache.tiered import TieredCache
from vexobj_cache.tree import wipe

__all__ = [
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
]
