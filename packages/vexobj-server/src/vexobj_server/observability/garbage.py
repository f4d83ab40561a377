"""What garbage collection did, counted."""

from vexobj_server.observability import families
from vexobj_server.observability.page import MetricsPage


class GarbageMetrics:
    """Counts of one worker."""

    def __init__(self, page: MetricsPage) -> None:
        self._runs = page.count(families.GC_RUNS)
        self._blobs = page.count(families.GC_BLOBS)
        self._bytes = page.count(families.GC_BYTES)

    def collected(self, blobs: int, size: int) -> None:
        """After a run that removed `blobs` of `size` bytes."""
        self._runs.inc()
        self._blobs.inc(blobs)
        self._bytes.inc(size)
