"""The media broker's own counters as samples; it is asked for them when `/metrics` is."""

from collections.abc import Iterator, Mapping

from vexobj_server.observability import families
from vexobj_server.observability.exposition import Sample
from vexobj_server.observability.families import Family
from vexobj_server.observability.page import Labels

_DISK = (("tier", "disk"),)

_SERIES: Mapping[str, tuple[Family, Labels]] = {
    "computations": (families.VARIANTS_COMPUTED, ()),
    "joined": (families.VARIANTS_JOINED, ()),
    "hits": (families.CACHE_REQUESTS, (*_DISK, ("result", "hit"))),
    "misses": (families.CACHE_REQUESTS, (*_DISK, ("result", "miss"))),
    "rejections": (families.VARIANTS_FAILED, (("reason", "busy"),)),
    "timeouts": (families.VARIANTS_FAILED, (("reason", "timeout"),)),
    "failures": (families.VARIANTS_FAILED, (("reason", "failure"),)),
    "children_started": (families.MEDIA_CHILDREN, ()),
    "queue_length": (families.MEDIA_QUEUE, ()),
    "running": (families.MEDIA_RUNNING, ()),
    "cache_bytes": (families.CACHE_BYTES, _DISK),
    "cache_entries": (families.CACHE_ENTRIES, _DISK),
}


def media_samples(stats: Mapping[str, int]) -> Iterator[Sample]:
    """`stats` is `dataclasses.asdict` of the broker's; empty when it cannot be reached."""
    for name, value in stats.items():
        family, labels = _SERIES[name]
        yield Sample(family, value, labels)
