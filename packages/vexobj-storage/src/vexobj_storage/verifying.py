"""Whether a blob's bytes are what its row says. It reads, and changes nothing."""

import asyncio
import hashlib
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing

from vexobj_storage.blobs.base import BlobStore
from vexobj_storage.errors import BlobCorrupt, BlobMissing, ReadFailed
from vexobj_storage.metadata.ops.findings import Damaged
from vexobj_storage.metadata.ops.scrub import Suspect
from vexobj_storage.opening import OpenedBlobs
from vexobj_storage.types import Damage, Location

_TRIES = 3
_PAUSE_SECONDS = 0.05
_LEAST_REST = 0.01
"""Seconds; a pause for each of many small blobs would take longer than it should."""

_LEAST_BYTES = 64 * 1024
"""A smaller blob costs as much as so many bytes, and takes as much of the pace."""

_FEW = 2047
"""For so many bytes hashlib keeps the interpreter's lock: a thread would only cost."""


class Throttle:
    """Bytes a second, over all that passes; without a rate nothing is held up."""

    def __init__(self, bytes_per_second: int | None = None) -> None:
        self._rate = bytes_per_second
        self._free_at = 0.0

    async def passed(self, size: int) -> None:
        if not self._rate:
            return
        now = time.monotonic()
        self._free_at = max(self._free_at, now) + size / self._rate
        if self._free_at - now >= _LEAST_REST:
            await asyncio.sleep(self._free_at - now)


class Verifier:
    """Bytes are those of the content, as it was put: what is sealed is opened first."""

    def __init__(self, blobs: BlobStore, opened: OpenedBlobs, throttle: Throttle) -> None:
        self._blobs = blobs
        self._opened = opened
        self._throttle = throttle

    async def verify(self, suspect: Suspect) -> Damaged | None:
        """None for a blob that is whole. What seems damaged is looked at a second time.

        Raises:
            KeyUnavailable: it is sealed under a key that is not here.
            StoreBusy: the medium is out of reach; that says nothing of the blob.
        """
        found = await self._look(suspect)
        return None if found is None else await self._look(suspect)

    async def _look(self, suspect: Suspect) -> Damaged | None:
        try:
            await self._retried(lambda: self._compare(suspect))
        except BlobMissing:
            return Damaged(suspect.blob_id, Damage.MISSING, "its bytes are not there")
        except BlobCorrupt as error:
            return Damaged(suspect.blob_id, Damage.CORRUPT, error.reason)
        except ReadFailed as error:
            return Damaged(suspect.blob_id, Damage.UNREADABLE, error.reason)
        return None

    async def _retried(self, read: Callable[[], Awaitable[None]]) -> None:
        for attempt in range(_TRIES - 1):
            try:
                return await read()
            except ReadFailed:
                await asyncio.sleep(_PAUSE_SECONDS * 2**attempt)
        return await read()

    async def _compare(self, suspect: Suspect) -> None:
        """Raises: BlobMissing, BlobCorrupt, ReadFailed, StoreBusy, KeyUnavailable."""
        blob_id, digest = suspect.blob_id, hashlib.sha256()
        if suspect.location is Location.STORE:
            stat = await self._blobs.stat(blob_id)
            if stat is None:
                raise BlobMissing(blob_id.hex())
            if stat.size != suspect.stored_size:
                raise BlobCorrupt(
                    blob_id.hex(), f"it has {stat.size} bytes, not {suspect.stored_size}"
                )
        async with aclosing(self._content(suspect)) as chunks:
            async for chunk in chunks:
                if len(chunk) <= _FEW:
                    digest.update(chunk)
                else:
                    await asyncio.to_thread(digest.update, chunk)
                await self._throttle.passed(len(chunk))
        await self._throttle.passed(max(0, _LEAST_BYTES - suspect.size))
        if digest.digest() != suspect.sha256:
            raise BlobCorrupt(blob_id.hex(), "its SHA-256 is not that of what was put")

    async def _content(self, suspect: Suspect) -> AsyncGenerator[bytes, None]:
        blob_id = suspect.blob_id
        if suspect.location is Location.STORE:
            opened = self._opened.open(blob_id, 0, suspect.size, suspect.size)
            async with aclosing(opened) as chunks:
                async for chunk in chunks:
                    yield chunk
            return
        if suspect.data is None:
            raise BlobMissing(blob_id.hex())
        yield await self._opened.inline(blob_id, suspect.data)
