"""Blobs in a dictionary: for tests and throw-away stores. Nothing in it outlives the process."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from pathlib import Path

from vexobj_storage.blobs.base import BlobStat, BlobWriter, Through
from vexobj_storage.errors import BlobCorrupt, BlobMissing, WriteFailed
from vexobj_storage.files import Buffer

_CHUNK = 512 * 1024


class MemoryBlobStore:
    """BlobStore for one event loop."""

    def __init__(self) -> None:
        self._blobs: dict[bytes, tuple[bytes, datetime]] = {}

    def create(self, blob_id: bytes, size: int | None = None) -> BlobWriter:
        del size
        return _MemoryBlobWriter(self._blobs, blob_id)

    async def open(self, blob_id: bytes, offset: int, length: int) -> AsyncGenerator[bytes, None]:
        if length <= 0:
            return
        found = self._blobs.get(blob_id)
        if found is None:
            raise BlobMissing(blob_id.hex())
        view = memoryview(found[0])[offset : offset + length]
        for start in range(0, len(view), _CHUNK):
            yield bytes(view[start : start + _CHUNK])
        if len(view) < length:
            raise BlobCorrupt(blob_id.hex(), f"{length - len(view)} bytes are missing")

    def read_now(self, blob_id: bytes, offset: int, length: int) -> bytes | None:
        found = self._blobs.get(blob_id)
        data = b"" if found is None else found[0][offset : offset + length]
        return data if found is not None and len(data) == length else None

    def path(self, blob_id: bytes) -> Path | None:
        del blob_id
        return None

    async def delete(self, blob_id: bytes) -> bool:
        return self._blobs.pop(blob_id, None) is not None

    async def stat(self, blob_id: bytes) -> BlobStat | None:
        found = self._blobs.get(blob_id)
        return None if found is None else BlobStat(blob_id, len(found[0]), found[1])

    async def iterate(self) -> AsyncGenerator[BlobStat, None]:
        for blob_id, (data, modified_at) in list(self._blobs.items()):
            yield BlobStat(blob_id, len(data), modified_at)

    async def sweep(self, older_than: datetime) -> int:
        """Writers leave nothing behind here."""
        del older_than
        return 0

    async def close(self) -> None:
        """Keeps the blobs, so that a test may look at them."""


class _MemoryBlobWriter:
    def __init__(self, blobs: dict[bytes, tuple[bytes, datetime]], blob_id: bytes) -> None:
        self._blobs = blobs
        self._blob_id = blob_id
        self._data = bytearray()
        self._closed = False

    async def write(self, chunk: Buffer, through: Through | None = None) -> None:
        self._check_open()
        self._data += chunk if through is None else through(chunk)

    async def commit(self) -> None:
        self._check_open()
        self._closed = True
        self._blobs[self._blob_id] = (bytes(self._data), datetime.now(UTC))

    async def abort(self) -> None:
        self._closed = True
        self._data.clear()

    def _check_open(self) -> None:
        if self._closed:
            raise WriteFailed("the writer is closed")
