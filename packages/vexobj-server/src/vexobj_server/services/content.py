"""A stored object's bytes, offered in the cheapest form they can be sent in."""

from dataclasses import dataclass

from vexobj_s3compat import PartRange, Payload
from vexobj_storage import ObjectStore, StoredObject

READ_NOW_BYTES = 256 * 1024


@dataclass(slots=True)
class StoredContent:
    """A `vexobj_s3compat.Content`: inline bytes, one warm read, a whole file, or a stream."""

    store: ObjectStore
    stored: StoredObject

    @property
    def size(self) -> int:
        return self.stored.version.size

    async def open(self, start: int, length: int) -> Payload:
        inline = self.stored.inline
        if inline is not None:
            return inline if length == len(inline) else inline[start : start + length]
        if length <= READ_NOW_BYTES:
            data = self.store.read_now(self.stored, start, length)
            if data is not None:
                return data
        elif start == 0 and length == self.size:
            path = self.store.path(self.stored)
            if path is not None:
                return path
        await self.check(start, length)
        return self.store.read(self.stored, start, length)

    async def check(self, start: int, length: int) -> None:
        """Before an answer begins. Raises: BlobCorrupt, or what a subclass makes of it."""
        await self.store.check_readable(self.stored, start, length)

    async def part(self, number: int) -> PartRange | None:
        found = await self.store.part_range(self.stored, number)
        if found is None:
            return None
        start, length = found
        return PartRange(start, length, self.stored.version.parts_count or 1)
