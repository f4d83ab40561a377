"""Counters that all processes of a server can read: one memory-mapped page of numbers a process.

Counting is adding to a number in shared memory (0.1 us); nothing is locked and no system call is
made. A page consists of two files in the server's private directory: `*.values`, 64-bit
integers, and `*.names`, which says what each of them is, appended before its first use. The
writer holds a lock on its values as long as it lives. See docs/design/observability.md.
"""

import fcntl
import json
import mmap
import os
import secrets
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from vexobj_server.observability.families import Family, FamilyKind

_SLOTS = 8192
_WIDTH = 8

Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a names file: `part` is `sum`, `count` or a bucket's number in a histogram."""

    family: str
    labels: Labels
    part: str = ""


class Count:
    """One number, counted up or set. For one thread of the process alone."""

    __slots__ = ("_index", "_values")

    def __init__(self, values: "memoryview[int]", index: int) -> None:
        self._values = values
        self._index = index

    def inc(self, amount: int = 1) -> None:
        self._values[self._index] += amount

    def set(self, value: int) -> None:
        self._values[self._index] = value


class Histogram:
    """Observations in units of the family's scale, put into its buckets."""

    __slots__ = ("_bounds", "_first", "_scale", "_values")

    def __init__(self, values: "memoryview[int]", first: int, family: Family) -> None:
        self._values = values
        self._first = first
        self._bounds = family.buckets
        self._scale = family.scale

    def observe(self, value: float) -> None:
        values, first = self._values, self._first
        values[first] += int(value * self._scale)
        values[first + 1 + bisect_left(self._bounds, value)] += 1


class MetricsPage:
    """The numbers of this process. Series are bound once, then counted through what is returned."""

    def __init__(self, directory: Path, role: str) -> None:
        # Numbers of processes come back, and the counts of an ended one are still told.
        stem = directory / f"{os.getpid()}-{secrets.token_hex(4)}"
        self._names = stem.with_suffix(".names").open("w", encoding="utf-8", buffering=1)
        self._names.write(json.dumps({"role": role, "pid": os.getpid()}) + "\n")
        self._file = stem.with_suffix(".values").open("w+b")
        fcntl.flock(self._file, fcntl.LOCK_EX)
        os.posix_fallocate(self._file.fileno(), 0, _SLOTS * _WIDTH)  # a map has no errors to raise
        self._map = mmap.mmap(self._file.fileno(), _SLOTS * _WIDTH)
        self._values = memoryview(self._map).cast("q")
        self._used = 0
        self._bound: dict[tuple[str, Labels], Count | Histogram] = {}

    def count(self, family: Family, labels: Mapping[str, str] | None = None) -> Count:
        """A counter's or gauge's series; the same one however often it is asked for."""
        key = (family.name, tuple((labels or {}).items()))
        bound = self._bound.get(key)
        if bound is None:
            bound = self._bound[key] = Count(self._values, self._bind(key, [""]))
        assert isinstance(bound, Count)
        return bound

    def histogram(self, family: Family, labels: Mapping[str, str] | None = None) -> Histogram:
        key = (family.name, tuple((labels or {}).items()))
        bound = self._bound.get(key)
        if bound is None:
            parts = ["sum", *(str(number) for number in range(len(family.buckets) + 1))]
            bound = self._bound[key] = Histogram(self._values, self._bind(key, parts), family)
        assert isinstance(bound, Histogram)
        return bound

    def close(self) -> None:
        """The files stay: what was counted is told until the server stops."""
        self._values.release()
        self._map.close()
        self._file.close()
        self._names.close()

    def _bind(self, key: tuple[str, Labels], parts: list[str]) -> int:
        first = self._used
        if first + len(parts) > _SLOTS:
            raise ValueError("a label has more values than a closed set would")
        self._used += len(parts)
        name, labels = key
        self._names.write("".join(json.dumps([name, labels, part]) + "\n" for part in parts))
        return first


@dataclass(frozen=True, slots=True)
class ReadPage:
    """A page as it was read: `alive` tells whether its process still is."""

    role: str
    pid: int
    alive: bool
    values: dict[Series, int]


def read_pages(directory: Path) -> Iterator[ReadPage]:
    """All pages there are, of processes that ended too: their counts do not go down."""
    for names in sorted(directory.glob("*.names")):
        page = _read_page(names)
        if page is not None:
            yield page


def _read_page(names: Path) -> ReadPage | None:
    values = names.with_suffix(".values")
    try:
        with values.open("rb") as file:
            alive = not _unlocked(file.fileno())
            *lines, _half_written = names.read_text(encoding="utf-8").split("\n")
            numbers = memoryview(file.read()).cast("q")
    except FileNotFoundError:
        return None
    if not lines or not numbers:
        return None
    head = json.loads(lines[0])
    found: dict[Series, int] = {}
    for number, line in zip(numbers, lines[1:], strict=False):
        name, labels, part = json.loads(line)
        found[Series(name, tuple((key, value) for key, value in labels), part)] = number
    return ReadPage(head["role"], head["pid"], alive, found)


def _unlocked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return False
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    return True


def is_lasting(family: Family) -> bool:
    """Whether what an ended process counted still counts."""
    return family.kind is not FamilyKind.GAUGE
