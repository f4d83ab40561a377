"""The interface of a blob store; implementations say how they keep the bytes."""

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from vexobj_storage.files import Buffer

Through = Callable[[Buffer], Buffer]


@dataclass(frozen=True, slots=True)
class BlobStat:
    """`size` in bytes as stored; `modified_at` when the blob became durable."""

    blob_id: bytes
    size: int
    modified_at: datetime


class BlobWriter(Protocol):
    """One blob being written: one call at a time, ended by exactly one of `commit` and `abort`.

    Nothing is visible to `open` before `commit` has begun. Who opens a writer owes it an `abort`
    on every way out that is not a returned `commit`, cancellation included.
    """

    async def write(self, chunk: Buffer, through: Through | None = None) -> None:
        """Append `chunk`, or what `through` makes of it, to what is handed to the device.

        `through` runs off the event loop, once and in order, in the very worker-thread call that
        writes: digests and ciphers cost no hop of their own, and stores that wrap stores compose
        by nesting it. `chunk` must not change until this returned or `abort` did.

        Raises:
            OutOfSpace, WriteFailed: as `commit`.
        """
        ...

    async def commit(self) -> None:
        """Make the blob durable and visible: it survives power loss once this returned.

        Raises:
            OutOfSpace: no room; the blob does not exist.
            WriteFailed: the device refused; the blob does not exist and must not be retried.
        """
        ...

    async def abort(self) -> None:
        """Remove what was written, a blob whose `commit` was cancelled included.

        Idempotent, does nothing after a `commit` that returned, and is carried out even if the
        call itself is cancelled.
        """
        ...


class BlobStore(Protocol):
    """Keeps immutable blobs under random 16-byte ids that the caller chose and never uses twice."""

    def create(self, blob_id: bytes, size: int | None = None) -> BlobWriter:
        """Begin a blob; no I/O on a device. Give `size` if it is known.

        Raises:
            OutOfSpace: `size` cannot fit.
        """
        ...

    def open(self, blob_id: bytes, offset: int, length: int) -> AsyncGenerator[bytes, None]:
        """Stream `length` bytes from `offset` in chunks of at most 1 MiB.

        Nothing is read before the first chunk is asked for; who stops early owes the stream an
        `aclose`. Once the first chunk was delivered the rest is delivered even if the blob is
        deleted meanwhile (local stores hold the file open; remote ones rely on the grace of GC).

        Raises:
            BlobMissing: there is no such blob.
            BlobCorrupt: it is shorter than asked for; never a silent short stream.
            ReadFailed: the medium refused; nothing is known of the blob.
            StoreBusy: the medium is out of reach for now.
        """
        ...

    def read_now(self, blob_id: bytes, offset: int, length: int) -> bytes | None:
        """The bytes, if they are few and can be had without waiting for a device; else None.

        None says nothing about the blob: `open` tells what is wrong, if anything is. Never blocks
        the caller's event loop for longer than a memory copy.
        """
        ...

    def path(self, blob_id: bytes) -> Path | None:
        """A local file holding exactly the blob's bytes, for zero-copy sending; None if remote."""
        ...

    async def delete(self, blob_id: bytes) -> bool:
        """Remove; False if it was not there, as far as the store can tell without asking twice.

        Raises: WriteFailed when the medium refuses.
        """
        ...

    async def stat(self, blob_id: bytes) -> BlobStat | None:
        """None if there is no such blob. Raises: ReadFailed, StoreBusy, BlobCorrupt, as `open`."""
        ...

    def iterate(self) -> AsyncGenerator[BlobStat, None]:
        """Every committed blob, in no order; ones that come or go meanwhile may be missed."""
        ...

    async def sweep(self, older_than: datetime) -> int:
        """Remove what interrupted writers left behind before `older_than`; how many."""
        ...

    async def close(self) -> None: ...
