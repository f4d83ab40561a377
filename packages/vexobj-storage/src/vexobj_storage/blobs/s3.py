"""Blobs as objects of one bucket of an S3 service, shared by any number of servers.

Keys are used once: `<prefix>ab/<id in hex>`, where `ab` ends the id and spreads the load. Nothing
is read ahead or kept, and no blob is held whole but one that fits into a single part.
"""

from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from vexobj_storage.blobs.base import BlobStat, BlobWriter
from vexobj_storage.blobs.s3writer import S3BlobWriter
from vexobj_storage.blobs.service import (
    RETRY_AFTER_SECONDS,
    Refusal,
    S3BlobConfig,
    S3Service,
    refusals,
    unwritten,
)
from vexobj_storage.errors import (
    BlobCorrupt,
    BlobMissing,
    ReadFailed,
    StoreBusy,
)

_CHUNK = 512 * 1024
_ID_BYTES = 16


class _Cut(Exception):
    """A transfer ended before its end."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__()
        self.refusal = refusal


class S3BlobStore:
    """BlobStore in a bucket that may hold other things beside.

    What a client sees as done was acknowledged by the service, which compared each body with its
    MD5. A service out of reach is StoreBusy, after `max_attempts`.
    """

    def __init__(
        self,
        service: S3Service,
        *,
        write_threads: int = 8,
        thread_initializer: Callable[[], None] | None = None,
    ) -> None:
        self._service = service
        self._prefix = service.config.prefix
        self._threads = ThreadPoolExecutor(write_threads, "vexobj-blob-s3", thread_initializer)

    @classmethod
    async def connect(
        cls, config: S3BlobConfig, *, thread_initializer: Callable[[], None] | None = None
    ) -> Self:
        """No request is made: see `blobs.probe`. Raises: BlobServiceUnusable."""
        return cls(await S3Service.open(config), thread_initializer=thread_initializer)

    def create(self, blob_id: bytes, size: int | None = None) -> BlobWriter:
        return S3BlobWriter(self._service, self._threads, self._key(blob_id), size)

    async def open(self, blob_id: bytes, offset: int, length: int) -> AsyncGenerator[bytes, None]:
        """A transfer that is cut goes on with another request where it was."""
        failures = 0
        while length > 0:
            try:
                async with aclosing(self._transfer(blob_id, offset, length)) as stream:
                    async for chunk in stream:
                        offset, length = offset + len(chunk), length - len(chunk)
                        failures = 0
                        yield chunk
            except _Cut as cut:
                failures += 1
                await self._again(cut.refusal, failures)
                continue
            if length > 0:
                raise BlobCorrupt(blob_id.hex(), f"{length} bytes are missing")

    def read_now(self, blob_id: bytes, offset: int, length: int) -> bytes | None:
        """Nothing can be had without waiting."""
        del blob_id, offset, length
        return None

    def path(self, blob_id: bytes) -> Path | None:
        del blob_id
        return None

    async def delete(self, blob_id: bytes) -> bool:
        """The service does not tell whether it was there: True, without a second request."""
        try:
            await self._service.call("delete_object", {"Key": self._key(blob_id)})
        except Refusal as refusal:
            if not refusal.missing:
                raise unwritten(refusal) from refusal
        return True

    async def stat(self, blob_id: bytes) -> BlobStat | None:
        try:
            head = await self._service.call("head_object", {"Key": self._key(blob_id)})
        except Refusal as refusal:
            if refusal.missing:
                return None
            raise _unread(blob_id, refusal) from refusal
        return BlobStat(blob_id, head["ContentLength"], head["LastModified"])

    async def iterate(self) -> AsyncGenerator[BlobStat, None]:
        """Page by page; what is under the prefix and not a blob is passed over."""
        position: dict[str, str] = {}
        while True:
            page = await self._list("list_objects_v2", position)
            for entry in page.get("Contents", ()):
                blob_id = self._blob_id(entry["Key"])
                if blob_id is not None:
                    yield BlobStat(blob_id, entry["Size"], entry["LastModified"])
            if not page.get("IsTruncated"):
                return
            position = {"ContinuationToken": page["NextContinuationToken"]}

    async def sweep(self, older_than: datetime) -> int:
        """Abort uploads of blobs that were begun before `older_than` by the service's clock."""
        swept, position = 0, dict[str, str]()
        while True:
            page = await self._list("list_multipart_uploads", position)
            for entry in page.get("Uploads", ()):
                if entry["Initiated"] < older_than and self._blob_id(entry["Key"]) is not None:
                    swept += await self._abort(entry["Key"], entry["UploadId"])
            if not page.get("IsTruncated"):
                return swept
            position = {
                "KeyMarker": page["NextKeyMarker"],
                "UploadIdMarker": page["NextUploadIdMarker"],
            }

    async def close(self) -> None:
        """Writes and removals under way are ended first."""
        await self._service.close()
        self._threads.shutdown(wait=False)

    async def _transfer(
        self, blob_id: bytes, offset: int, length: int
    ) -> AsyncGenerator[bytes, None]:
        """What one request brings. Raises: _Cut, after which the rest can be asked for."""
        body, remaining = await self._get(blob_id, offset, length)
        async with body:
            while remaining:
                chunk = await _read(body, min(_CHUNK, remaining))
                remaining -= len(chunk)
                yield chunk

    async def _get(self, blob_id: bytes, offset: int, length: int) -> tuple[Any, int]:
        """A body, and how many of its bytes are wanted: fewer than `length` where it ends."""
        asked = {"Key": self._key(blob_id), "Range": f"bytes={offset}-{offset + length - 1}"}
        try:
            answer = await self._service.call("get_object", asked)
        except Refusal as refusal:
            raise _unread(blob_id, refusal) from refusal
        if offset and not answer.get("ContentRange", "").startswith(f"bytes {offset}-"):
            answer["Body"].close()
            raise ReadFailed("the service does not answer the range that it was asked for")
        return answer["Body"], min(answer["ContentLength"], length)

    async def _again(self, refusal: Refusal, failures: int) -> None:
        try:
            await self._service.pause("get_object", refusal, failures)
        except Refusal:
            raise StoreBusy(RETRY_AFTER_SECONDS) from refusal

    async def _list(self, operation: str, position: dict[str, str]) -> dict[str, Any]:
        try:
            return await self._service.call(operation, {"Prefix": self._prefix, **position})
        except Refusal as refusal:
            raise _unread(b"", refusal) from refusal

    async def _abort(self, key: str, upload_id: str) -> bool:
        try:
            upload = {"Key": key, "UploadId": upload_id}
            await self._service.call("abort_multipart_upload", upload)
        except Refusal as refusal:
            if refusal.missing:
                return False
            raise unwritten(refusal) from refusal
        return True

    def _key(self, blob_id: bytes) -> str:
        name = blob_id.hex()
        return f"{self._prefix}{name[-2:]}/{name}"

    def _blob_id(self, key: str) -> bytes | None:
        try:
            blob_id = bytes.fromhex(key.rpartition("/")[2])
        except ValueError:
            return None
        return blob_id if len(blob_id) == _ID_BYTES and self._key(blob_id) == key else None


async def _read(body: Any, most: int) -> bytes:
    try:
        with refusals():
            chunk: bytes = await body.read(most)
    except Refusal as refusal:
        raise _Cut(refusal) from refusal
    if not chunk:
        raise _Cut(Refusal("ConnectionFailed", 0, "the body ended early"))
    return chunk


def _unread(blob_id: bytes, refusal: Refusal) -> Exception:
    if refusal.missing:
        return BlobMissing(blob_id.hex())
    if refusal.status == 416:
        return BlobCorrupt(blob_id.hex(), "it is shorter than asked for")
    if refusal.transient:
        return StoreBusy(RETRY_AFTER_SECONDS)
    return ReadFailed(str(refusal))
