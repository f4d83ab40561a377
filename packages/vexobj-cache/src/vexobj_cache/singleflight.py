"""One computation per key, however many ask for it at once."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class ComputationCancelled(Exception):
    """The computation cancelled itself; its callers were not cancelled."""


@dataclass(slots=True)
class _Flight(Generic[V]):
    task: "asyncio.Task[V]"
    callers: int = 0


class SingleFlight(Generic[K, V]):
    """For one event loop.

    A caller that is cancelled leaves alone, the first one too; the computation is cancelled only
    when all have left. Its result, or its exception, goes to all of them. Nothing is remembered
    once it is done. `computations` and `joined` count callers who started one and who did not.
    """

    def __init__(self) -> None:
        self.computations = 0
        self.joined = 0
        self._flights: dict[K, _Flight[V]] = {}

    async def run(self, key: K, compute: Callable[[], Coroutine[Any, Any, V]]) -> V:
        """The result of `compute()`, or of the computation for `key` already under way.

        Raises:
            ComputationCancelled: `compute` let a CancelledError out of its own.
        """
        flight = self._flights.get(key)
        if flight is None:
            self.computations += 1
            flight = self._start(key, compute)
        else:
            self.joined += 1
        flight.callers += 1
        try:
            return await asyncio.shield(flight.task)
        except asyncio.CancelledError:
            caller = asyncio.current_task()
            if flight.task.cancelled() and not (caller and caller.cancelling()):
                raise ComputationCancelled(key) from None
            raise
        finally:
            flight.callers -= 1
            if not flight.callers and not flight.task.done():
                self._remove(key, flight)
                flight.task.cancel()

    def _start(self, key: K, compute: Callable[[], Coroutine[Any, Any, V]]) -> _Flight[V]:
        flight = _Flight(asyncio.create_task(compute()))
        self._flights[key] = flight

        def done(task: "asyncio.Task[V]") -> None:
            self._remove(key, flight)
            if not task.cancelled():
                task.exception()  # all callers may have left: not worth a warning

        flight.task.add_done_callback(done)
        return flight

    def _remove(self, key: K, flight: _Flight[V]) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]
