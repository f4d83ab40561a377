"""The interface of a blob store; implementations say how they keep the bytes."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class BlobStat:
    """`size` in bytes as stored; `modified_at` when the blob became durable."""

    blob_id: bytes
    size: int
    modified_at: datetime


class BlobWriter(Protocol):
    """One blob being written. Calls may come from any one thread at a time.

    Nothing is visible to `open` before `commit` returned. After an error, or when the writer is
    dropped without `commit`, `abort` removes what was written; `abort` is idempotent.
    """

    async def write(self, chunk: bytes | bytearray | memoryview) -> None:
        """Append; returns when the bytes are handed to the store, not when they are durable."""
        ...

    async def commit(self) -> None:
        """Make the blob durable and visible: it survives power loss once this returned.

        Raises:
            OutOfSpace: no room; the blob does not exist.
            WriteFailed: the device refused; the blob does not exist and must not be retried.
        """
        ...

    async def abort(self) -> None: ...


class BlobStore(Protocol):
    """Keeps immutable blobs under random 16-byte ids that the caller chose and never uses twice."""

    def create(self, blob_id: bytes, size: int | None = None) -> BlobWriter:
        """Begin a blob; `size` is a hint for preallocation."""
        ...

    def open(self, blob_id: bytes, offset: int, length: int) -> AsyncIterator[bytes]:
        """Stream `length` bytes from `offset` in chunks of at most 1 MiB.

        Once the first chunk was delivered the rest is delivered even if the blob is deleted
        meanwhile (local stores hold the file open; remote ones rely on the grace of GC).

        Raises:
            BlobMissing: there is no such blob.
            BlobCorrupt: it is shorter than asked for; never a silent short stream.
        """
        ...

    def read_now(self, blob_id: bytes, offset: int, length: int) -> bytes | None:
        """The bytes, if they can be had without waiting for a device; else None.

        Never blocks the caller's event loop for longer than a memory copy.
        """
        ...

    def path(self, blob_id: bytes) -> Path | None:
        """A local file holding exactly the blob's bytes, for zero-copy sending; None if remote."""
        ...

    async def delete(self, blob_id: bytes) -> bool:
        """Remove; False if it was not there."""
        ...

    async def stat(self, blob_id: bytes) -> BlobStat | None: ...

    def iterate(self) -> AsyncIterator[BlobStat]:
        """Every committed blob, in no order; ones that come or go meanwhile may be missed."""
        ...

    async def sweep(self, older_than: datetime) -> int:
        """Remove what interrupted writers left behind before `older_than`; how many."""
        ...

    async def close(self) -> None: ...
