"""Reading a file descriptor that others may be reading too."""

import io
import os
from typing import Any

_BUFFER_BYTES = 64 * 1024


class SharedFile(io.RawIOBase):
    """A regular file from its beginning, with a position of its own.

    Descriptors that were sent or duplicated share one position in the kernel; this never moves
    it. The descriptor stays open and the caller's.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        count = os.preadv(self._fd, [buffer], self._position)
        self._position += count
        return count

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        base = {
            io.SEEK_SET: 0,
            io.SEEK_CUR: self._position,
            io.SEEK_END: os.fstat(self._fd).st_size,
        }
        self._position = max(0, base[whence] + offset)
        return self._position


def buffered(fd: int) -> io.BufferedReader:
    return io.BufferedReader(SharedFile(fd), _BUFFER_BYTES)
