"""One processor for the threads of a worker that share the interpreter's lock.

Left to the kernel, each of them is woken on whichever processor is idle: the lock goes to and fro
between caches, and a request costs up to twice as much (docs/design/hot-path.md).
"""

import fcntl
import os
from collections.abc import Sequence
from pathlib import Path
from zlib import crc32


def processors() -> Sequence[int]:
    """The ones this process may use, by number; on systems that do not tell, as many as there are.

    Ask before a thread was kept to one: those that it starts, and processes, inherit that.
    """
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return range(os.cpu_count() or 1)


class HomeProcessor:
    """A processor that no other worker of the server has, claimed until `close`.

    Where all are taken, or the system has no affinity (macOS), nothing is changed.
    """

    def __init__(self, directory: Path) -> None:
        """`directory` is the server's own, in which its workers see each other's claims."""
        self._all = processors()
        self._claim: int | None = None
        self._number: int | None = None
        if len(self._all) > 1 and hasattr(os, "sched_setaffinity"):
            self._claim_one(directory)

    def keep(self) -> None:
        """Keep the calling thread, and the threads it starts from now on, to the processor."""
        if self._number is not None:
            os.sched_setaffinity(0, {self._number})

    def leave(self) -> None:
        """Let the calling thread run anywhere: it computes or waits without the lock."""
        if self._number is not None:
            os.sched_setaffinity(0, self._all)

    def close(self) -> None:
        """Give the claim back; the calling thread is no longer kept."""
        self.leave()
        self._number = None
        if self._claim is not None:
            os.close(self._claim)
            self._claim = None

    def _claim_one(self, directory: Path) -> None:
        # Several servers on one machine should not all begin with the same one.
        first = crc32(os.fsencode(directory)) % len(self._all)
        for number in (*self._all[first:], *self._all[:first]):
            path = directory / f"processor-{number}.claim"
            claim = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(claim)
                continue
            self._claim, self._number = claim, number
            return
