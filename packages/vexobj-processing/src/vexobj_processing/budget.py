"""What jobs may take together of something that there is so much of."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Budget:
    """Bytes to share out, first come first served."""

    def __init__(self, total: int) -> None:
        self._free = total
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @asynccontextmanager
    async def reserved(self, amount: int) -> AsyncIterator[None]:
        await self._reserve(amount)
        try:
            yield
        finally:
            self._free += amount
            self._grant()

    async def _reserve(self, amount: int) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((amount, turn))
        self._grant()
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                self._free += amount
            self._grant()
            raise

    def _grant(self) -> None:
        """Who was cancelled may still stand in the line: its task has not run since."""
        while self._waiting:
            amount, turn = self._waiting[0]
            if not turn.cancelled():
                if amount > self._free:
                    return
                self._free -= amount
                turn.set_result(None)
            self._waiting.popleft()
