"""Room on the data directory's file system, and what of it is kept for deleting.

New content is refused while there still is room for the log of deletions. Against what else fills
the disk there is a ballast, a file that is given up when nothing can be written any more.
"""

import contextlib
import os
import time
from pathlib import Path

from vexobj_storage.errors import OutOfSpace

_MOST_BYTES = 8 * 1024**2
_LEAST_SHARE = 16
_LOOK_SECONDS = 0.5


class Room:
    """Of one data directory; any number of processes may have their own."""

    def __init__(self, directory: Path) -> None:
        self._directory = str(directory)
        self._ballast = f"{directory}/ballast"
        self._looks_again_at = 0.0
        self._spare_bytes = 0

    def check(self, size: int = 0) -> None:
        """May `size` more bytes be stored? Looks at the disk twice a second at most.

        Raises: OutOfSpace.
        """
        now = time.monotonic()
        if now >= self._looks_again_at:
            self._spare_bytes = self._spare()
            self._looks_again_at = now + _LOOK_SECONDS
        if size >= self._spare_bytes:
            raise OutOfSpace
        self._spare_bytes -= size  # until the next look, which sees it on the disk

    def keep(self) -> None:
        """Make the ballast where there is none and room for it."""
        free, reserve = self._free()
        if free < 3 * reserve or os.path.exists(self._ballast):  # noqa: PTH110
            return
        with contextlib.suppress(OSError):
            descriptor = os.open(self._ballast, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.posix_fallocate(descriptor, 0, reserve)
            except OSError:
                self.release()
            finally:
                os.close(descriptor)

    def release(self) -> bool:
        """Give the ballast up, so that what frees room can be written; whether there was one."""
        try:
            os.unlink(self._ballast)  # noqa: PTH108
        except OSError:
            return False
        return True

    def release_if_full(self) -> None:
        """For a start: the database makes files of its own when it is opened."""
        free, reserve = self._free()
        if free < reserve // 4:
            self.release()

    def _spare(self) -> int:
        """What new content may take: not what is kept for deletions, nor a lost ballast's share."""
        free, reserve = self._free()
        try:
            held = os.stat(self._ballast).st_blocks * 512  # noqa: PTH116
        except OSError:
            held = 0
        return free + held - 2 * reserve

    def _free(self) -> tuple[int, int]:
        """Bytes free, and how many are kept, and again as ballast: less on a small disk."""
        told = os.statvfs(self._directory)
        return (
            told.f_bavail * told.f_frsize,
            min(_MOST_BYTES, told.f_blocks * told.f_frsize // _LEAST_SHARE),
        )
