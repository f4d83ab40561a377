"""Variants of stored images: named without being touched, taken from a cache, or rendered."""

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal, Protocol

from vexobj_cache import CacheEntry, MemoryCache, SingleFlight
from vexobj_processing import (
    DEFAULT_ENCODING,
    DEFAULT_LIMITS,
    Encoding,
    Limits,
    Preference,
    Transform,
    UnsupportedImage,
    negotiate,
    variant_key,
)
from vexobj_s3compat import PartRange, Payload
from vexobj_server.media.client import MediaClient
from vexobj_server.media.errors import MediaBusy, MediaUnsupported
from vexobj_server.media.protocol import MediaFile, anonymous_file
from vexobj_server.media.variantcache import VariantCache
from vexobj_server.observability.variants import CacheMetrics
from vexobj_storage import BlobMissing, StoredObject

_CONTENT_TYPE = "content-type"
# What is larger is sent from its file and never held in memory.
_IN_MEMORY_BYTES = 1024**2
# Originals that are no local file are copied to anonymous memory first, and stay there until they
# are rendered. Small ones always; of larger ones so many at once, with so many more waiting.
_SMALL_COPY_BYTES = 64 * 1024
_COPIES = 4
_WAITING_COPIES = 16


class Originals(Protocol):
    """What variants need of an ObjectStore."""

    def path(self, stored: StoredObject) -> Path | None: ...
    def read(
        self, stored: StoredObject, start: int = 0, length: int | None = None
    ) -> AsyncGenerator[bytes, None]: ...


@dataclass(frozen=True, slots=True)
class Variant:
    """A rendered image; a `vexobj_s3compat.Content`.

    `etag` is strong and without quotes. `negotiated` asks for `Vary: Accept`.
    """

    content: bytes | MediaFile
    content_type: str
    etag: str
    negotiated: bool
    cache: Literal["hit", "miss"]

    @property
    def size(self) -> int:
        return len(self.content) if isinstance(self.content, bytes) else self.content.size

    async def open(self, start: int, length: int) -> Payload:
        content = self.content
        if isinstance(content, bytes):
            return content if length == len(content) else content[start : start + length]
        return _chunks(content, start, length)

    async def part(self, number: int) -> PartRange | None:
        return PartRange(0, self.size, 1) if number == 1 else None


class Variants:
    """For one worker. `memory` is its share of the cache, `disk` a view of the broker's."""

    def __init__(
        self,
        client: MediaClient,
        memory: MemoryCache,
        disk: VariantCache | None,
        store: Originals,
        *,
        encoding: Encoding = DEFAULT_ENCODING,
        limits: Limits = DEFAULT_LIMITS,
        metrics: CacheMetrics | None = None,
    ) -> None:
        self._client = client
        self._memory = memory
        self._disk = disk
        self._store = store
        self._encoding = encoding
        self._limits = limits
        self._metrics = metrics
        self._flights: SingleFlight[str, _Found] = SingleFlight()
        self._copies = _Places(_COPIES, _WAITING_COPIES)

    @staticmethod
    def applies(stored: StoredObject) -> bool:
        """Whether transform parameters mean anything to this object, by its content type.

        SVG is a program for a browser rather than pixels: it is never decoded.
        """
        content_type = stored.version.attributes.content_type.partition(";")[0].strip().lower()
        return content_type.startswith("image/") and content_type != "image/svg+xml"

    def etag(self, stored: StoredObject, transform: Transform, accept: str | None) -> str:
        """The variant's ETag, known without the variant: `If-None-Match` needs nothing more."""
        return self._key(stored, transform, negotiate(accept))

    async def variant(
        self, stored: StoredObject, transform: Transform, accept: str | None
    ) -> Variant:
        """The variant for a client that sent `accept`.

        Raises:
            MediaUnsupported: it is no image that is decoded; the original is the answer.
            ImageUnreadable, LimitExceeded, JobFailed: it cannot be rendered.
            MediaBusy, MediaDeadline, MediaUnavailable: it can, but not now.
        """
        if not self.applies(stored):
            raise MediaUnsupported
        preference = negotiate(accept)
        key = self._key(stored, transform, preference)
        found = self._remembered(key)
        if found is None:
            compute = partial(self._find, key, stored, transform, preference)
            found = await self._flights.run(key, compute)
            self._tell()
        return Variant(
            found.content,
            found.content_type,
            key,
            transform.negotiated,
            "hit" if found.cached else "miss",
        )

    def _key(self, stored: StoredObject, transform: Transform, preference: Preference) -> str:
        return variant_key(
            _content_id(stored),
            transform,
            preference,
            encoding=self._encoding,
            limits=self._limits,
        )

    def _remembered(self, key: str) -> "_Found | None":
        entry = self._memory.get_now(key)
        self._looked_up("memory", hit=entry is not None)
        return _Found(entry.data, entry.metadata[_CONTENT_TYPE], cached=True) if entry else None

    async def _find(
        self, key: str, stored: StoredObject, transform: Transform, preference: Preference
    ) -> "_Found":
        found = await self._on_disk(key)
        if found is None:
            self._limits.check("max_source_bytes", stored.version.size)
            found = await self._render(key, stored, transform, preference)
        if isinstance(found.content, bytes):
            entry = CacheEntry(found.content, {_CONTENT_TYPE: found.content_type})
            self._memory.put_now(key, entry)
        return found

    async def _on_disk(self, key: str) -> "_Found | None":
        if self._disk is None:
            return None
        found = await self._disk.find(key)
        self._looked_up("disk", hit=found is not None)
        return _Found(_small(found.file), found.content_type, cached=True) if found else None

    async def _render(
        self, key: str, stored: StoredObject, transform: Transform, preference: Preference
    ) -> "_Found":
        async with self._source(stored) as source:
            try:
                rendering = await self._client.render(key, source, transform, preference)
            except UnsupportedImage as error:
                raise MediaUnsupported from error
        return _Found(_small(rendering.file), rendering.content_type, cached=rendering.cached)

    def _looked_up(self, tier: str, *, hit: bool) -> None:
        if self._metrics:
            self._metrics.looked_up(tier, hit=hit)

    def _tell(self) -> None:
        if self._metrics:
            held = self._memory.stats
            self._metrics.stand(
                size=held.bytes,
                entries=held.entries,
                evictions=held.evictions,
                joined=self._flights.joined,
            )

    @asynccontextmanager
    async def _source(self, stored: StoredObject) -> AsyncIterator[int]:
        path = self._store.path(stored)
        if path is not None:
            try:
                descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                raise BlobMissing(path.name) from None
            try:
                yield descriptor
            finally:
                os.close(descriptor)
            return
        async with AsyncExitStack() as held:
            if stored.version.size > _SMALL_COPY_BYTES:
                await held.enter_async_context(self._copies.taken())
            copy = held.enter_context(anonymous_file("original"))
            async with aclosing(self._store.read(stored)) as chunks:
                async for chunk in chunks:
                    copy.write(chunk)
            copy.flush()
            yield copy.fileno()


class _Places:
    """So many at once, and so many who wait for their turn; the next is sent away."""

    def __init__(self, places: int, waiting: int) -> None:
        self._most = places + waiting
        self._admitted = 0
        self._places = asyncio.Semaphore(places)

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[None]:
        """Raises: MediaBusy."""
        if self._admitted >= self._most:
            raise MediaBusy
        self._admitted += 1
        try:
            async with self._places:
                yield
        finally:
            self._admitted -= 1


@dataclass(frozen=True, slots=True)
class _Found:
    content: bytes | MediaFile
    content_type: str
    cached: bool


def _content_id(stored: StoredObject) -> bytes:
    """What names the bytes for ever: their digest, or who holds them while there is none."""
    version = stored.version
    if version.sha256 is not None:
        return version.sha256
    holder = version.manifest_id or version.blob_id or version.uid
    return b"\0".join((holder, version.etag.encode()))


def _small(file: MediaFile) -> bytes | MediaFile:
    return file.read() if file.size <= _IN_MEMORY_BYTES else file


async def _chunks(file: MediaFile, start: int, length: int) -> AsyncIterator[bytes]:
    for chunk in file.chunks(start, length):
        yield chunk
