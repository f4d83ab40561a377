"""Is a backup whole? All of it is read."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from vexobj_storage.backups.copying import Pace, digest_blob, each
from vexobj_storage.backups.manifest import Manifest
from vexobj_storage.backups.target import CATALOGUE, METADATA, BackupTarget
from vexobj_storage.errors import BackupDamaged, BlobCorrupt, BlobMissing
from vexobj_storage.metadata.catalogue import BlobCatalogue, CataloguedBlob
from vexobj_storage.metadata.snapshot import Snapshot

_PAGE = 200


@dataclass(slots=True)
class BackupCheck:
    """What was read. `damaged` names blobs that are not as they were, or not in the backup."""

    manifest: Manifest
    blobs: int = 0
    bytes: int = 0
    damaged: list[str] = field(default_factory=list)


async def verify_backup(
    target: BackupTarget,
    name: str | None = None,
    *,
    bytes_per_second: int | None = None,
    at_once: int = 4,
) -> BackupCheck:
    """Of one backup, the newest if none is named.

    Raises: NoSuchBackup, BackupTooNew, BackupRunning; BackupDamaged, where a restore is refused.
    """
    with target.locked(shared=True):
        manifest = target.find(name)
        await asyncio.to_thread(target.check_files, manifest)
        check = BackupCheck(manifest, damaged=list(manifest.damaged))
        folder = target.path(manifest.name)
        pace = Pace(bytes_per_second)
        async with AsyncExitStack() as stack:
            blobs = target.open_blobs()
            stack.push_async_callback(blobs.close)
            snapshot = stack.enter_context(Snapshot(folder / METADATA))
            if not await asyncio.to_thread(snapshot.is_sound):
                raise BackupDamaged(manifest.name, f"{METADATA} is not sound")
            catalogue = stack.enter_context(BlobCatalogue(folder / CATALOGUE))

            async def one(blob: CataloguedBlob) -> None:
                try:
                    digest = await digest_blob(blobs, blob.blob_id, blob.size, pace)
                except (BlobMissing, BlobCorrupt):
                    digest = b""
                if digest != blob.sha256:
                    check.damaged.append(blob.blob_id.hex())
                check.blobs, check.bytes = check.blobs + 1, check.bytes + blob.size

            after = b""
            while page := await asyncio.to_thread(snapshot.blobs, after, _PAGE):
                after = page[-1].blob_id
                ids = [blob.blob_id for blob in page]
                found = await asyncio.to_thread(catalogue.find, ids)
                missing = [blob_id.hex() for blob_id in ids if blob_id not in found]
                check.damaged += [name for name in missing if name not in manifest.damaged]
                await each(found.values(), one, at_once=at_once)
    return check
