"""What variants cost, counted: by each worker for its memory, by the broker for everything else."""

from vexobj_server.observability import families
from vexobj_server.observability.families import Family
from vexobj_server.observability.page import Count, MetricsPage


class CacheMetrics:
    """Counts of one worker: its own tier in memory, and its look-ups on the broker's disk."""

    def __init__(self, page: MetricsPage) -> None:
        self._found = {
            (tier, hit): page.count(
                families.CACHE_REQUESTS, {"tier": tier, "result": "hit" if hit else "miss"}
            )
            for tier in ("memory", "disk")
            for hit in (True, False)
        }
        self._joined = page.count(families.VARIANTS_JOINED)
        memory = {"tier": "memory"}
        self._evictions = page.count(families.CACHE_EVICTIONS, memory)
        self._bytes = page.count(families.CACHE_BYTES, memory)
        self._entries = page.count(families.CACHE_ENTRIES, memory)

    def looked_up(self, tier: str, *, hit: bool) -> None:
        """`tier` is `memory` or `disk`."""
        self._found[tier, hit].inc()

    def stand(self, *, size: int, entries: int, evictions: int, joined: int) -> None:
        """What the memory holds, and how often what happened since the worker began."""
        self._bytes.set(size)
        self._entries.set(entries)
        self._evictions.set(evictions)
        self._joined.set(joined)


_DISK = {"tier": "disk"}
_BROKER: dict[str, tuple[Family, dict[str, str]]] = {
    "computations": (families.VARIANTS_COMPUTED, {}),
    "joined": (families.VARIANTS_JOINED, {}),
    "rejections": (families.VARIANTS_FAILED, {"reason": "busy"}),
    "timeouts": (families.VARIANTS_FAILED, {"reason": "timeout"}),
    "failures": (families.VARIANTS_FAILED, {"reason": "failure"}),
    "children_started": (families.MEDIA_CHILDREN, {}),
    "queue_length": (families.MEDIA_QUEUE, {}),
    "running": (families.MEDIA_RUNNING, {}),
    "cache_bytes": (families.CACHE_BYTES, _DISK),
    "cache_entries": (families.CACHE_ENTRIES, _DISK),
    "cache_evictions": (families.CACHE_EVICTIONS, _DISK),
}


class BrokerMetrics:
    """Counts of one broker. They outlive it: the next one's are added to them."""

    def __init__(self, page: MetricsPage) -> None:
        self._counts: dict[str, Count] = {
            name: page.count(family, labels) for name, (family, labels) in _BROKER.items()
        }
        self._duration = page.histogram(families.VARIANT_DURATION)

    def stand(self, **totals: int) -> None:
        """What its counters are at; the names are those of BrokerStats."""
        for name, value in totals.items():
            self._counts[name].set(value)

    def computed(self, seconds: float) -> None:
        self._duration.observe(seconds)
