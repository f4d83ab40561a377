"""When the log of a relaxed store reaches the disk: a while after a commit, or when asked."""

import os
import time
from collections.abc import Callable
from pathlib import Path


def sync_file(path: Path) -> None:
    """Raises: OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class LateSync:
    """Of one process's commits; a sync by any process takes those of all along."""

    def __init__(self, log: Path, seconds: float, sync: Callable[[Path], None]) -> None:
        self._log = log
        self._seconds = seconds
        self._sync = sync
        self._due_at: float | None = None

    def owe(self) -> None:
        """Something was committed that is not on disk."""
        if self._due_at is None:
            self._due_at = time.monotonic() + self._seconds

    @property
    def remaining_seconds(self) -> float | None:
        """Until the first that is owed is due; None when nothing is."""
        return None if self._due_at is None else max(0.0, self._due_at - time.monotonic())

    def settle(self) -> None:
        """Raises: OSError, and then as much is owed as before, from now on."""
        self._due_at = None
        try:
            self._sync(self._log)
        except OSError:
            self.owe()
            raise
