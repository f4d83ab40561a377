"""A least-recently-used cache in a directory, bounded by bytes and shared by processes.

One process owns it (DiskCache): it alone writes, accounts and evicts. Any number of others read
it (DiskCacheReader); what they use stays, because a read freshens the file's access time.
"""

import asyncio
import contextlib
import fcntl
import hashlib
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import time_ns
from types import TracebackType
from typing import BinaryIO, Self, TypeVar

from vexobj_cache.base import CacheEntry, CacheStats
from vexobj_cache.format import decode, encode_prefix, file_is_intact, read_header

_T = TypeVar("_T")

_BLOCK = 4096
_NOW_MAX = 256 * 1024
_NOWAIT: int = getattr(os, "RWF_NOWAIT", 0)
_TOUCH_NS = 60 * 10**9
_SECOND_CHANCES = 64


class CacheInUse(Exception):
    """Another process owns the directory."""


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

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class DiskCacheReader:
    """Cache over a directory that another process owns.

    `put` keeps nothing and leaves alone what the owner keeps, so keys should name their content.

    A spoilt entry that it meets is removed. Blocking work is done in the loop's default threads.
    """

    def __init__(self, root: Path) -> None:
        self.stats = CacheStats()
        self._entries = f"{root}/entries"
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
        return await asyncio.to_thread(_unlink, self._path(key))

    def _path(self, key: str) -> str:
        name = _name(key)
        return f"{self._entries}/{name[:2]}/{name}"

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
        file = self._open_file(key)
        status = os.fstat(file.fileno())
        _touch(file, status)
        header = read_header(file, status.st_size)
        if header is None or not file_is_intact(key, header, file):
            file.close()
            self._drop_spoilt(key)
            return None
        return OpenEntry(file, header.offset, header.size, header.metadata)

    def _open_file(self, key: str) -> BinaryIO:
        return open(self._path(key), "rb", buffering=0)  # noqa: PTH123

    def _decode(self, key: str, raw: bytes | memoryview) -> CacheEntry | None:
        entry = decode(key, raw)
        if entry is None:
            self._drop_spoilt(key)
        return entry

    def _drop_spoilt(self, key: str) -> None:
        self.stats.failures += 1
        _unlink(self._path(key))


class DiskCache(DiskCacheReader):
    """The owner's view: DiskCacheReader, and the one that writes.

    Files take whole blocks of 4 KiB and are accounted so; their total, the one being written
    included, never passes `max_bytes`. What a reader removed counts until its turn to be evicted.
    An entry of more than `max_entry_bytes` (an eighth of `max_bytes` if not given) is not kept.

    Making one scans the directory (it blocks), drops what is no entry and what an earlier owner
    left half-written, and evicts what is too much.

    Raises:
        CacheInUse: another process owns `root`.
    """

    def __init__(self, root: Path, max_bytes: int, *, max_entry_bytes: int | None = None) -> None:
        super().__init__(root)
        limit = max_bytes // 8 if max_entry_bytes is None else max_entry_bytes
        self._max_entry_bytes = min(limit, max_bytes)
        self._max_bytes = max_bytes
        self._temporary = f"{root}/tmp"  # noqa: S108 - our own
        self._serial = 0
        self._lock = threading.Lock()
        self._index: OrderedDict[str, _Known] = OrderedDict()
        for path in (str(root), self._entries, self._temporary):
            os.makedirs(path, mode=0o700, exist_ok=True)  # noqa: PTH103
        self._owner = _own(f"{root}/owner.lock")
        self._scan()
        self._evict(max_bytes)

    async def put(self, key: str, entry: CacheEntry) -> bool:
        return await asyncio.to_thread(self._put, key, entry)

    async def delete(self, key: str) -> bool:
        return await asyncio.to_thread(self._delete, key)

    async def trim(self, max_bytes: int) -> int:
        """Evict until at most `max_bytes` are held, as when the disk runs low; bytes freed."""
        return await asyncio.to_thread(self._trim, max_bytes)

    def close(self) -> None:
        """Give up the ownership; entries stay for the next owner."""
        if self._owner >= 0:
            os.close(self._owner)
            self._owner = -1

    def _put(self, key: str, entry: CacheEntry) -> bool:
        prefix = encode_prefix(key, entry)
        name, charge = _name(key), _charge(len(prefix) + len(entry.data))
        with self._lock:
            if charge > self._max_entry_bytes:
                self.stats.rejected += 1
                self._remove(name)
                return False
            self._evict(self._max_bytes - charge)
            try:
                self._write(key, prefix, entry.data)
            except OSError:
                self.stats.failures += 1
                self._remove(name)
                return False
            self._forget(name)
            self._remember(name, _Known(charge, time_ns()))
        return True

    def _write(self, key: str, prefix: bytes, data: bytes) -> None:
        self._serial += 1
        temporary, path = f"{self._temporary}/{self._serial}", self._path(key)
        try:
            with open(temporary, "wb", buffering=0, opener=_private) as file:
                _write_all(file, prefix)
                _write_all(file, data)
            try:
                os.rename(temporary, path)  # noqa: PTH104
            except FileNotFoundError:
                os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)  # noqa: PTH103, PTH120
                os.rename(temporary, path)  # noqa: PTH104
        except OSError:
            _unlink(temporary)
            raise

    def _delete(self, key: str) -> bool:
        with self._lock:
            return self._remove(_name(key))

    def _trim(self, max_bytes: int) -> int:
        with self._lock:
            before = self.stats.bytes
            self._evict(max_bytes)
            return before - self.stats.bytes

    def _evict(self, max_bytes: int) -> None:
        """Drop the least recently used, but pass over some that readers used meanwhile."""
        chances = _SECOND_CHANCES
        while self.stats.bytes > max_bytes and self._index:
            name, known = next(iter(self._index.items()))
            used_ns = _accessed_ns(self._file(name)) if chances else None
            if used_ns is not None and used_ns > known.used_ns:
                chances -= 1
                self._index[name] = _Known(known.charge, used_ns)
                self._index.move_to_end(name)
                continue
            self._remove(name)
            self.stats.evictions += 1

    def _remove(self, name: str) -> bool:
        self._forget(name)
        return _unlink(self._file(name))

    def _file(self, name: str) -> str:
        return f"{self._entries}/{name[:2]}/{name}"

    def _remember(self, name: str, known: "_Known") -> None:
        self._index[name] = known
        self.stats.bytes += known.charge
        self.stats.entries += 1

    def _forget(self, name: str) -> None:
        known = self._index.pop(name, None)
        if known is not None:
            self.stats.bytes -= known.charge
            self.stats.entries -= 1

    def _scan(self) -> None:
        for path, _ in _files(self._temporary):
            _unlink(path)
        found = []
        for path, status in _files(self._entries):
            name = os.path.basename(path)  # noqa: PTH119
            if path == self._file(name) and len(name) == _NAME_LENGTH:
                found.append((status.st_atime_ns, name, _charge(status.st_size)))
            else:
                _unlink(path)
        for used_ns, name, charge in sorted(found):
            self._remember(name, _Known(charge, used_ns))


class _Scratch(threading.local):
    """A buffer per thread: allocating and clearing one per read costs more than the read."""

    def __init__(self) -> None:
        self.view = memoryview(bytearray(_NOW_MAX))


@dataclass(frozen=True, slots=True)
class _Known:
    charge: int
    used_ns: int


_NAME_LENGTH = 40


def _name(key: str) -> str:
    return hashlib.blake2b(key.encode(), digest_size=_NAME_LENGTH // 2).hexdigest()


def _charge(size: int) -> int:
    return -(-size // _BLOCK) * _BLOCK


def _own(path: str) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise CacheInUse(path) from None
    return descriptor


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_EXCL, 0o600)


def _write_all(file: BinaryIO, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[file.write(rest) :]


def _unlink(path: str) -> bool:
    with contextlib.suppress(OSError):
        os.unlink(path)  # noqa: PTH108
        return True
    return False


def _touch(file: BinaryIO, status: os.stat_result) -> None:
    """Note a use for the owner, at most once a minute; the modification time stays."""
    now = time_ns()
    if now - status.st_atime_ns > _TOUCH_NS:
        with contextlib.suppress(OSError):
            os.utime(file.fileno(), ns=(now, status.st_mtime_ns))


def _accessed_ns(path: str) -> int | None:
    try:
        return os.stat(path).st_atime_ns  # noqa: PTH116
    except OSError:
        return None


def _files(directory: str) -> Iterator[tuple[str, os.stat_result]]:
    """All files below, however they got there; links are not followed."""
    for parent, _, names in os.walk(directory):
        for name in names:
            path = f"{parent}/{name}"
            with contextlib.suppress(FileNotFoundError):
                yield path, os.lstat(path)
