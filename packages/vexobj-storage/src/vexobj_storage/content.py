"""Bytes on their way in and out: staging, streaming, ranges; no names and no versions."""

from collections.abc import AsyncGenerator, AsyncIterable, Mapping
from contextlib import aclosing
from pathlib import Path

from vexobj_storage import reading, staging
from vexobj_storage.core import Core
from vexobj_storage.errors import BlobCorrupt, BlobMissing
from vexobj_storage.metadata.layout import Layout
from vexobj_storage.metadata.ops import objects
from vexobj_storage.quarantine import Guarded
from vexobj_storage.sealing.ids import sealing_key
from vexobj_storage.types import (
    Hasher,
    Location,
    ObjectVersion,
    Segment,
    StagedContent,
    StoredObject,
)

_CHUNK = 1024 * 1024
_NOW_MAX = 256 * 1024


class Content(Core):
    @property
    def may_be_sealed(self) -> bool:
        """False where nothing was ever encrypted."""
        return self._keys.known_keys > 0

    def stage_bytes(self, data: bytes, *, sha256: bytes | None = None) -> StagedContent:
        """Stage content of at most `inline_max_bytes`, without I/O. `sha256` if already known."""
        if len(data) > self.config.inline_max_bytes:
            raise ValueError(f"{len(data)} bytes are too many to be kept inline")
        return staging.stage_bytes(data, sha256=sha256, key=self._keys.current)

    async def stage(
        self,
        chunks: AsyncIterable[bytes],
        *,
        size: int | None = None,
        hashers: Mapping[str, Hasher] | None = None,
    ) -> StagedContent:
        """Read all chunks; MD5, SHA-256 and `hashers` see every byte in one worker-thread call.

        On return the bytes are durable, or inline when they are few. Whatever `chunks` raises
        passes through, and nothing is left behind.

        Raises: EntityTooLarge, SizeMismatch (`size` was announced), OutOfSpace, WriteFailed.
        """
        self._check_room(size or 0)
        return await staging.stage(
            self._blobs,
            chunks,
            inline_max_bytes=self.config.inline_max_bytes,
            max_bytes=self.config.max_object_bytes,
            size=size,
            hashers=hashers,
            key=self._keys.current,
        )

    async def check_readable(self, stored: StoredObject, start: int, length: int) -> None:
        """Find out before the first byte what `read` would find in the midst of the range.

        Raises: BlobCorrupt for what is in quarantine.
        """
        if not self._quarantine.ids or stored.inline is not None:
            return
        segments = await self._segments(stored, start, length)
        manifest_id = stored.version.manifest_id
        if manifest_id is not None and any(s.blob_id in self._quarantine.ids for s in segments):
            segments = (await self._fresh_layout(manifest_id)).slice(start, length)
        for segment in segments:
            self._quarantine.refuse(segment.blob_id)

    async def read(
        self, stored: StoredObject, start: int = 0, length: int | None = None
    ) -> AsyncGenerator[bytes, None]:
        """Stream a range of the object's bytes in chunks of at most 1 MiB, in constant memory.

        Raises: BlobMissing, BlobCorrupt, KeyUnavailable; never a short stream that ends in peace.
        """
        version = stored.version
        length = version.size - start if length is None else length
        if stored.inline is not None:
            for at in range(start, start + length, _CHUNK):
                yield stored.inline[at : min(at + _CHUNK, start + length)]
            return
        if version.manifest_id is not None:
            stream = self._read_manifest(version.manifest_id, start, length)
        elif version.blob_id is not None and sealing_key(version.blob_id):
            self._quarantine.refuse(version.blob_id)
            stream = self._opened.open(version.blob_id, start, length, version.size)
        else:
            blobs = Guarded(self._blobs, self._quarantine)
            stream = reading.read_segments(blobs, [_whole(stored)], start, length)
        async with aclosing(stream):
            async for chunk in stream:
                yield chunk

    def read_now(self, stored: StoredObject, start: int, length: int) -> bytes | None:
        """A small range (<= 256 KiB), if it is inline or in the page cache; None otherwise."""
        if stored.inline is not None:
            return stored.inline[start : start + length]
        if length > _NOW_MAX:
            return None
        version = stored.version
        if version.blob_id is not None:
            if version.blob_id in self._quarantine.ids:
                return None
            return self._opened.read_now(version.blob_id, start, length, version.size)
        layout = None if version.manifest_id is None else self._layouts.get(version.manifest_id)
        segment = None if layout is None else layout.locate(start)
        if segment is None or segment.location is not Location.STORE:
            return None
        if sealing_key(segment.blob_id) or segment.blob_id in self._quarantine.ids:
            return None
        if start + length > segment.start + segment.length:
            return None
        return reading.read_segment_now(self._blobs, segment, start, length)

    def path(self, stored: StoredObject) -> Path | None:
        """The local file that holds exactly the object's bytes, if there is one.

        It stays for at least the GC grace after the object is deleted.
        """
        blob_id = stored.version.blob_id
        if blob_id is None or stored.location is not Location.STORE or sealing_key(blob_id):
            return None
        if blob_id in self._quarantine.ids:
            return None
        return self._blobs.path(blob_id)

    async def is_sealed(self, version: ObjectVersion) -> bool:
        """Whether all of its bytes are encrypted at rest."""
        if version.manifest_id is not None:
            return (await self._layout(version.manifest_id)).is_sealed
        return version.blob_id is not None and sealing_key(version.blob_id) != 0

    async def part_range(self, stored: StoredObject, number: int) -> tuple[int, int] | None:
        """(start, length) of a part; a single PUT is its own part 1."""
        manifest_id = stored.version.manifest_id
        if manifest_id is None:
            return (0, stored.version.size) if number == 1 else None
        return (await self._layout(manifest_id)).part(number)

    async def _segments(self, stored: StoredObject, start: int, length: int) -> list[Segment]:
        """The segments of a range, counted from its beginning."""
        if stored.version.manifest_id is not None:
            return (await self._layout(stored.version.manifest_id)).slice(start, length)
        whole = _whole(stored)
        return [Segment(0, whole.blob_id, start, length, whole.location)]

    async def _layout(self, manifest_id: bytes) -> Layout:
        return self._layouts.get(manifest_id) or await self._fresh_layout(manifest_id)

    async def _fresh_layout(self, manifest_id: bytes) -> Layout:
        packed = await self._metadata.read(objects.manifest, manifest_id)
        if packed is None:
            raise BlobMissing(manifest_id.hex())
        layout = Layout(packed)
        self._layouts.put(manifest_id, layout, len(layout.packed))
        return layout

    async def _read_manifest(
        self, manifest_id: bytes, start: int, length: int
    ) -> AsyncGenerator[bytes, None]:
        """Goes on with the new blobs when the old ones were rewritten or healed meanwhile."""
        layout = await self._layout(manifest_id)
        while True:
            inline = self._inline(layout)
            blobs = Guarded(self._opened, self._quarantine)
            stream = reading.read_segments(blobs, layout, start, length, inline=inline)
            try:
                async with aclosing(stream):
                    async for chunk in stream:
                        yield chunk
                        start, length = start + len(chunk), length - len(chunk)
            except (BlobMissing, BlobCorrupt):
                outdated, layout = layout, await self._fresh_layout(manifest_id)
                if layout.packed == outdated.packed:
                    raise
            else:
                return

    def _inline(self, layout: Layout) -> reading.InlineBytes | None:
        if not layout.has_inline:
            return None

        async def inline(blob_id: bytes) -> bytes | None:
            self._quarantine.refuse(blob_id)
            data = await self._metadata.read(objects.inline_data, blob_id)
            return None if data is None else await self._opened.inline(blob_id, data)

        return inline


def _whole(stored: StoredObject) -> Segment:
    version = stored.version
    assert version.blob_id is not None
    location = Location.STORE if stored.location is None else stored.location
    return Segment(0, version.blob_id, 0, version.size, location)
