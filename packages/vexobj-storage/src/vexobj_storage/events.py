"""The store's events: what changed, for those who subscribe, each told at least once."""

from collections.abc import Sequence

from vexobj_storage.core import Core
from vexobj_storage.metadata.ops import outbox
from vexobj_storage.metadata.ops.outbox import Event

_PIECE = 500


class Events(Core):
    async def subscribe(self, name: str) -> None:
        """Keep events for `name` from now on. Idempotent: its cursor stays where it is."""
        await self._metadata.write(outbox.subscribe, name)

    async def unsubscribe(self, name: str) -> None:
        await self._metadata.write(outbox.unsubscribe, name)

    async def number_events(self) -> int:
        """Number what was committed since the last call, so that it can be read; how many."""
        numbered = 0
        while await self._metadata.read(outbox.has_unnumbered):
            numbered += await self._metadata.write(outbox.number, _PIECE)
        return numbered

    async def events(self, name: str, limit: int = 100) -> Sequence[Event]:
        """The next that `name` has not acknowledged, by number; those of a key in its order."""
        return await self._metadata.scan(outbox.read, name, limit)

    async def acknowledge(self, name: str, number: int) -> None:
        """`name` has done with all up to this number."""
        await self._metadata.write(outbox.acknowledge, name, number)

    async def trim_events(self) -> int:
        """Drop what every subscriber has acknowledged, all of it if there is none; how many."""
        return await self._metadata.write(outbox.trim)
