"""Blobs as files of one local directory, shared by any number of processes."""

import asyncio
import errno
import os
import threading
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import ParamSpec, TypeVar

from vexobj_storage.blobs.base import BlobStat, BlobWriter, Through
from vexobj_storage.blobs.durable import BlobTree, DurableFile
from vexobj_storage.errors import (
    BlobCorrupt,
    BlobMissing,
    OutOfSpace,
    ReadFailed,
    StoreBusy,
    StoreClosed,
)
from vexobj_storage.files import Buffer, Files, PosixFiles, make_durable_directory, write_failure

_P = ParamSpec("_P")
_T = TypeVar("_T")

_CHUNK = 512 * 1024
_NOW_MAX = 256 * 1024
_NOWAIT: int = getattr(os, "RWF_NOWAIT", 0)


class LocalBlobStore:
    """BlobStore in `root`: `blobs/ab/cd/<id in hex>` and `tmp/`, which share one file system.

    Files are readable by their owner only. Reads and durable writes have threads of their own, so
    that a slow fsync does not hold up a download.
    """

    def __init__(
        self,
        root: Path,
        *,
        read_threads: int = 8,
        write_threads: int = 16,
        thread_initializer: Callable[[], None] | None = None,
        files: Files | None = None,
    ) -> None:
        """`thread_initializer` is called at the start of each thread that reads or writes."""
        files = files or PosixFiles()
        make_durable_directory(root, files)
        self._tree = BlobTree(str(root), files)
        self._readers = ThreadPoolExecutor(read_threads, "vexobj-blob-read", thread_initializer)
        self._writers = ThreadPoolExecutor(write_threads, "vexobj-blob-write", thread_initializer)
        self._can_read_now = bool(_NOWAIT)
        self._scratch = _Scratch()

    def create(self, blob_id: bytes, size: int | None = None) -> BlobWriter:
        return _LocalBlobWriter(self._tree, self._writers, blob_id, size)

    async def open(self, blob_id: bytes, offset: int, length: int) -> AsyncGenerator[bytes, None]:
        if length <= 0:
            return
        reader = _Reader(self._tree.path(blob_id), blob_id, offset, length)
        ahead: Future[bytes] = _submit(self._readers, reader.read)
        try:
            while True:
                chunk = await asyncio.wrap_future(ahead)
                length -= len(chunk)
                if length:
                    ahead = _submit(self._readers, reader.read)
                yield chunk
                if not length:
                    return
        finally:
            if not reader.closed:
                _run_anyway(self._readers, reader.close)

    def read_now(self, blob_id: bytes, offset: int, length: int) -> bytes | None:
        """At most 256 KiB. A cold directory entry may still cost a device read: see the design."""
        if length > _NOW_MAX or not self._can_read_now:
            return None
        try:
            descriptor = os.open(self._tree.path(blob_id), os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return None
        view = self._scratch.view[:length]
        try:
            received = os.preadv(descriptor, [view], offset, _NOWAIT)
        except BlockingIOError:
            return None
        except OSError as error:
            if error.errno == errno.EOPNOTSUPP:
                self._can_read_now = False
            return None
        finally:
            os.close(descriptor)
        return bytes(view) if received == length else None

    def path(self, blob_id: bytes) -> Path | None:
        return Path(self._tree.path(blob_id))

    async def delete(self, blob_id: bytes) -> bool:
        return await _run(self._writers, _unlink, self._tree.path(blob_id))

    async def stat(self, blob_id: bytes) -> BlobStat | None:
        return await _run(self._readers, _stat, self._tree.path(blob_id), blob_id)

    async def iterate(self) -> AsyncGenerator[BlobStat, None]:
        """One directory of the last level is held in memory at a time."""
        for top in await _run(self._readers, _names, self._tree.blobs):
            for shard in await _run(self._readers, _names, f"{self._tree.blobs}/{top}"):
                directory = f"{self._tree.blobs}/{top}/{shard}"
                for found in await _run(self._readers, _blobs, directory):
                    yield found

    async def sweep(self, older_than: datetime) -> int:
        return await _run(self._writers, _remove_old, self._tree.temporary, older_than.timestamp())

    async def close(self) -> None:
        """Waits for writes under way; after it every call raises StoreClosed."""
        await asyncio.to_thread(self._writers.shutdown)
        await asyncio.to_thread(self._readers.shutdown)


class _LocalBlobWriter:
    """A DurableFile driven from an event loop."""

    def __init__(
        self, tree: BlobTree, executor: ThreadPoolExecutor, blob_id: bytes, size: int | None
    ) -> None:
        self._file = DurableFile(tree, blob_id)
        self._executor = executor
        self._committed = False
        if size is not None and size > _CHUNK and size > _free_bytes(tree.temporary):
            raise OutOfSpace

    async def write(self, chunk: Buffer, through: Through | None = None) -> None:
        await _run(self._executor, self._file.append, chunk, through)

    async def commit(self) -> None:
        await _run(self._executor, self._file.commit)
        self._committed = True

    async def abort(self) -> None:
        if not self._committed:
            await asyncio.shield(asyncio.wrap_future(_run_anyway(self._executor, self._file.abort)))


class _Scratch(threading.local):
    """A buffer per thread: allocating and clearing one per read costs more than the read."""

    def __init__(self) -> None:
        self.view = memoryview(bytearray(_NOW_MAX))


class _Reader:
    """A file read from front to back by one thread at a time; it closes itself at the end."""

    def __init__(self, path: str, blob_id: bytes, offset: int, length: int) -> None:
        self.closed = False
        self._path = path
        self._blob_id = blob_id
        self._offset = offset
        self._remaining = length
        self._lock = threading.Lock()
        self._descriptor = -1

    def read(self) -> bytes:
        """The next chunk. Nothing once closed."""
        with self._lock:
            if self.closed:
                return b""
            try:
                if self._descriptor < 0:
                    self._descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
                chunk = os.pread(self._descriptor, min(self._remaining, _CHUNK), self._offset)
            except OSError as error:
                raise self._failure(error) from error
            if not chunk:
                raise BlobCorrupt(self._blob_id.hex(), f"{self._remaining} bytes are missing")
            self._offset += len(chunk)
            self._remaining -= len(chunk)
            if not self._remaining:
                self._close()
            return chunk

    def close(self) -> None:
        """From any thread; a read under way ends first."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        self.closed = True
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _failure(self, error: OSError) -> Exception:
        if isinstance(error, FileNotFoundError):
            return BlobMissing(self._blob_id.hex())
        return _read_failure(self._blob_id, error)


def _submit(
    executor: ThreadPoolExecutor, call: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs
) -> Future[_T]:
    try:
        return executor.submit(call, *args, **kwargs)
    except RuntimeError:
        raise StoreClosed from None


async def _run(
    executor: ThreadPoolExecutor, call: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs
) -> _T:
    """Await `call` in a thread; a cancelled caller leaves, the call runs to its end."""
    future = asyncio.wrap_future(_submit(executor, call, *args, **kwargs))
    return await asyncio.shield(future)


def _run_anyway(executor: ThreadPoolExecutor, call: Callable[[], None]) -> "Future[None]":
    """Run `call` in a thread, or here when the executor is shut down; cancelling is no use."""
    try:
        future = executor.submit(call)
    except RuntimeError:
        future = Future()
        future.set_running_or_notify_cancel()
        call()
        future.set_result(None)
    return future


def _free_bytes(path: str) -> int:
    free = os.statvfs(path)
    return free.f_bavail * free.f_frsize


def _unlink(path: str) -> bool:
    try:
        os.unlink(path)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise write_failure(error) from error
    return True


def _describe(blob_id: bytes, status: os.stat_result) -> BlobStat:
    return BlobStat(blob_id, status.st_size, datetime.fromtimestamp(status.st_mtime, UTC))


def _stat(path: str, blob_id: bytes) -> BlobStat | None:
    try:
        return _describe(blob_id, os.stat(path))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _read_failure(blob_id, error) from error


def _read_failure(blob_id: bytes, error: OSError) -> Exception:
    """What cannot be read says nothing of its bytes, unless it is no file at all."""
    if error.errno in {errno.EISDIR, errno.ENOTDIR, errno.ELOOP, errno.ENXIO}:
        return BlobCorrupt(blob_id.hex(), "it is no file any more")
    if error.errno in {errno.EMFILE, errno.ENFILE}:
        return StoreBusy()
    return ReadFailed(error.strerror or str(error))


def _entries(directory: str) -> Iterator["os.DirEntry[str]"]:
    try:
        with os.scandir(directory) as entries:
            yield from entries
    except (FileNotFoundError, NotADirectoryError):
        return


def _names(directory: str) -> list[str]:
    return [entry.name for entry in _entries(directory)]


def _blobs(directory: str) -> list[BlobStat]:
    found = []
    for entry in _entries(directory):
        try:
            found.append(_describe(bytes.fromhex(entry.name), entry.stat(follow_symlinks=False)))
        except (ValueError, FileNotFoundError):
            continue
    return found


def _remove_old(directory: str, before: float) -> int:
    removed = 0
    for entry in _entries(directory):
        try:
            if entry.stat(follow_symlinks=False).st_mtime < before:
                removed += _unlink(entry.path)
        except FileNotFoundError:
            continue
    return removed
