"""How far the wall clock can be believed: held against one that only counts, and a mark on disk.

What a wrong clock would undo for ever (expiry, the end of a retention) is decided by the time
that is told here. A clock that runs behind makes such things late, which does no harm; one that
jumps ahead is not followed until it comes back, or somebody says that it is right.

Nobody can tell how long a machine was off. After a boot a clock is believed that is at most
`DOWNTIME` ahead of the mark; within one boot, at most `TOLERANCE` ahead of what has passed.
"""

import contextlib
import time
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from vexobj_storage.metadata.ops import facts
from vexobj_storage.metadata.rows import to_datetime, to_us
from vexobj_storage.metadata.tx import MetaStore, Tx, durable
from vexobj_storage.types import Clock, ClockState

TOLERANCE = timedelta(minutes=10)
DOWNTIME = timedelta(days=7)

_FACT = "clock"
_MICROSECOND = timedelta(microseconds=1)
_TOLERANCE_US = TOLERANCE // _MICROSECOND
_DOWNTIME_US = DOWNTIME // _MICROSECOND
_ANY_US = 2**62
_PLAUSIBLE_US = to_us(datetime(2026, 1, 1, tzinfo=UTC))
"""Before this a clock has not been set since the machine was switched on."""


@dataclass(frozen=True, slots=True)
class Ticks:
    """`elapsed_us` counts whatever the wall clock does, from the start of `boot` on."""

    boot: str
    elapsed_us: int


@dataclass(frozen=True, slots=True)
class Mark:
    """A believed moment, and where the ticks stood then; what is kept across restarts.

    `held` says that the wall clock was not believed at the time, `accepted` how often somebody
    declared it right.
    """

    wall_us: int
    boot: str
    elapsed_us: int
    held: bool = False
    accepted: int = 0


@dataclass(frozen=True, slots=True)
class Anchor:
    """What a process measures by: the time at `mark`, and how far ahead of it is believed."""

    mark: Mark
    allowance_us: int

    def expected_us(self, ticks: Ticks) -> int:
        return self.mark.wall_us + max(0, ticks.elapsed_us - self.mark.elapsed_us)

    def believes(self, wall_us: int, ticks: Ticks) -> bool:
        return wall_us <= self.expected_us(ticks) + self.allowance_us


def anchor(mark: Mark | None, wall_us: int, ticks: Ticks) -> Anchor:
    """By what a process that begins now measures."""
    if mark is None:
        return Anchor(Mark(wall_us, ticks.boot, ticks.elapsed_us), _ANY_US)
    if mark.boot == ticks.boot:
        return Anchor(mark, _TOLERANCE_US)
    here = replace(mark, boot=ticks.boot, elapsed_us=ticks.elapsed_us)
    return Anchor(here, _TOLERANCE_US if mark.held else _DOWNTIME_US)


def tightened(held_by: Anchor, wall_us: int, ticks: Ticks) -> Anchor:
    """Once the clock has shown a believable time, it is measured by that one."""
    loose = held_by.allowance_us > _TOLERANCE_US
    since = max(held_by.mark.wall_us, _PLAUSIBLE_US)
    if not loose or wall_us < since or not held_by.believes(wall_us, ticks):
        return held_by
    seen = Mark(wall_us, ticks.boot, ticks.elapsed_us, accepted=held_by.mark.accepted)
    return Anchor(seen, _TOLERANCE_US)


def boot_ticks() -> Ticks:
    """Of this machine; time in which it was suspended counts too, where that can be known."""
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return Ticks(_boot(), time.clock_gettime_ns(clock) // 1000)


@cache
def _boot() -> str:
    """Where the system has no name for it, each process has its own: no two compare ticks."""
    with contextlib.suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return uuid.uuid4().hex


class ClockGuard:
    """The time by which things expire, for one process."""

    def __init__(
        self, metadata: MetaStore, clock: Clock, ticks: Callable[[], Ticks] = boot_ticks
    ) -> None:
        self._metadata = metadata
        self._clock = clock
        self._ticks = ticks
        self._anchor: Anchor | None = None

    async def now_us(self) -> int:
        """The wall clock's time, or what it would be had it not jumped ahead."""
        wall_us, ticks, measured_by = await self._measure()
        if measured_by.believes(wall_us, ticks):
            return wall_us
        return measured_by.expected_us(ticks)

    async def now_us_within(self, tx: Tx) -> int:
        """As `now_us`, for a transaction function, which may await nothing but its transaction."""
        wall_us, ticks = to_us(self._clock()), self._ticks()
        measured_by = self._anchor or anchor(_mark(await facts.recall(tx, _FACT)), wall_us, ticks)
        if measured_by.believes(wall_us, ticks):
            return wall_us
        return measured_by.expected_us(ticks)

    async def state(self) -> ClockState:
        wall_us, ticks, measured_by = await self._measure()
        held = not measured_by.believes(wall_us, ticks)
        believed_us = measured_by.expected_us(ticks) if held else wall_us
        return ClockState(to_datetime(wall_us), to_datetime(believed_us), held)

    async def watch(self) -> ClockState:
        """Learn whether somebody accepted the clock, in whatever process."""
        mark = _mark(await self._metadata.read(facts.recall, _FACT))
        known = self._anchor
        if known is not None and mark is not None and mark.accepted != known.mark.accepted:
            self._anchor = None
        return await self.state()

    async def record(self) -> ClockState:
        """Leave a mark for the processes to come; one process of all does, now and then."""
        state = await self.watch()
        _, ticks, measured_by = await self._measure()
        certain = measured_by.allowance_us == _TOLERANCE_US
        if certain and to_us(state.believed_at) >= measured_by.mark.wall_us:
            mark = Mark(
                to_us(state.believed_at),
                ticks.boot,
                ticks.elapsed_us,
                state.held,
                measured_by.mark.accepted,
            )
            await self._metadata.write(_record, mark)
        return state

    async def accept(self) -> ClockState:
        """The wall clock is right, however it came there; every process learns of it."""
        ticks = self._ticks()
        mark = Mark(to_us(self._clock()), ticks.boot, ticks.elapsed_us)
        accepted = await self._metadata.write(_accept, mark)
        self._anchor = Anchor(accepted, _TOLERANCE_US)
        return await self.state()

    async def _measure(self) -> tuple[int, Ticks, Anchor]:
        wall_us, ticks = to_us(self._clock()), self._ticks()
        if self._anchor is None:
            mark = _mark(await self._metadata.read(facts.recall, _FACT))
            self._anchor = anchor(mark, wall_us, ticks)
        self._anchor = tightened(self._anchor, wall_us, ticks)
        return wall_us, ticks, self._anchor


async def _record(tx: Tx, mark: Mark) -> None:
    """Unless the clock was accepted meanwhile: then the mark is one of before."""
    known = _mark(await facts.recall_locked(tx, _FACT))
    if known is None or known.accepted == mark.accepted:
        await facts.remember(tx, _FACT, asdict(mark))


@durable
async def _accept(tx: Tx, mark: Mark) -> Mark:
    known = _mark(await facts.recall_locked(tx, _FACT))
    accepted = replace(mark, accepted=1 + (0 if known is None else known.accepted))
    await facts.remember(tx, _FACT, asdict(accepted))
    return accepted


def _mark(value: Any) -> Mark | None:
    return None if value is None else Mark(**value)
