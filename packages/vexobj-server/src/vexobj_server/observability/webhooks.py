"""What was sent to webhooks, counted."""

from vexobj_server.observability import families
from vexobj_server.observability.page import MetricsPage


class WebhookMetrics:
    """Counts of one worker."""

    def __init__(self, page: MetricsPage) -> None:
        self._attempts = {
            name: page.count(families.WEBHOOK_ATTEMPTS, {"outcome": name})
            for name in ("delivered", "failed", "dead")
        }
        self._refused = page.count(families.WEBHOOK_REFUSED)
        self._dropped = page.count(families.WEBHOOK_DROPPED)

    def attempted(self, outcome: str) -> None:
        self._attempts[outcome].inc()

    def refused(self, deliveries: int) -> None:
        self._refused.inc(deliveries)

    def dropped(self, deliveries: int) -> None:
        self._dropped.inc(deliveries)
