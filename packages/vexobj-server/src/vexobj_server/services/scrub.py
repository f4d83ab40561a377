"""Scrub as a server does it: when it is due or asked for, at its pace, counted."""

import time
from dataclasses import dataclass, field
from datetime import timedelta

from vexobj_server.observability.scrub import ScrubMetrics
from vexobj_storage import ObjectStore, Throttle

_TRACE_REST = 19.0
"""Tracing reads all versions: while more and more is found, it takes a twentieth of the time."""


@dataclass(slots=True)
class Scrub:
    """For one process of all. `interval` zero: only when it is asked for."""

    store: ObjectStore
    metrics: ScrubMetrics
    interval: timedelta
    throttle: Throttle
    _trace_at: float = field(default=0.0, init=False)

    async def run(self) -> None:
        """The pass that is due, or was asked for, to its end."""
        if self.interval and await self.store.scrub_is_due(self.interval):
            await self.store.start_scrub()
        while (step := await self.store.scrub_some(self.throttle)) is not None:
            self.metrics.stepped(step)

    async def mend(self) -> None:
        """Find whose the findings are, and heal those that can be."""
        began = time.monotonic()
        if began >= self._trace_at and await self.store.trace_findings():
            ended = time.monotonic()
            self._trace_at = ended + (ended - began) * _TRACE_REST
        await self.store.heal_findings(self.throttle)
