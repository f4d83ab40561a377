"""The disk cache gives way when its disk runs low, long before anything else has to."""

import asyncio
import logging
import os
from pathlib import Path

from vexobj_cache import DiskCache

_LOOK_SECONDS = 1.0
_MOST_BYTES = 256 * 1024**2
_LEAST_SHARE = 4

_log = logging.getLogger("vexobj.media")


async def give_way(cache: DiskCache, directory: Path) -> None:
    """Until cancelled. A variant that is evicted can be computed anew; an upload cannot wait."""
    while True:
        missing = _missing_bytes(directory)
        if missing > 0 and cache.stats.bytes:
            freed = await cache.trim(max(0, cache.stats.bytes - missing))
            _log.warning("the disk runs low: %d bytes of variants were dropped", freed)
        await asyncio.sleep(_LOOK_SECONDS)


def _missing_bytes(directory: Path) -> int:
    """How much less is free than should be: 256 MiB, or a quarter of a small disk."""
    told = os.statvfs(directory)
    wanted = min(_MOST_BYTES, told.f_blocks * told.f_frsize // _LEAST_SHARE)
    return wanted - told.f_bavail * told.f_frsize
