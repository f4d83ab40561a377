"""What scrub read and found: counted, and looked up."""

from collections.abc import Iterator
from datetime import UTC, datetime

from vexobj_server.observability import families
from vexobj_server.observability.lookups import Sample
from vexobj_server.observability.page import MetricsPage
from vexobj_storage import Damage, ScrubState, ScrubStep


class ScrubMetrics:
    """Counts of one worker."""

    def __init__(self, page: MetricsPage) -> None:
        self._blobs = page.count(families.SCRUBBED_BLOBS)
        self._bytes = page.count(families.SCRUBBED_BYTES)

    def stepped(self, step: ScrubStep) -> None:
        self._blobs.inc(step.blobs)
        self._bytes.inc(step.bytes)


def scrub_samples(state: ScrubState) -> Iterator[Sample]:
    """No age while there was no whole pass."""
    for damage in Damage:
        labels = (("damage", damage.name.lower()),)
        yield Sample(families.SCRUB_FINDINGS, state.findings.get(damage, 0), labels)
    halted = state.current is not None and state.current.halted is not None
    yield Sample(families.SCRUB_HALTED, int(halted))
    if state.completed is not None and state.completed.ended_at is not None:
        age = datetime.now(UTC) - state.completed.ended_at
        yield Sample(families.SCRUB_AGE, age.total_seconds())
