"""The epoch of a data directory: a counter that every process there reads without a system call.

It is even when nothing is under way. A writer makes it odd before a commit that outdates caches,
and even again after it; so a process that dies between the two leaves an odd epoch, under which
nobody trusts a cache until the next writer repairs it.
"""

import itertools
import mmap
import os
from pathlib import Path

_SIZE = 8


class EpochFile:
    """Reading is free of locks; `begin`, `end` and `repair` belong under the write lock."""

    def __init__(self, path: Path) -> None:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if os.fstat(descriptor).st_size < _SIZE:
                os.ftruncate(descriptor, _SIZE)
            self._map = mmap.mmap(descriptor, _SIZE)
        finally:
            os.close(descriptor)
        self._counter = memoryview(self._map).cast("Q")
        self._distrust = itertools.count(-1, -1)

    def read(self) -> int:
        """The epoch; a number never seen before while a commit is under way."""
        value: int = self._counter[0]
        return value if value & 1 == 0 else next(self._distrust)

    def begin(self) -> None:
        self._counter[0] |= 1

    def end(self) -> None:
        self._counter[0] = (self._counter[0] | 1) + 1

    def repair(self) -> None:
        """End what a process that died had begun."""
        if self._counter[0] & 1:
            self.end()

    def close(self) -> None:
        self._counter.release()
        self._map.close()
