"""What a disk holds after the power went, of a recorded run: what was synced, and any of the rest.

Bytes of a file are kept from its last sync, names in a directory from that directory's. Of what
was not synced each sector of 512 bytes, each change of a size and each name may be there or not:
more freedom than file systems take, whose journals keep an order.
"""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Literal

from support.stepping.shim import Kind, Step

_SECTOR = 512

_SIZES = {Kind.TRUNCATE, Kind.ALLOCATE}


@dataclass(eq=False)
class _File:
    synced: bytearray = field(default_factory=bytearray)
    pending: list[Step] = field(default_factory=list)


_Node = _File | Literal["directory"]


@dataclass(frozen=True)
class _Change:
    """Of names: removed, or added."""

    removed: str | None = None
    added: str | None = None
    node: _Node = "directory"

    def is_in(self, directory: str) -> bool:
        return directory in {_parent(name) for name in (self.removed, self.added) if name}

    def apply(self, names: dict[str, _Node]) -> None:
        if self.removed is not None:
            names.pop(self.removed, None)
        if self.added is not None:
            names[self.added] = self.node


class Disk:
    """Takes the steps of a run, one after the other, from an empty directory on."""

    def __init__(self) -> None:
        self._inodes: dict[int, _File] = {}
        self._now: dict[str, _Node] = {}
        self._synced: dict[str, _Node] = {}
        self._pending: list[_Change] = []

    def take(self, step: Step) -> None:
        if step.failure:
            return
        match step.kind:
            case Kind.CREATE:
                self._inodes[step.inode] = file = _File()
                self._change(_Change(added=step.path, node=file))
            case Kind.MKDIR:
                self._change(_Change(added=step.path))
            case Kind.RENAME:
                self._change(_Change(step.path, step.other, self._now[step.path]))
            case Kind.LINK:
                self._change(_Change(added=step.other, node=self._now[step.path]))
            case Kind.UNLINK | Kind.RMDIR:
                self._change(_Change(step.path))
            case Kind.SYNC if not step.path or self._now.get(step.path) == "directory":
                self._sync_directory(step.path)
            case Kind.SYNC:
                file = self._inodes[step.inode]
                _apply(file.synced, file.pending)
                file.pending.clear()
            case Kind.WRITE | Kind.TRUNCATE | Kind.ALLOCATE:
                self._inodes[step.inode].pending.append(step)

    def after_power_loss(self, directory: Path, chance: random.Random | None = None) -> None:
        """Write what is left into an empty directory; without `chance` only what was synced."""
        names = dict(self._synced)
        for change in self._pending:
            if chance is not None and chance.random() < 0.5:
                change.apply(names)
        for name, node in sorted(names.items()):
            path = directory / name
            if not path.parent.is_dir():
                continue  # the name of a directory above it was lost
            if node == "directory":
                path.mkdir()
            else:
                data = bytearray(node.synced)
                if chance is not None:
                    _apply(data, _some(node.pending, chance))
                path.write_bytes(data)

    def _change(self, change: _Change) -> None:
        change.apply(self._now)
        self._pending.append(change)

    def _sync_directory(self, path: str) -> None:
        rest = []
        for change in self._pending:
            if change.is_in(path):
                change.apply(self._synced)
            else:
                rest.append(change)
        self._pending = rest


def _parent(path: str) -> str:
    parent = str(PurePosixPath(path).parent)
    return "" if parent == "." else parent


def _apply(data: bytearray, steps: Iterable[Step]) -> None:
    for step in steps:
        end = step.offset if step.kind in _SIZES else step.offset + len(step.data)
        data.extend(bytes(max(end - len(data), 0)))
        if step.kind is Kind.TRUNCATE:
            del data[end:]
        else:
            data[step.offset : step.offset + len(step.data)] = step.data


def _some(steps: list[Step], chance: random.Random) -> Iterator[Step]:
    """Any sectors of what was written, any changes of size."""
    likely = chance.choice((0.1, 0.5, 0.9))
    for step in steps:
        if step.kind is not Kind.WRITE:
            if chance.random() < likely:
                yield step
            continue
        begin, end = step.offset, step.offset + len(step.data)
        while begin < end:
            until = min(end, (begin // _SECTOR + 1) * _SECTOR)
            if chance.random() < likely:
                data = step.data[begin - step.offset : until - step.offset]
                yield Step(Kind.WRITE, step.path, offset=begin, data=data)
            begin = until
