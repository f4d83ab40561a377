"""What the S3 service that keeps the blobs was asked, and how often in vain."""

from vexobj_server.observability import families
from vexobj_server.observability.page import Count, MetricsPage


class BlobServiceMetrics:
    """Counts of one worker."""

    def __init__(self, page: MetricsPage) -> None:
        self._page = page
        self._counts: dict[tuple[str, str], Count] = {}

    def attempted(self, operation: str, outcome: str) -> None:
        """Both are of small closed sets."""
        count = self._counts.get((operation, outcome))
        if count is None:
            labels = {"operation": operation, "outcome": outcome}
            count = self._page.count(families.BLOB_SERVICE_REQUESTS, labels)
            self._counts[operation, outcome] = count
        count.inc()
