"""The store's multipart uploads."""

import asyncio
import hashlib
from collections.abc import Sequence

from vexobj_storage.content import Content
from vexobj_storage.errors import BlobCorrupt, CommitUncertain, NoSuchVersion, StorageError
from vexobj_storage.ids import new_id
from vexobj_storage.locks import UNLOCKED, ObjectLock
from vexobj_storage.metadata import rows
from vexobj_storage.metadata.ops import completion, listing, multipart
from vexobj_storage.names import check_key
from vexobj_storage.types import (
    Bucket,
    Checksum,
    CompletedPart,
    ObjectAttributes,
    ObjectVersion,
    Part,
    PartPage,
    StagedContent,
    StoredObject,
    Upload,
    UploadPage,
    WriteCondition,
)

_ANY = WriteCondition()


class Uploads(Content):
    async def create_upload(
        self,
        bucket: Bucket,
        key: bytes,
        attributes: ObjectAttributes,
        *,
        checksum_algorithm: str | None = None,
        checksum_composite: bool = True,
        lock: ObjectLock = UNLOCKED,
    ) -> Upload:
        """`lock` is what the object will begin with.

        Raises: NoSuchBucket, InvalidKey, OutOfSpace.
        """
        check_key(key)
        self._room.check()
        now_us = self._now_us()
        upload = Upload(
            bucket.id,
            key,
            new_id().hex(),
            rows.to_datetime(now_us),
            attributes,
            checksum_algorithm,
            checksum_composite,
        )
        await self._metadata.write(multipart.create_upload, bucket, upload, lock, now_us)
        return upload

    async def upload(self, bucket: Bucket, key: bytes, upload_id: str) -> Upload:
        """An open upload of exactly this bucket and key. Raises: NoSuchUpload."""
        return await self._metadata.read(multipart.get_upload, bucket.id, key, upload_id)

    async def put_part(
        self,
        upload: Upload,
        number: int,
        staged: StagedContent,
        checksum: Checksum | None = None,
    ) -> Part:
        """Consumes `staged` whatever happens. Raises: NoSuchUpload, OutOfSpace."""
        now_us = self._now_us()
        part = Part(number, staged.size, staged.md5.hex(), rows.to_datetime(now_us), checksum)
        try:
            self._room.check()
            blob_id = await self._metadata.write(
                multipart.put_part,
                upload,
                part,
                staged,
                deduplicate=self.config.deduplication,
            )
        except CommitUncertain:
            raise  # it may be in use; if it is not, it falls to the sweep of orphans
        except StorageError:
            await self.discard(staged)
            raise
        if blob_id != staged.blob_id:
            await self.discard(staged)
        return part

    async def copy_part(
        self, upload: Upload, number: int, source: StoredObject, start: int, length: int
    ) -> Part:
        """A part made of a range of another object's segments: no byte is written.

        The part's ETag is the MD5 of the range, computed by reading it.
        Raises: NoSuchUpload, NoSuchVersion, BlobCorrupt, OutOfSpace.
        """
        self._room.check()
        etag = await self._md5(source, start, length)
        segments = await self._segments(source, start, length)
        version = source.version
        part = Part(number, length, etag, rows.to_datetime(self._now_us()))
        try:
            await self._metadata.write(multipart.copy_part, upload, part, version, segments)
        except (NoSuchVersion, BlobCorrupt):
            if version.manifest_id is None:
                raise
            # What is remembered of it may be outdated: its blobs were rewritten or healed.
            segments = (await self._fresh_layout(version.manifest_id)).slice(start, length)
            await self._metadata.write(multipart.copy_part, upload, part, version, segments)
        return part

    async def list_parts(self, upload: Upload, *, after: int = 0, limit: int = 1000) -> PartPage:
        """Raises: NoSuchUpload."""
        return await self._metadata.scan(multipart.list_parts, upload, after, limit)

    async def list_uploads(
        self,
        bucket: Bucket,
        *,
        prefix: bytes = b"",
        delimiter: bytes = b"",
        key_marker: bytes = b"",
        upload_id_marker: str | None = None,
        limit: int = 1000,
    ) -> UploadPage:
        """Open uploads by key, the oldest of a key first. Raises: NoSuchUpload (the marker)."""
        return await self._metadata.scan(
            listing.list_uploads,
            bucket.id,
            prefix,
            delimiter,
            key_marker,
            upload_id_marker,
            limit,
        )

    async def complete_upload(
        self,
        bucket: Bucket,
        key: bytes,
        upload_id: str,
        parts: Sequence[CompletedPart],
        condition: WriteCondition = _ANY,
        *,
        checksum: Checksum | None = None,
        size: int | None = None,
        minimum_part_bytes: int = 5 * 1024**2,
    ) -> ObjectVersion:
        """A constant number of rows, no bytes. The same completion again answers the same.

        Raises: NoSuchUpload, InvalidPart, InvalidPartOrder, EntityTooSmall, EntityTooLarge,
            SizeMismatch (`size` was announced), PreconditionFailed, NoSuchKey (If-Match on a key
            that is not there), ObjectLocked.
        """
        asked = completion.Completion(
            parts,
            condition,
            checksum,
            size,
            minimum_part_bytes,
            self.config.max_object_bytes,
            self.clock_guard.now_us_within,
        )
        return await self._metadata.write(
            completion.complete_upload, bucket, key, upload_id, asked, self._now_us()
        )

    async def abort_upload(self, bucket: Bucket, key: bytes, upload_id: str) -> None:
        """Raises: NoSuchUpload."""
        await self._metadata.write(multipart.abort_upload, bucket, key, upload_id, self._now_us())

    async def parts(self, stored: StoredObject) -> Sequence[Part]:
        """The parts of a completed multipart object; empty for a single PUT."""
        manifest_id = stored.version.manifest_id
        if manifest_id is None:
            return ()
        layout = await self._layout(manifest_id)
        return await self._metadata.scan(multipart.manifest_parts, manifest_id, layout)

    async def _md5(self, source: StoredObject, start: int, length: int) -> str:
        version = source.version
        if version.blob_id is not None and (start, length) == (0, version.size):
            return version.etag
        digest = hashlib.md5(usedforsecurity=False)
        async for chunk in self.read(source, start, length):
            await asyncio.to_thread(digest.update, chunk)
        return digest.hexdigest()
