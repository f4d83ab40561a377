"""Blobs copied from one store to another at a bounded pace, digested on their way."""

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import aclosing
from typing import Any, TypeVar

from vexobj_storage.blobs.base import BlobStore
from vexobj_storage.errors import BlobCorrupt
from vexobj_storage.files import Buffer

_T = TypeVar("_T")


class Pace:
    """No more than `bytes_per_second` over the time since the first; None does not limit."""

    def __init__(self, bytes_per_second: int | None) -> None:
        self._rate = bytes_per_second
        self._began: float | None = None
        self._spent = 0

    async def spend(self, size: int) -> None:
        if self._rate is None:
            return
        now = time.monotonic()
        if self._began is None:
            self._began = now
        self._spent += size
        ahead = self._began + self._spent / self._rate - now
        if ahead > 0:
            await asyncio.sleep(ahead)


async def copy_blob(
    source: BlobStore,
    target: BlobStore,
    blob_id: bytes,
    size: int,
    sha256: bytes | None,
    pace: Pace,
) -> bytes:
    """The digest of the bytes, which are durable in the target when this returns.

    Raises: BlobMissing; BlobCorrupt, when they are fewer or their digest is not `sha256`; nothing
    is left in the target then. OutOfSpace, WriteFailed.
    """
    digest = hashlib.sha256()

    def through(chunk: Buffer) -> Buffer:
        digest.update(chunk)
        return chunk

    writer = target.create(blob_id, size)
    try:
        async with aclosing(source.open(blob_id, 0, size)) as stream:
            async for chunk in stream:
                await writer.write(chunk, through)
                await pace.spend(len(chunk))
        if sha256 is not None:
            _compare(blob_id, digest.digest(), sha256)
        await writer.commit()
    except BaseException:
        await writer.abort()
        raise
    return digest.digest()


async def digest_blob(store: BlobStore, blob_id: bytes, size: int, pace: Pace) -> bytes:
    """Raises: BlobMissing, BlobCorrupt."""
    digest = hashlib.sha256()
    async with aclosing(store.open(blob_id, 0, size)) as stream:
        async for chunk in stream:
            await asyncio.to_thread(digest.update, chunk)
            await pace.spend(len(chunk))
    return digest.digest()


async def each(items: Iterable[_T], work: Callable[[_T], Awaitable[Any]], *, at_once: int) -> None:
    """Work on all, so many at a time; the first error ends the others, and is raised."""
    waiting = iter(items)

    async def worker() -> None:
        for item in waiting:
            await work(item)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(worker())
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None


def _compare(blob_id: bytes, found: bytes, told: bytes) -> None:
    if found != told:
        raise BlobCorrupt(blob_id.hex(), "its digest is not the one it was stored with")
