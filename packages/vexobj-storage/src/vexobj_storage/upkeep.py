"""What a store needs done now and then: garbage, orphans, usage. Safe beside everything else."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import timedelta

from vexobj_storage.core import Core
from vexobj_storage.errors import StoreError
from vexobj_storage.metadata.ops import gc, stored, usage
from vexobj_storage.metadata.ops.gc import Entry
from vexobj_storage.metadata.rows import to_datetime
from vexobj_storage.types import GcReport, Location, StoredBytes

_PIECE = 500
_AT_ONCE = 16

_log = logging.getLogger(__name__)


class Upkeep(Core):
    async def collect_garbage(self) -> GcReport:
        """Do what is due, in bounded transactions; several collectors may run at once.

        A blob that its medium does not let go is logged and stays due; the run ends with it.
        """
        now_us, grace_us = await self.clock_guard.now_us(), self._grace_us
        condemned = removed = bytes_freed = 0
        while True:
            batch = await self._metadata.write(gc.collect, now_us, grace_us, _PIECE)
            gone = await self._removed(batch.removable)
            if gone:
                count, size = await self._metadata.write(gc.forget, gone)
                removed, bytes_freed = removed + count, bytes_freed + size
            condemned += batch.condemned
            if not batch.seen or len(gone) < len(batch.removable):
                break
        waiting = await self._metadata.scan(gc.waiting)
        return replace(waiting, condemned=condemned, removed=removed, bytes_freed=bytes_freed)

    async def sweep_orphans(self, older_than: timedelta = timedelta(hours=24)) -> int:
        """Find blobs without a row and the leavings of interrupted writes; how many.

        Leavings are removed. The blobs are condemned: `collect_garbage` removes them when the
        grace is over. `older_than` must exceed the time that content may stay staged; what is
        committed after it fails with StoreBusy.
        """
        now_us = await self.clock_guard.now_us()
        before = to_datetime(now_us) - older_than
        swept = await self._blobs.sweep(before)
        old: dict[bytes, int] = {}
        async with aclosing(self._blobs.iterate()) as found:
            async for stat in found:
                if stat.modified_at < before:
                    old[stat.blob_id] = stat.size
                if len(old) >= _PIECE:
                    swept += await self._condemn(old, now_us)
                    old = {}
        return swept + await self._condemn(old, now_us)

    async def keep_room(self) -> None:
        """Have a ballast again, once there is room for it after a disk was full."""
        if self._metadata.dialect == "sqlite":
            await asyncio.to_thread(self._room.keep)

    async def stored_bytes(self) -> StoredBytes:
        """What takes room and what waits to be removed; reads the rows of all blobs."""
        return await self._metadata.scan(stored.stored_bytes, self._now_us(), self._grace_us)

    async def fold_usage(self) -> int:
        """Fold the deltas of every bucket, in bounded transactions; how many there were."""
        folded, bucket_id = 0, await self._metadata.scan(usage.next_bucket, 0)
        while bucket_id is not None:
            while count := await self._metadata.write(usage.fold, bucket_id):
                folded += count
            bucket_id = await self._metadata.scan(usage.next_bucket, bucket_id)
        return folded

    @property
    def _grace_us(self) -> int:
        return round(self.config.gc_grace / timedelta(microseconds=1))

    async def _removed(self, removable: Sequence[tuple[Entry, Location]]) -> Sequence[Entry]:
        """Those whose bytes are gone now, or go with their row."""
        stored = [entry for entry, location in removable if location is Location.STORE]
        gone = [entry for entry, location in removable if location is not Location.STORE]
        for at in range(0, len(stored), _AT_ONCE):
            batch = stored[at : at + _AT_ONCE]
            deleted = await asyncio.gather(*(self._delete(entry.id) for entry in batch))
            gone += [entry for entry, done in zip(batch, deleted, strict=True) if done]
        return gone

    async def _delete(self, blob_id: bytes) -> bool:
        try:
            await self._blobs.delete(blob_id)
        except StoreError as error:
            _log.warning("blob %s cannot be removed: %s", blob_id.hex(), error)
            return False
        return True

    async def _condemn(self, sizes: Mapping[bytes, int], now_us: int) -> int:
        if not sizes:
            return 0
        known = await self._metadata.scan(gc.known_blobs, list(sizes))
        orphans = {blob_id: size for blob_id, size in sizes.items() if blob_id not in known}
        if not orphans:
            return 0
        found = await self._metadata.write(gc.condemn_orphans, orphans, now_us, self._grace_us)
        return len(found)
