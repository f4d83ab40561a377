"""Two blob stores as one, while blobs move from the one to the other."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime
from pathlib import Path

from vexobj_storage.blobs.base import BlobStat, BlobStore, BlobWriter
from vexobj_storage.errors import BlobMissing


class MovingBlobStore:
    """Writes into `target` and reads from either.

    A blob leaves `source` only once it is in `target`. Who looks in `target`, then in `source`
    and then in `target` again therefore finds it whenever it was moved meanwhile.
    """

    def __init__(self, target: BlobStore, source: BlobStore) -> None:
        self.target = target
        self.source = source
        # Looking in a directory first costs nothing; a service would be asked in vain each time.
        near = target.path(bytes(16)) is not None
        self._order = (target, source, target) if near else (source, target)

    def create(self, blob_id: bytes, size: int | None = None) -> BlobWriter:
        return self.target.create(blob_id, size)

    async def open(self, blob_id: bytes, offset: int, length: int) -> AsyncGenerator[bytes, None]:
        """A blob that moves while it is read is read on in its new place."""
        for number, store in enumerate(self._order, 1):
            try:
                async with aclosing(store.open(blob_id, offset, length)) as stream:
                    async for chunk in stream:
                        offset, length = offset + len(chunk), length - len(chunk)
                        yield chunk
            except BlobMissing:
                if number == len(self._order):
                    raise
            else:
                return

    def read_now(self, blob_id: bytes, offset: int, length: int) -> bytes | None:
        data = self.target.read_now(blob_id, offset, length)
        return self.source.read_now(blob_id, offset, length) if data is None else data

    def path(self, blob_id: bytes) -> Path | None:
        """None: a file may move before the one who asked for its path has opened it."""
        del blob_id
        return None

    async def delete(self, blob_id: bytes) -> bool:
        """From `source` first: who copies it looks there last, and then removes the copy."""
        there = await self.source.delete(blob_id)
        return await self.target.delete(blob_id) or there

    async def stat(self, blob_id: bytes) -> BlobStat | None:
        for store in self._order:
            found = await store.stat(blob_id)
            if found is not None:
                return found
        return None

    async def iterate(self) -> AsyncGenerator[BlobStat, None]:
        """A blob that is being moved may come twice."""
        for store in (self.source, self.target):
            async with aclosing(store.iterate()) as blobs:
                async for found in blobs:
                    yield found

    async def sweep(self, older_than: datetime) -> int:
        return await self.source.sweep(older_than) + await self.target.sweep(older_than)

    async def close(self) -> None:
        await self.target.close()
        await self.source.close()
