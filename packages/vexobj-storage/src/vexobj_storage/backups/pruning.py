"""Removing old backups, and then the blobs that none of those left consists of."""

import asyncio
import contextlib
from contextlib import aclosing

from vexobj_storage.backups.target import CATALOGUE, BackupTarget
from vexobj_storage.metadata.catalogue import BlobCatalogue


async def prune(target: BackupTarget, keep: int) -> int:
    """Leave the newest `keep`, at least one; how many were removed. The target is locked.

    Interrupted anywhere, the rest is done by the next one that removes a backup.

    Raises: BackupDamaged, WriteFailed.
    """
    names = target.names()
    old = names[: -max(keep, 1)]
    for name in old:
        await asyncio.to_thread(target.remove, name)
    if old:
        await _remove_unused(target)
    return len(old)


async def _remove_unused(target: BackupTarget) -> None:
    blobs = target.open_blobs()
    try:
        with contextlib.ExitStack() as stack:
            catalogues = [
                stack.enter_context(BlobCatalogue(target.path(name) / CATALOGUE))
                for name in reversed(target.names())
            ]
            async with aclosing(blobs.iterate()) as found:
                async for stat in found:
                    if not any(each.get(stat.blob_id) for each in catalogues):
                        await blobs.delete(stat.blob_id)
    finally:
        await blobs.close()
