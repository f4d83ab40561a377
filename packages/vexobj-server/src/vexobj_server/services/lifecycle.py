"""What a server lets expire: on schedule at an easy pace, on demand at once; counted and logged."""

import logging
from dataclasses import dataclass
from datetime import timedelta

from vexobj_server.observability.lifecycle import LifecycleMetrics
from vexobj_storage import LifecycleReport, ObjectStore

_REST = 3.0
"""A scheduled sweep rests so long for each second of work: it shares the store with clients."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """`day` is how long a day of the rules is; what clients are told does not depend on it."""

    store: ObjectStore
    metrics: LifecycleMetrics
    day: timedelta
    stale_upload_age: timedelta

    async def on_demand(self) -> LifecycleReport:
        """All that is due, from the first bucket on."""
        return self._counted(await self.store.sweep_lifecycle(day=self.day))

    async def scheduled(self) -> LifecycleReport:
        """As `on_demand`, resting in between, and from where a former one was cut off."""
        return self._counted(
            await self.store.sweep_lifecycle(day=self.day, rest=_REST, resume=True)
        )

    async def abort_stale_uploads(self) -> None:
        if self.stale_upload_age:
            self.metrics.aborted_stale(await self.store.abort_stale_uploads(self.stale_upload_age))

    async def watch_clock(self) -> None:
        """For every process: it learns that the clock was accepted elsewhere."""
        await self.store.clock_guard.watch()

    async def record_clock(self) -> None:
        """For one process of all: what later ones measure the clock by."""
        state = await self.store.clock_guard.record()
        self.metrics.clock(held=state.held)
        if state.held:
            _log.error(
                "the clock says %s, which is later than it can be (%s): nothing expires until it"
                " comes back or `vexobjctl clock accept` says that it is right",
                state.wall_at.isoformat(timespec="seconds"),
                state.believed_at.isoformat(timespec="seconds"),
            )

    def _counted(self, report: LifecycleReport) -> LifecycleReport:
        self.metrics.swept(report)
        return report
