"""The steps by which a process changes files, seen and broken from below it: see `steps.c`.

A step is one call of the operating system. The product is as it is shipped; only its C library
is not. What a step is called depends on the call and on what kind of file it is for.
"""

import ctypes
import os
import re
import struct
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from support.tools import need

_HEAD = struct.Struct("=IIIIIIQQ")
_MARK = 100
_SOURCE = Path(__file__).with_name("steps.c")


class Kind(IntEnum):
    CREATE = 0
    WRITE = 1
    SYNC = 2
    RENAME = 3
    UNLINK = 4
    MKDIR = 5
    RMDIR = 6
    TRUNCATE = 7
    ALLOCATE = 8
    LINK = 9


class Fault(IntEnum):
    """What befalls a step.

    KILL: the process dies before the call, or in the middle of a write. FAIL: the call fails with
    an errno, once. FULL: from then on so many bytes fit on the disk, and no more.
    """

    NONE = 0
    KILL = 1
    FAIL = 2
    FULL = 3


@dataclass(frozen=True)
class Step:
    """`path` and `other` below the watched directory; `offset` is a size where sizes change.

    `failure` is the errno of a call that failed: it changed nothing.
    """

    kind: Kind
    path: str
    other: str = ""
    failure: int = 0
    inode: int = 0
    offset: int = 0
    data: bytes = b""


Entry = Step | str


def build(folder: Path) -> Path:
    """The library to be named in LD_PRELOAD."""
    library = folder / "steps.so"
    flags = ["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-Wno-unused-value"]
    subprocess.run([need("cc"), *flags, "-pthread", "-o", library, _SOURCE, "-ldl"], check=True)
    return library


class Shim:
    """In a process that was started with the library; steps are counted from `break_at` on."""

    def __init__(self, log: Path) -> None:
        self._library = ctypes.CDLL(None)
        self._library.steps_taken.restype = ctypes.c_long
        self.marks = 0
        self._log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def watch(self, root: Path, *, data: bool = False) -> None:
        """With `data` what is written is recorded too.

        Syncs are steps, but are not passed on: neither a killed process nor a recorded one needs
        the device to have what the system has.
        """
        self._library.steps_watch(os.fsencode(root), self._log, int(data))

    def break_at(self, fault: Fault, step: int, number: int = 0) -> None:
        self._library.steps_break(int(fault), ctypes.c_long(step), number)

    def leave(self) -> int:
        """Nothing is recorded and nothing fails any more; how many steps there were."""
        taken: int = self._library.steps_taken()
        self._library.steps_watch(b"", -1, 0)
        return taken

    def mark(self, text: str) -> None:
        """A line in the record, in the order of what happens."""
        self.marks += 1
        data = text.encode()
        os.write(self._log, _HEAD.pack(_MARK, len(data), 0, 0, 0, 0, 0, 0) + data)


def read_log(path: Path) -> Iterator[Entry]:
    """Steps and marks in the order in which they took effect."""
    log, at = memoryview(path.read_bytes()), 0
    while at < len(log):
        kind, *lengths, failure, _, inode, offset = _HEAD.unpack_from(log, at)
        at += _HEAD.size
        parts = []
        for length in lengths:
            parts.append(bytes(log[at : at + length]))
            at += length
        name, other, data = parts
        if kind == _MARK:
            yield name.decode()
            continue
        yield Step(Kind(kind), name.decode(), other.decode(), failure, inode, offset, data)


_CLASSES = [
    (re.compile(pattern), name)
    for pattern, name in (
        (r"", "data directory"),
        (r"metadata\.db", "database"),
        (r"metadata\.db-wal", "log"),
        (r"metadata\.db-journal", "journal"),
        (r"metadata\.lock", "lock file"),
        (r"metadata\.epoch", "stamps"),
        (r"tmp/\w+", "staged blob"),
        (r"blobs/\w\w", "blobs/*"),
        (r"blobs/\w\w/\w\w", "blobs/*/*"),
        (r"blobs/\w\w/\w\w/\w{32}", "blob"),
    )
]

_BACKUP = re.compile(r"\d{8}T\d{6}\.\d{6}Z-[0-9a-f]{4}")


def names(entries: Iterator[Entry]) -> Iterator[str]:
    """Of each step, what it is called: `put_object: sync log`, `rename staged blob to blob`.

    Steps of the database carry the name of the transaction that they are for: a mark names it, and
    an empty one ends it.
    """
    transaction = ""
    for entry in entries:
        if isinstance(entry, str):
            transaction = entry
            continue
        name = f"{entry.kind.name.lower()} {_class(entry.path)}"
        if entry.kind in {Kind.RENAME, Kind.LINK}:
            name += f" to {_class(entry.other)}"
        is_metadata = entry.path.startswith("metadata.db")
        yield f"{transaction}: {name}" if transaction and is_metadata else name


def _class(path: str) -> str:
    for pattern, name in _CLASSES:
        if pattern.fullmatch(path):
            return name
    head, _, rest = path.partition("/")
    name = _BACKUP.sub("*", head)
    return f"{name}/{_class(rest)}" if rest else name
