"""The stamps of a data directory: counters that every process there reads without a system call.

Stamp 0 is the epoch, of buckets, identities and keys; the others each stand for the objects whose
keys fall on it. A stamp is even when nothing is under way. A writer makes it odd before a commit
that outdates what is cached under it, and even again after it; so a process that dies between the
two leaves it odd, and nobody trusts a cache under it until somebody repairs it.
"""

import itertools
import mmap
import os
from collections.abc import Iterable
from pathlib import Path
from zlib import crc32

_COUNTERS = 1 << 16
_SIZE = 8 * _COUNTERS

EPOCH = 0


def stamp_of(bucket_id: int, key: bytes) -> int:
    """Which stamp an object falls on, the same in every process; never the epoch."""
    return crc32(key, bucket_id & 0xFFFFFFFF) % (_COUNTERS - 1) + 1


class EpochFile:
    """Reading is free of locks; `begin`, `end` and `repair` belong under the write lock."""

    def __init__(self, path: Path) -> None:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if os.fstat(descriptor).st_blocks * 512 < _SIZE:
                # A hole that no block can be found for kills the process that writes to its map.
                os.posix_fallocate(descriptor, 0, _SIZE)
            self._map = mmap.mmap(descriptor, _SIZE)
        finally:
            os.close(descriptor)
        self._counters = memoryview(self._map).cast("Q")
        self._distrust = itertools.count(-1, -1)

    def read(self) -> int:
        """The epoch; a number never seen before while a commit is under way."""
        value: int = self._counters[EPOCH]
        return value if value & 1 == 0 else next(self._distrust)

    def stamp(self, bucket_id: int, key: bytes) -> int | None:
        """An object's stamp; None while a commit that may change the object is under way."""
        value: int = self._counters[stamp_of(bucket_id, key)]
        return value if value & 1 == 0 else None

    def begin(self, stamps: Iterable[int]) -> None:
        for number in stamps:
            self._counters[number] |= 1

    def end(self, stamps: Iterable[int]) -> None:
        for number in stamps:
            self._counters[number] = (self._counters[number] | 1) + 1

    def repair_epoch(self) -> None:
        """End what a process that died had begun with the epoch."""
        if self._counters[EPOCH] & 1:
            self.end((EPOCH,))

    def repair(self) -> None:
        """The same for every stamp: a look at all of them."""
        self.end(number for number, value in enumerate(self._counters.tolist()) if value & 1)

    def close(self) -> None:
        self._counters.release()
        self._map.close()
