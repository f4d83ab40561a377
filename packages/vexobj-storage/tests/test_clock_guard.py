"""A clock that jumps ahead is not followed, and one that is explained is."""

from datetime import UTC, datetime, timedelta

import pytest

from vexobj_storage import MetaStore
from vexobj_storage.clock import DOWNTIME, TOLERANCE, ClockGuard, boot_ticks
from vexobj_storage.metadata.rows import to_us
from vexobj_storage.testing.clocks import ManualClock

_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def _guard(metadata: MetaStore, clock: ManualClock) -> ClockGuard:
    """A process of its own."""
    return ClockGuard(metadata, clock.now, clock.ticks)


async def test_time_that_passes_is_believed(metadata: MetaStore, clock: ManualClock) -> None:
    guard = _guard(metadata, clock)
    for passed in (_SECOND, 400 * _DAY):
        clock.advance(passed)
        assert await guard.now_us() == to_us(clock.now())
        assert not (await guard.record()).held


async def test_small_corrections_are_followed(metadata: MetaStore, clock: ManualClock) -> None:
    guard = _guard(metadata, clock)
    await guard.state()
    clock.jump(TOLERANCE)
    assert not (await guard.state()).held
    clock.jump(-3 * TOLERANCE)
    assert await guard.now_us() == to_us(clock.now())


async def test_a_jump_is_not_followed_but_time_goes_on(
    metadata: MetaStore, clock: ManualClock
) -> None:
    guard = _guard(metadata, clock)
    await guard.record()
    real = clock.now()
    clock.jump(30 * _DAY)
    clock.advance(_DAY)
    state = await guard.state()
    assert (state.held, state.believed_at) == (True, real + _DAY)
    assert await guard.now_us() == to_us(real + _DAY)
    clock.jump(-30 * _DAY)
    assert not (await guard.state()).held


@pytest.mark.parametrize("reboots", [False, True])
async def test_a_jump_is_remembered_across_restarts(
    metadata: MetaStore, clock: ManualClock, reboots: bool
) -> None:
    guard = _guard(metadata, clock)
    await guard.record()
    clock.jump(2 * _DAY)
    assert (await guard.record()).held
    if reboots:
        clock.reboot()
    guard = _guard(metadata, clock)
    assert (await guard.record()).held
    clock.jump(-2 * _DAY)
    assert not (await guard.record()).held


async def test_a_jump_between_two_processes_of_one_boot_is_seen(
    metadata: MetaStore, clock: ManualClock
) -> None:
    await _guard(metadata, clock).record()
    clock.advance(60 * _DAY)
    assert not (await _guard(metadata, clock).state()).held
    clock.jump(_DAY)
    assert (await _guard(metadata, clock).state()).held


async def test_a_machine_may_have_been_off_for_a_while(
    metadata: MetaStore, clock: ManualClock
) -> None:
    await _guard(metadata, clock).record()
    clock.reboot(off=DOWNTIME)
    guard = _guard(metadata, clock)
    assert not (await guard.record()).held
    clock.jump(2 * TOLERANCE)
    assert (await guard.state()).held
    clock.reboot(off=DOWNTIME + _DAY)
    assert (await _guard(metadata, clock).state()).held


async def test_a_clock_that_is_set_after_boot(metadata: MetaStore, clock: ManualClock) -> None:
    """Small machines begin in 1970, until the network tells them the time."""
    await _guard(metadata, clock).record()
    right = clock.now() + _DAY
    clock.reboot()
    clock.jump(datetime(1970, 1, 1, tzinfo=UTC) - clock.now())
    guard = _guard(metadata, clock)
    assert not (await guard.record()).held
    clock.jump(right - clock.now())
    assert not (await guard.record()).held
    clock.jump(_DAY)
    assert (await guard.state()).held


async def test_so_does_the_very_first_start(metadata: MetaStore) -> None:
    clock = ManualClock(datetime(1970, 1, 1, tzinfo=UTC))
    guard = _guard(metadata, clock)
    await guard.record()
    clock.jump(70 * 365 * _DAY)
    assert not (await guard.record()).held
    clock.jump(_DAY)
    assert (await guard.state()).held


async def test_an_accepted_clock_is_believed_by_every_process(
    metadata: MetaStore, clock: ManualClock
) -> None:
    guard, other = _guard(metadata, clock), _guard(metadata, clock)
    await guard.record()
    await other.state()
    clock.jump(90 * _DAY)
    assert (await guard.record()).held
    assert (await other.watch()).held
    assert not (await other.accept()).held
    assert not (await guard.watch()).held
    assert not (await guard.record()).held
    assert not (await _guard(metadata, clock).state()).held
    clock.jump(_DAY)
    assert (await guard.state()).held


def test_ticks_grow() -> None:
    first, second = boot_ticks(), boot_ticks()
    assert first.boot == second.boot
    assert first.elapsed_us <= second.elapsed_us
