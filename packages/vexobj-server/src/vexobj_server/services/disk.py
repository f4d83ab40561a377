"""How much room a directory takes."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class DiskRoom:
    """`used_bytes` of the data directory, in which the cache and the metadata may be."""

    used_bytes: int
    free_bytes: int
    cache_bytes: int
    metadata_bytes: int


def disk_room(data_dir: Path, cache_dir: Path) -> DiskRoom:
    """Looks at every file: call it in a thread."""
    return DiskRoom(
        tree_bytes(data_dir),
        shutil.disk_usage(data_dir).free,
        tree_bytes(cache_dir),
        sum(_allocated(path) for path in data_dir.glob("metadata.db*")),
    )


def _allocated(path: Path) -> int:
    try:
        return path.stat().st_blocks * 512
    except OSError:
        return 0


def tree_bytes(root: Path) -> int:
    """The allocated bytes of all files below, links not followed; what vanishes is not counted."""
    total = 0
    pending = [str(root)]
    while pending:
        try:
            with os.scandir(pending.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(entry.path)
                    else:
                        total += entry.stat(follow_symlinks=False).st_blocks * 512
        except OSError:
            continue
    return total
