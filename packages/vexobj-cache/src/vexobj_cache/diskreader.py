"""The view of a disk cache from a process that does not own it."""

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import time_ns
from typing import BinaryIO, Self, TypeVar

from vexobj_cache.base import CacheEntry, CacheStats
from vexobj_cache.format import decode, file_is_intact, read_header
from vexobj_cache.tree import EntryTree, entry_name, unlink

_T = TypeVar("_T")

_NOW_MAX = 256 * 1024
_NOWAIT: int = getattr(os, "RWF_NOWAIT", 0)
_TOUCH_NS = 60 * 10**9


@dataclass(frozen=True, slots=True)
class OpenEntry:
    """An entry as an open file, for zero-copy sending: `size` bytes from `offset`.

    It stays whole although the entry be evicted meanwhile. Close it, or use it in a `with`.
    """

    file: BinaryIO
    offset: int
    size: int
    metadata: Mapping[str, str]

    def close(self) -> None:
        self.file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class DiskCacheReader:
    """Cache over a directory that another process owns.

    `put` keeps nothing and leaves alone what the owner keeps, so keys should name their content.

    A spoilt entry that it meets is removed. Blocking work is done in the loop's default threads.
    """

    def __init__(self, root: Path) -> None:
        self.stats = CacheStats()
        self._tree = EntryTree(root)
        self._scratch = _Scratch()

    def get_now(self, key: str) -> CacheEntry | None:
        """An entry of at most 256 KiB that is in the page cache: cheaper than a thread hop."""
        entry = self._unless_refused(self._read_now, key)
        if entry is not None:
            self.stats.hits += 1
        return entry

    async def get(self, key: str) -> CacheEntry | None:
        found = await asyncio.to_thread(self._unless_refused, self._read, key)
        self._count(found is not None)
        return found

    async def open(self, key: str) -> OpenEntry | None:
        """As `get`, for entries better not held in memory; checked from front to back first."""
        found = await asyncio.to_thread(self._unless_refused, self._open, key)
        self._count(found is not None)
        return found

    async def put(self, key: str, entry: CacheEntry) -> bool:
        del key, entry
        return False

    async def delete(self, key: str) -> bool:
        return await asyncio.to_thread(unlink, self._tree.path(entry_name(key)))

    def _count(self, hit: bool) -> None:
        if hit:
            self.stats.hits += 1
        else:
            self.stats.misses += 1

    def _unless_refused(self, read: Callable[[str], _T | None], key: str) -> _T | None:
        try:
            return read(key)
        except FileNotFoundError:
            return None
        except OSError:
            self.stats.failures += 1
            return None

    def _read_now(self, key: str) -> CacheEntry | None:
        with self._open_file(key) as file:
            status = os.fstat(file.fileno())
            if not _NOWAIT or status.st_size > _NOW_MAX:
                return None
            view = self._scratch.view[: status.st_size]
            try:
                received = os.preadv(file.fileno(), [view], 0, _NOWAIT)
            except BlockingIOError:
                return None
            if received < status.st_size:
                return None
            _touch(file, status)
        return self._decode(key, view)

    def _read(self, key: str) -> CacheEntry | None:
        with self._open_file(key) as file:
            status = os.fstat(file.fileno())
            _touch(file, status)
            raw = file.read(status.st_size)
        return self._decode(key, raw)

    def _open(self, key: str) -> OpenEntry | None:
        with contextlib.ExitStack() as on_failure:
            file = on_failure.enter_context(self._open_file(key))
            status = os.fstat(file.fileno())
            _touch(file, status)
            header = read_header(file, status.st_size)
            if header is not None and file_is_intact(key, header, file):
                on_failure.pop_all()
                return OpenEntry(file, header.offset, header.size, header.metadata)
        self._drop_spoilt(key)
        return None

    def _open_file(self, key: str) -> BinaryIO:
        return open(self._tree.path(entry_name(key)), "rb", buffering=0)

    def _decode(self, key: str, raw: bytes | memoryview) -> CacheEntry | None:
        entry = decode(key, raw)
        if entry is None:
            self._drop_spoilt(key)
        return entry

    def _drop_spoilt(self, key: str) -> None:
        self.stats.failures += 1
        unlink(self._tree.path(entry_name(key)))


class _Scratch(threading.local):
    """A buffer per thread: allocating and clearing one per read costs more than the read."""

    def __init__(self) -> None:
        self.view = memoryview(bytearray(_NOW_MAX))


def _touch(file: BinaryIO, status: os.stat_result) -> None:
    """Note a use for the owner, at most once a minute; the modification time stays."""
    now = time_ns()
    if now - status.st_atime_ns > _TOUCH_NS:
        with contextlib.suppress(OSError):
            os.utime(file.fileno(), ns=(now, status.st_mtime_ns))
