"""Making a store of a backup, where there is none: blobs first, the metadata at last.

While `restoring/` is in the data directory no store opens there: it names the backup, and the
metadata is prepared in it. A restore that ended anywhere is gone on with by the next one.
"""

import asyncio
import shutil
from collections.abc import Callable
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from pathlib import Path

from vexobj_storage.backups.copying import Pace, copy_blob, each
from vexobj_storage.backups.manifest import Manifest
from vexobj_storage.backups.target import CATALOGUE, METADATA, BackupTarget, describe
from vexobj_storage.backups.workplace import Workplace
from vexobj_storage.blobs.base import BlobStore
from vexobj_storage.core import StoreConfig
from vexobj_storage.errors import (
    BackupDamaged,
    BlobCorrupt,
    BlobMissing,
    KeyUnavailable,
    StoreError,
    StoreNotEmpty,
)
from vexobj_storage.files import Files, PosixFiles, write_failure
from vexobj_storage.metadata import leases, restoring
from vexobj_storage.metadata.catalogue import BlobCatalogue, CataloguedBlob
from vexobj_storage.metadata.connections import SqliteFiles
from vexobj_storage.metadata.engine import open_metadata, open_server
from vexobj_storage.metadata.snapshot import Snapshot, SnapshotBlob
from vexobj_storage.places import open_place
from vexobj_storage.sealing.keys import unwrap

_PAGE = 200


@dataclass(frozen=True, slots=True)
class RestoreOptions:
    """With `accept_damage` a backup is restored whose blobs are not all in it as they were.

    What they held is an error to read afterwards.
    """

    accept_damage: bool = False
    bytes_per_second: int | None = None
    at_once: int = 4


@dataclass(slots=True)
class RestoreProgress:
    """Of `blobs` with `bytes`, `done` are in their place; `damaged` are not."""

    name: str
    blobs: int
    bytes: int
    done: int = 0
    done_bytes: int = 0
    damaged: int = 0


def _ignore(_: RestoreProgress) -> None:
    return


async def restore(
    config: StoreConfig,
    target: BackupTarget,
    name: str | None = None,
    options: RestoreOptions | None = None,
    report: Callable[[RestoreProgress], None] = _ignore,
    files: Files | None = None,
) -> Manifest:
    """The newest backup if none is named. Every digest is compared before anything counts.

    The store gets an id of its own, and all blobs are where `config` has new ones.

    Raises: NoSuchBackup, BackupTooNew, BackupDamaged, BackupRunning; StoreNotEmpty;
    RestoreUnfinished, of another backup; KeyUnavailable, of something in the backup;
    SchemaTooNew, OutOfSpace, WriteFailed and others of the stores.
    """
    with target.locked(shared=True):
        manifest = target.find(name)
        await asyncio.to_thread(target.check_files, manifest)
        work = Workplace(config.data_dir, files or PosixFiles())
        await _Restore(config, target, manifest, options or RestoreOptions(), report, work).run()
    return manifest


async def is_served(data_dir: Path) -> bool:
    """Whether a server works on the SQLite metadata there, or was killed some seconds ago.

    Metadata that cannot be read are served by nobody.
    """
    if not (data_dir / METADATA).exists():
        return False
    try:
        metadata = await open_metadata(data_dir)
    except StoreError:
        return False
    try:
        return await metadata.scan(leases.last_end) > leases.wall_clock()
    finally:
        await metadata.close()


@dataclass(frozen=True, slots=True)
class _Restore:
    config: StoreConfig
    target: BackupTarget
    manifest: Manifest
    options: RestoreOptions
    report: Callable[[RestoreProgress], None]
    work: Workplace

    async def run(self) -> None:
        if await self._is_in_place():
            await asyncio.to_thread(self.work.clear)
            return
        store_id = await asyncio.to_thread(self.work.claim, self.manifest.name)
        try:
            await asyncio.to_thread(self._prepare, store_id)
            blobs = await open_place(self.config, store_id)
        except BaseException:
            await asyncio.to_thread(self.work.give_up)
            raise
        async with AsyncExitStack() as stack:
            stack.push_async_callback(blobs.close)
            await self._begin(blobs)
            source = await asyncio.to_thread(self.target.open_blobs)
            stack.push_async_callback(source.close)
            await self._copy(source, blobs)
        await self._put_in_place()
        await asyncio.to_thread(self.work.clear)

    async def _is_in_place(self) -> bool:
        """Whether only clearing up is left. Raises: StoreNotEmpty."""
        mine = self.work.is_claimed_by(self.manifest.name)
        if self.config.metadata_url is None:
            there = (self.config.data_dir / METADATA).exists()
            if there and not mine:
                raise StoreNotEmpty(str(self.config.data_dir / METADATA))
            return there
        metadata = await open_server(self.config.metadata_url)
        try:
            there = await metadata.scan(restoring.restored_from) == self.manifest.name
            if not (mine and there) and not await metadata.scan(restoring.is_empty):
                raise StoreNotEmpty("the database")
            return mine and there
        finally:
            await metadata.close()

    def _prepare(self, store_id: str) -> None:
        """Make the metadata in the workplace, and see whether it can be used."""
        source, copy = self.target.path(self.manifest.name) / METADATA, self.work.metadata
        try:
            shutil.copyfile(source, copy)
        except OSError as error:
            raise write_failure(error) from error
        if describe(copy) != self.manifest.files[METADATA]:
            raise BackupDamaged(self.manifest.name, f"{METADATA} is not what was written")
        place = self.config.blob_place
        restoring.prepare(SqliteFiles(copy.parent), self.manifest.name, store_id, place)
        with Snapshot(copy) as snapshot:
            for key in snapshot.needed_keys():
                if unwrap(key, self.config.master_keys) is None:
                    raise KeyUnavailable(key.key_id, key.master_key_id)

    async def _begin(self, blobs: BlobStore) -> None:
        """Raises: StoreNotEmpty."""
        if self.work.has_begun():
            return
        async with aclosing(blobs.iterate()) as found:
            async for _ in found:
                await asyncio.to_thread(self.work.give_up)
                raise StoreNotEmpty(f"blobs ({self.config.blob_place})")
        await asyncio.to_thread(self.work.begin)

    async def _copy(self, source: BlobStore, blobs: BlobStore) -> None:
        done = RestoreProgress(self.manifest.name, self.manifest.blobs, self.manifest.blob_bytes)
        pace = Pace(self.options.bytes_per_second)
        folder = self.target.path(self.manifest.name)
        with Snapshot(self.work.metadata) as snapshot, BlobCatalogue(folder / CATALOGUE) as known:

            async def one(pair: tuple[SnapshotBlob, CataloguedBlob | None]) -> None:
                blob, entry = pair
                try:
                    await _bring(source, blobs, blob, entry, pace)
                except (BlobMissing, BlobCorrupt) as error:
                    if not self.options.accept_damage:
                        raise BackupDamaged(self.manifest.name, str(error)) from error
                    done.damaged += 1
                done.done, done.done_bytes = done.done + 1, done.done_bytes + blob.stored_size

            after = b""
            while page := await asyncio.to_thread(snapshot.blobs, after, _PAGE):
                after = page[-1].blob_id
                entries = await asyncio.to_thread(known.find, [blob.blob_id for blob in page])
                pairs = [(blob, entries.get(blob.blob_id)) for blob in page]
                await each(pairs, one, at_once=self.options.at_once)
                self.report(done)

    async def _put_in_place(self) -> None:
        if self.config.metadata_url is None:
            await asyncio.to_thread(self.work.publish)
            return
        metadata = await open_server(self.config.metadata_url)
        try:
            with Snapshot(self.work.metadata) as snapshot:
                if not await metadata.write(restoring.load, snapshot, self.manifest.name):
                    raise StoreNotEmpty("the database")
        finally:
            await metadata.close()


async def _bring(
    source: BlobStore,
    blobs: BlobStore,
    blob: SnapshotBlob,
    entry: CataloguedBlob | None,
    pace: Pace,
) -> None:
    """What is there already, an earlier try has compared and made durable."""
    blob_id, size = blob.blob_id, blob.stored_size
    if entry is None:
        raise BlobMissing(blob_id.hex())
    if entry.size != size:
        raise BlobCorrupt(blob_id.hex(), f"{entry.size} bytes, not {size}")
    there = await blobs.stat(blob_id)
    if there is not None and there.size == size:
        return
    if there is not None:
        await blobs.delete(blob_id)
    await copy_blob(source, blobs, blob_id, size, entry.sha256, pace)
