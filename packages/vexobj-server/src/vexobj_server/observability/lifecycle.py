"""What went by itself, counted; and whether the clock is believed."""

from vexobj_server.observability import families
from vexobj_server.observability.page import MetricsPage
from vexobj_storage import LifecycleReport


class LifecycleMetrics:
    """Counts of one worker."""

    def __init__(self, page: MetricsPage) -> None:
        self._runs = page.count(families.LIFECYCLE_RUNS)
        self._bytes = page.count(families.LIFECYCLE_BYTES)
        self._actions = {
            name: page.count(families.LIFECYCLE_ACTIONS, {"action": name})
            for name in ("expire", "remove_version", "remove_marker", "abort_upload", "locked")
        }
        self._stale = page.count(families.STALE_UPLOADS)
        self._held = page.count(families.CLOCK_HELD)

    def swept(self, report: LifecycleReport) -> None:
        """After a run; one that the clock held up is none."""
        if report.held:
            return
        self._runs.inc()
        self._bytes.inc(report.bytes)
        for name, count in {
            "expire": report.expired,
            "remove_version": report.versions_removed,
            "remove_marker": report.markers_removed,
            "abort_upload": report.uploads_aborted,
            "locked": report.locked,
        }.items():
            self._actions[name].inc(count)

    def aborted_stale(self, uploads: int) -> None:
        self._stale.inc(uploads)

    def clock(self, *, held: bool) -> None:
        self._held.set(int(held))
