"""Where the files of a disk cache are: `entries/ab/<hash of the key>` and `tmp/`."""

import contextlib
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

_NAME_LENGTH = 40


class EntryTree:
    """The paths under one root."""

    def __init__(self, root: Path) -> None:
        self.root = str(root)
        self.entries = f"{root}/entries"
        self.temporary = f"{root}/tmp"  # noqa: S108 - our own

    def path(self, name: str) -> str:
        return f"{self.entries}/{name[:2]}/{name}"

    def make(self) -> None:
        for path in (self.root, self.entries, self.temporary):
            os.makedirs(path, mode=0o700, exist_ok=True)

    def clean(self) -> Iterator[tuple[str, os.stat_result]]:
        """Remove what is no entry by its place; yield the name and status of each that is."""
        for path, _ in _files(self.temporary):
            unlink(path)
        for path, status in _files(self.entries):
            name = os.path.basename(path)
            if path == self.path(name) and len(name) == _NAME_LENGTH:
                yield name, status
            else:
                unlink(path)


def wipe(root: Path) -> None:
    """Remove all entries that a disk cache has in `root`, and nothing else that is there."""
    tree = EntryTree(root)
    for directory in (tree.entries, tree.temporary):
        for path, _ in _files(directory):
            unlink(path)


def entry_name(key: str) -> str:
    return hashlib.blake2b(key.encode(), digest_size=_NAME_LENGTH // 2).hexdigest()


def unlink(path: str) -> bool:
    """False if it could not be, for whatever reason."""
    with contextlib.suppress(OSError):
        os.unlink(path)
        return True
    return False


def _files(directory: str) -> Iterator[tuple[str, os.stat_result]]:
    """All files below, however they got there; links are not followed."""
    for parent, _, names in os.walk(directory):
        for name in names:
            path = f"{parent}/{name}"
            with contextlib.suppress(FileNotFoundError):
                yield path, os.lstat(path)
