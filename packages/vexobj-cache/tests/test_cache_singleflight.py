"""Single-flight: who leaves, who stays, and what they get."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from vexobj_cache import ComputationCancelled, SingleFlight

Flight = SingleFlight[str, object]


class Work:
    """A computation that waits until told how to end, and notes what became of it."""

    def __init__(self) -> None:
        self.started = asyncio.Event()
        self.finish = asyncio.Event()
        self.error: BaseException | None = None
        self.calls = 0
        self.cancelled = False

    async def __call__(self) -> object:
        self.calls += 1
        self.started.set()
        try:
            await self.finish.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        if self.error is not None:
            raise self.error
        return self


async def callers(
    flight: Flight, compute: Callable[[], Coroutine[Any, Any, object]], count: int
) -> list["asyncio.Task[object]"]:
    tasks = [asyncio.create_task(flight.run("key", compute)) for _ in range(count)]
    for _ in range(3):
        await asyncio.sleep(0)
    return tasks


async def test_one_computation_for_all() -> None:
    flight, work = Flight(), Work()
    tasks = await callers(flight, work, 50)
    work.finish.set()
    assert await asyncio.gather(*tasks) == [work] * 50
    assert work.calls == 1
    assert (flight.computations, flight.joined) == (1, 49)


async def test_nothing_is_remembered() -> None:
    flight, work = Flight(), Work()
    work.finish.set()
    await flight.run("key", work)
    await flight.run("key", work)
    assert work.calls == 2


async def test_keys_do_not_meet() -> None:
    flight, one, other = Flight(), Work(), Work()
    first = asyncio.create_task(flight.run("one", one))
    await one.started.wait()
    other.finish.set()
    assert await flight.run("other", other) is other
    one.finish.set()
    assert await first is one


@pytest.mark.parametrize("leaver", [0, 1, 2])
async def test_who_leaves_does_not_fail_the_rest(leaver: int) -> None:
    flight, work = Flight(), Work()
    tasks = await callers(flight, work, 3)
    tasks[leaver].cancel()
    with pytest.raises(asyncio.CancelledError):
        await tasks.pop(leaver)
    assert not work.cancelled
    work.finish.set()
    assert await asyncio.gather(*tasks) == [work] * 2


async def test_the_last_to_leave_cancels_the_computation() -> None:
    flight, work = Flight(), Work()
    tasks = await callers(flight, work, 3)
    for task in tasks:
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(result, asyncio.CancelledError) for result in results)
    await asyncio.sleep(0)
    assert work.cancelled


async def test_a_caller_after_all_left_starts_anew() -> None:
    flight, abandoned, work = Flight(), Work(), Work()
    (task,) = await callers(flight, abandoned, 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    work.finish.set()
    assert await flight.run("key", work) is work
    assert abandoned.cancelled


async def test_an_exception_goes_to_all() -> None:
    flight, work = Flight(), Work()
    work.error = LookupError("nothing")
    tasks = await callers(flight, work, 3)
    work.finish.set()
    assert await asyncio.gather(*tasks, return_exceptions=True) == [work.error] * 3
    work.error = None
    assert await flight.run("key", work) is work


async def test_a_computation_that_cancels_itself_does_not_cancel_its_callers() -> None:
    flight, work = Flight(), Work()
    work.error = asyncio.CancelledError()
    tasks = await callers(flight, work, 2)
    work.finish.set()
    for task in tasks:
        with pytest.raises(ComputationCancelled):
            await task
