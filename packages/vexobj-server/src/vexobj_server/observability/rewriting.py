"""What rewriting under another key did, counted."""

from vexobj_server.observability import families
from vexobj_server.observability.page import MetricsPage
from vexobj_storage import RewriteStep


class RewritingMetrics:
    """Counts of one worker."""

    def __init__(self, page: MetricsPage) -> None:
        self._blobs = page.count(families.REWRITTEN_BLOBS)
        self._bytes = page.count(families.REWRITTEN_BYTES)
        self._failures = page.count(families.REWRITE_FAILURES)

    def stepped(self, step: RewriteStep) -> None:
        self._blobs.inc(step.blobs)
        self._bytes.inc(step.bytes)
        self._failures.inc(step.failed)
