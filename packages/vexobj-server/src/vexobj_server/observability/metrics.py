"""What a request costs and carries, counted.

`RequestMetrics` is bound once per worker and costs about a microsecond a request.
"""

from vexobj_server.observability import families
from vexobj_server.observability.page import Count, MetricsPage

_METHODS = ("GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS", "PATCH")
_CLASSES = ("1xx", "2xx", "3xx", "4xx", "5xx")


class RequestMetrics:
    """Counts of one worker; called on its event loop alone."""

    def __init__(self, page: MetricsPage) -> None:
        self._page = page
        self._requests = page.count(families.REQUESTS)
        self._methods = {
            name: page.count(families.REQUESTS_BY_METHOD, {"method": name}) for name in _METHODS
        }
        self._other_method = page.count(families.REQUESTS_BY_METHOD, {"method": "other"})
        self._classes = [
            page.count(families.REQUESTS_BY_STATUS, {"status": name}) for name in _CLASSES
        ]
        self._duration = page.histogram(families.REQUEST_DURATION)
        self._in_progress = page.count(families.REQUESTS_IN_PROGRESS)
        self._uploaded = page.count(families.OBJECTS_UPLOADED)
        self._downloaded = page.count(families.OBJECTS_DOWNLOADED)
        self._bytes_in = page.count(families.BYTES_UPLOADED)
        self._bytes_out = page.count(families.BYTES_DOWNLOADED)
        self._operations: dict[tuple[str, int], Count] = {}

    def began(self) -> None:
        self._in_progress.inc()

    def ended(self) -> None:
        """Pairs with `began`, when the answer's last byte is on its way."""
        self._in_progress.inc(-1)

    def answered(self, method: str, status: int, seconds: float) -> None:
        """Once a request, `seconds` from its head to the answer's head."""
        self._requests.inc()
        self._methods.get(method, self._other_method).inc()
        self._classes[status // 100 - 1 if 100 <= status < 600 else 4].inc()
        self._duration.observe(seconds)

    def s3_operation(self, operation: str, status: int) -> None:
        """`operation` is S3's name of it, from the closed set that the router knows."""
        key = (operation, status)
        count = self._operations.get(key)
        if count is None:
            labels = {"operation": operation, "code": str(status)}
            count = self._operations[key] = self._page.count(families.S3_OPERATIONS, labels)
        count.inc()

    def received(self, size: int) -> None:
        """`size` bytes of an object, or of a part of one, were stored."""
        self._bytes_in.inc(size)

    def uploaded(self) -> None:
        """An object was made of what was received."""
        self._uploaded.inc()

    def downloaded(self, size: int) -> None:
        """`size` bytes of one object were sent; told when they were, not before."""
        self._downloaded.inc()
        self._bytes_out.inc(size)
