"""A least-recently-used cache in a directory, bounded by bytes and shared by processes.

One process owns it (DiskCache): it alone writes, accounts and evicts. Any number of others read
it (DiskCacheReader); what they use stays, because a read freshens the file's access time.
"""

import asyncio
import fcntl
import os
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep, time_ns
from typing import BinaryIO

from vexobj_cache.base import CacheEntry
from vexobj_cache.diskreader import DiskCacheReader
from vexobj_cache.format import encode_prefix
from vexobj_cache.tree import entry_name, unlink

_BLOCK = 4096
_SECOND_CHANCES = 64
_RETRY_SECONDS = 0.02


class CacheInUse(Exception):
    """Another process owns the directory."""


class DiskCache(DiskCacheReader):
    """The owner's view: DiskCacheReader, and the one that writes.

    Files take whole blocks of 4 KiB and are accounted so; their total, the one being written
    included, never passes `max_bytes`. What a reader removed counts until its turn to be evicted.
    An entry of more than `max_entry_bytes` (an eighth of `max_bytes` if not given) is not kept.

    Making one scans the directory (it blocks), drops what is no entry and what an earlier owner
    left half-written, and evicts what is too much.

    Raises:
        CacheInUse: another process still owned `root` after `wait_seconds`.
    """

    def __init__(
        self,
        root: Path,
        max_bytes: int,
        *,
        max_entry_bytes: int | None = None,
        wait_seconds: float = 0.0,
    ) -> None:
        super().__init__(root)
        limit = max_bytes // 8 if max_entry_bytes is None else max_entry_bytes
        self._max_entry_bytes = min(limit, max_bytes)
        self._max_bytes = max_bytes
        self._serial = 0
        self._lock = threading.Lock()
        self._index: OrderedDict[str, _Known] = OrderedDict()
        self._tree.make()
        self._owner = _own(f"{root}/owner.lock", wait_seconds)
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
        name, charge = entry_name(key), _charge(len(prefix) + len(entry.data))
        with self._lock:
            if charge > self._max_entry_bytes:
                self.stats.rejected += 1
                self._remove(name)
                return False
            self._evict(self._max_bytes - charge)
            try:
                self._write(name, prefix, entry.data)
            except OSError:
                self.stats.failures += 1
                self._remove(name)
                return False
            self._forget(name)
            self._remember(name, _Known(charge, time_ns()))
        return True

    def _write(self, name: str, prefix: bytes, data: bytes) -> None:
        self._serial += 1
        temporary, path = f"{self._tree.temporary}/{self._serial}", self._tree.path(name)
        try:
            with open(temporary, "wb", buffering=0, opener=_private) as file:
                _write_all(file, prefix)
                _write_all(file, data)
            try:
                os.rename(temporary, path)
            except FileNotFoundError:
                os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
                os.rename(temporary, path)
        except OSError:
            unlink(temporary)
            raise

    def _delete(self, key: str) -> bool:
        with self._lock:
            return self._remove(entry_name(key))

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
            used_ns = _accessed_ns(self._tree.path(name)) if chances else None
            if used_ns is not None and used_ns > known.used_ns:
                chances -= 1
                self._index[name] = _Known(known.charge, used_ns)
                self._index.move_to_end(name)
                continue
            self._remove(name)
            self.stats.evictions += 1

    def _remove(self, name: str) -> bool:
        self._forget(name)
        return unlink(self._tree.path(name))

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
        found = [(status.st_atime_ns, name, status.st_size) for name, status in self._tree.clean()]
        for used_ns, name, size in sorted(found):
            self._remember(name, _Known(_charge(size), used_ns))


@dataclass(frozen=True, slots=True)
class _Known:
    charge: int
    used_ns: int


def _charge(size: int) -> int:
    return -(-size // _BLOCK) * _BLOCK


def _own(path: str, wait_seconds: float) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = monotonic() + wait_seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if monotonic() >= deadline:
                os.close(descriptor)
                raise CacheInUse(path) from None
            sleep(_RETRY_SECONDS)
        else:
            return descriptor


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_EXCL, 0o600)


def _write_all(file: BinaryIO, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[file.write(rest) :]


def _accessed_ns(path: str) -> int | None:
    try:
        return os.stat(path).st_atime_ns
    except OSError:
        return None
