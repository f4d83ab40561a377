"""Moving blobs from one store to another, beside everything else: copied, compared, removed.

What was moved is no longer in the source, so that a run which ended anywhere is gone on with by
another one. A blob is removed from the source only when the target has given it back unchanged.
"""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from vexobj_storage.blobs.base import BlobStat, BlobStore
from vexobj_storage.blobs.moving import MovingBlobStore
from vexobj_storage.errors import BlobCorrupt, BlobMissing
from vexobj_storage.files import Buffer
from vexobj_storage.metadata.ops import places
from vexobj_storage.metadata.tx import MetaStore
from vexobj_storage.sealing.ids import sealing_key
from vexobj_storage.types import BlobRecord

_PAGE = 100


@dataclass(slots=True)
class MoveProgress:
    """Counts of blobs and of their bytes.

    `damaged` names those that stay where they are; `left` counts others that did, at the end.
    """

    blobs: int = 0
    bytes: int = 0
    moved: int = 0
    moved_bytes: int = 0
    damaged: list[str] = field(default_factory=list)
    left: int = 0


async def move_blobs(
    metadata: MetaStore,
    blobs: MovingBlobStore,
    *,
    read_back: bool = True,
    at_once: int = 4,
    progress: Callable[[MoveProgress], None] = lambda _: None,
) -> MoveProgress:
    """Empty `blobs.source` into `blobs.target`; `progress` is called after every page of blobs.

    Each is compared with the digest in its row and, with `read_back`, read again from the target.
    One that is damaged is left alone. Writers have to use `blobs`, or a store like it, already.

    Raises: StoreError, as the stores do; run it again then.
    """
    done = MoveProgress()
    async with aclosing(blobs.source.iterate()) as found:
        async for stat in found:
            done.blobs, done.bytes = done.blobs + 1, done.bytes + stat.size
    progress(done)
    mover = _Mover(blobs.target, blobs.source, read_back)
    while True:
        moved, done.left = done.moved, 0
        async for page in _pages(blobs.source.iterate()):
            records = await metadata.scan(places.records, [stat.blob_id for stat in page])
            for part in range(0, len(page), at_once):
                batch = page[part : part + at_once]
                await _all(mover.move(stat, records.get(stat.blob_id), done) for stat in batch)
            progress(done)
        if done.moved == moved:
            return done


class _Mover:
    def __init__(self, target: BlobStore, source: BlobStore, read_back: bool) -> None:
        self._target = target
        self._source = source
        self._read_back = read_back

    async def move(self, stat: BlobStat, record: BlobRecord | None, done: MoveProgress) -> None:
        name = stat.blob_id.hex()
        if name in done.damaged:
            return
        done.left += 1
        try:
            await self._move(stat, record)
        except BlobMissing:
            # It was deleted meanwhile, from the source first: the copy may have come too late.
            await self._target.delete(stat.blob_id)
            return
        except BlobCorrupt:
            await self._target.delete(stat.blob_id)
            done.damaged.append(name)
            done.left -= 1
            return
        done.moved, done.moved_bytes = done.moved + 1, done.moved_bytes + stat.size

    async def _move(self, stat: BlobStat, record: BlobRecord | None) -> None:
        blob_id = stat.blob_id
        if record is not None and record.stored_size != stat.size:
            raise BlobCorrupt(blob_id.hex(), f"{stat.size} bytes, not {record.stored_size}")
        there = await self._target.stat(blob_id)
        whole = there is not None and there.size == stat.size
        digest = await (self._digest(self._source, stat) if whole else self._copy(stat))
        plain = not sealing_key(blob_id)
        if record is not None and plain and digest != record.sha256:
            raise BlobCorrupt(blob_id.hex(), "its digest is not the one it was stored with")
        if (whole or self._read_back) and await self._digest(self._target, stat) != digest:
            raise BlobCorrupt(blob_id.hex(), "the copy differs")
        if await self._source.stat(blob_id) is None:
            raise BlobMissing(blob_id.hex())
        await self._source.delete(blob_id)

    async def _copy(self, stat: BlobStat) -> bytes:
        digest = hashlib.sha256()

        def through(chunk: Buffer) -> Buffer:
            digest.update(chunk)
            return chunk

        writer = self._target.create(stat.blob_id, stat.size)
        try:
            async with aclosing(self._source.open(stat.blob_id, 0, stat.size)) as stream:
                async for chunk in stream:
                    await writer.write(chunk, through)
            await writer.commit()
        except BaseException:
            await writer.abort()
            raise
        return digest.digest()

    async def _digest(self, store: BlobStore, stat: BlobStat) -> bytes:
        digest = hashlib.sha256()
        async with aclosing(store.open(stat.blob_id, 0, stat.size)) as stream:
            async for chunk in stream:
                await asyncio.to_thread(digest.update, chunk)
        return digest.digest()


async def _all(calls: Iterable[Coroutine[None, None, None]]) -> None:
    """All at once; the first error ends the others, and is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            for call in calls:
                group.create_task(call)
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None


async def _pages(found: AsyncGenerator[BlobStat, None]) -> AsyncIterator[Sequence[BlobStat]]:
    page: list[BlobStat] = []
    async with aclosing(found):
        async for stat in found:
            page.append(stat)
            if len(page) == _PAGE:
                yield page
                page = []
    if page:
        yield page
