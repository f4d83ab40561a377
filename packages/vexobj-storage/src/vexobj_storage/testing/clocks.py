"""A clock for tests: time passes when told to, and the wall clock may jump."""

from datetime import UTC, datetime, timedelta

from vexobj_storage.clock import Ticks

_MICROSECOND = timedelta(microseconds=1)


class ManualClock:
    """`now` and `ticks` are what a store wants as its `clock` and `ticks`."""

    def __init__(self, start: datetime = datetime(2030, 1, 1, 12, tzinfo=UTC)) -> None:
        self._wall = start
        self._elapsed = timedelta(hours=1)
        self._boots = 0

    def now(self) -> datetime:
        return self._wall

    def ticks(self) -> Ticks:
        return Ticks(f"boot-{self._boots}", self._elapsed // _MICROSECOND)

    def advance(self, passed: timedelta) -> None:
        self._wall += passed
        self._elapsed += passed

    def jump(self, distance: timedelta) -> None:
        """The wall clock is set; no time passes."""
        self._wall += distance

    def reboot(self, off: timedelta = timedelta(0)) -> None:
        """The machine was off for that long, with its wall clock running."""
        self._wall += off
        self._boots += 1
        self._elapsed = timedelta(seconds=1)
