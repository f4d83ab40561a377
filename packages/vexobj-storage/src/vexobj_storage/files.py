"""The operating-system calls that a durable write is made of, and what their errors mean.

`Files` is a seam: crash tests put a disk of their own behind it.
"""

import errno
import os
from pathlib import Path
from typing import Protocol

from vexobj_storage.errors import OutOfSpace, StoreBusy, StoreError, WriteFailed

Buffer = bytes | bytearray | memoryview

_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})
_NO_DESCRIPTORS = frozenset({errno.EMFILE, errno.ENFILE})


class Files(Protocol):
    """Blocking calls on paths and descriptors; every failure is an OSError."""

    def create(self, path: str) -> int:
        """A descriptor of a new file that only its owner may read."""
        ...

    def write(self, descriptor: int, data: Buffer) -> None:
        """Append all of `data`."""
        ...

    def sync(self, descriptor: int) -> None: ...

    def close(self, descriptor: int) -> None: ...

    def rename(self, source: str, target: str) -> None: ...

    def make_directory(self, path: str) -> None:
        """Make it if it is not there; its parent must be."""
        ...

    def sync_directory(self, path: str) -> None:
        """Make the names in it durable."""
        ...

    def unlink(self, path: str) -> None: ...


class PosixFiles:
    """Files on the real file system."""

    def create(self, path: str) -> int:
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)

    def write(self, descriptor: int, data: Buffer) -> None:
        written = os.write(descriptor, data)
        if written < len(data):
            rest = memoryview(data)[written:]
            while rest:
                rest = rest[os.write(descriptor, rest) :]

    def sync(self, descriptor: int) -> None:
        os.fsync(descriptor)

    def close(self, descriptor: int) -> None:
        os.close(descriptor)

    def rename(self, source: str, target: str) -> None:
        os.rename(source, target)

    def make_directory(self, path: str) -> None:
        try:
            os.mkdir(path, 0o700)
        except FileExistsError:
            return

    def sync_directory(self, path: str) -> None:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def unlink(self, path: str) -> None:
        os.unlink(path)


def write_failure(error: OSError) -> StoreError:
    """The condition that an OSError of a write stands for."""
    if error.errno in _NO_SPACE:
        return OutOfSpace()
    if error.errno in _NO_DESCRIPTORS:
        return StoreBusy()
    return WriteFailed(error.strerror or str(error))


def make_durable_directory(path: Path, files: Files) -> None:
    """With its parents, each of them durable; nothing to do where it is there."""
    if not path.is_dir():
        make_durable_directory(path.parent, files)
        files.make_directory(str(path))
        files.sync_directory(str(path.parent))
