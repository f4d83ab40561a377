"""What a store needs done now and then: garbage, orphans, usage. Safe beside everything else."""

import asyncio
import logging
from dataclasses import replace
from datetime import timedelta

from vexobj_storage.core import Core
from vexobj_storage.errors import StoreError
from vexobj_storage.metadata.ops import gc, room, usage
from vexobj_storage.types import GcReport, Location, Room

_PIECE = 500

_log = logging.getLogger(__name__)


class Upkeep(Core):
    async def collect_garbage(self) -> GcReport:
        """Do what is due, in bounded transactions; several collectors may run at once.

        A blob that its medium does not let go is logged and stays due; the run ends with it.
        """
        now_us, grace_us = self._now_us(), round(self.config.gc_grace / timedelta(microseconds=1))
        condemned = removed = bytes_freed = 0
        while True:
            batch = await self._metadata.write(gc.collect, now_us, grace_us, _PIECE)
            gone = [
                entry
                for entry, location in batch.removable
                if location is not Location.STORE or await self._delete(entry.id)
            ]
            if gone:
                count, size = await self._metadata.write(gc.forget, gone)
                removed, bytes_freed = removed + count, bytes_freed + size
            condemned += batch.condemned
            if not batch.seen or len(gone) < len(batch.removable):
                break
        waiting = await self._metadata.scan(gc.waiting)
        return replace(waiting, condemned=condemned, removed=removed, bytes_freed=bytes_freed)

    async def sweep_orphans(self, older_than: timedelta = timedelta(hours=24)) -> int:
        """Remove blob files without a row and the leavings of interrupted writes; how many.

        `older_than` must exceed the time that content may stay staged.
        """
        before = self._clock() - older_than
        swept = await self._blobs.sweep(before)
        old: list[bytes] = []
        async for stat in self._blobs.iterate():
            if stat.modified_at < before:
                old.append(stat.blob_id)
            if len(old) >= _PIECE:
                swept += await self._sweep(old)
                old = []
        return swept + await self._sweep(old)

    async def keep_room(self) -> None:
        """Have a ballast again, once there is room for it after a disk was full."""
        if self._metadata.dialect == "sqlite":
            await asyncio.to_thread(self._room.keep)

    async def room(self) -> Room:
        """What takes room and what waits to be removed; reads the rows of all blobs."""
        grace_us = round(self.config.gc_grace / timedelta(microseconds=1))
        return await self._metadata.scan(room.room, self._now_us(), grace_us)

    async def fold_usage(self) -> int:
        """Fold the deltas of every bucket, in bounded transactions; how many there were."""
        folded, bucket_id = 0, await self._metadata.scan(usage.next_bucket, 0)
        while bucket_id is not None:
            while count := await self._metadata.write(usage.fold, bucket_id):
                folded += count
            bucket_id = await self._metadata.scan(usage.next_bucket, bucket_id)
        return folded

    async def _delete(self, blob_id: bytes) -> bool:
        try:
            await self._blobs.delete(blob_id)
        except StoreError as error:
            _log.warning("blob %s cannot be removed: %s", blob_id.hex(), error)
            return False
        return True

    async def _sweep(self, blob_ids: list[bytes]) -> int:
        known = await self._metadata.scan(gc.known_blobs, blob_ids) if blob_ids else set()
        swept = 0
        for blob_id in blob_ids:
            if blob_id not in known:
                swept += await self._blobs.delete(blob_id)
        return swept
