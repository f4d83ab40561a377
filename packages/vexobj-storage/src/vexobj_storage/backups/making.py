"""Making a backup beside everything else: a snapshot of the metadata, then its blobs.

A lease keeps garbage collection from removing blobs from before the snapshot is taken until the
last blob is copied. It ends by itself when the process that makes the backup dies.
"""

import asyncio
import contextlib
import os
import secrets
import shutil
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from vexobj_storage.backups.collecting import BackupProgress, Collector, Report
from vexobj_storage.backups.copying import Pace
from vexobj_storage.backups.manifest import BackupKey, Manifest
from vexobj_storage.backups.pruning import prune
from vexobj_storage.backups.target import CATALOGUE, METADATA, SECRETS, BackupTarget
from vexobj_storage.blobs.base import BlobStore
from vexobj_storage.errors import BackupRunning, BackupTargetTaken
from vexobj_storage.metadata import leases
from vexobj_storage.metadata.catalogue import BlobCatalogue
from vexobj_storage.metadata.leases import Lease, run_leased
from vexobj_storage.metadata.ops import places
from vexobj_storage.metadata.ops.gc import HOLD
from vexobj_storage.metadata.rows import to_us
from vexobj_storage.metadata.snapshot import Snapshot
from vexobj_storage.metadata.tx import MetaStore
from vexobj_storage.types import Clock

MASTER_KEY = "master-key"


@dataclass(frozen=True, slots=True)
class BackupSecret:
    """A key that a restored store needs. Its `secret` goes into the backup, unless it is None."""

    name: str
    id: str
    secret: bytes | None = field(default=None, repr=False)

    @property
    def file(self) -> str:
        return f"{self.name}-{self.id}"


@dataclass(frozen=True, slots=True)
class BackupOptions:
    """`keep` finished backups are left in the target, this one among them; None leaves all.

    `hold_seconds` is how long a backup that was killed still keeps garbage collection, and other
    backups, waiting. `version` is the program's, for the manifest.
    """

    version: str = ""
    secrets: Sequence[BackupSecret] = ()
    keep: int | None = None
    bytes_per_second: int | None = None
    at_once: int = 4
    hold_seconds: float = 60.0


def _ignore(_: BackupProgress) -> None:
    return


async def back_up(
    metadata: MetaStore,
    blobs: BlobStore,
    target: BackupTarget,
    options: BackupOptions,
    clock: Clock,
    report: Report = _ignore,
) -> Manifest:
    """All that was acknowledged before this was called is in it, as of one moment.

    Blobs that an earlier backup brought into the target are not copied again. One that cannot be
    read is named in the manifest as damaged, and keeps no other out.

    Raises: BackupRunning, BackupTargetTaken, OutOfSpace, WriteFailed and others of the store; what
    was copied by then serves the next backup.
    """
    holder = f"{os.uname().nodename}-{os.getpid()}-{secrets.token_hex(4)}"
    seconds = options.hold_seconds
    done: list[Manifest] = []

    def now_us() -> int:
        return to_us(clock())

    async def work(_: Lease) -> None:
        done.append(await _Backup(metadata, blobs, target, options, clock, report).run())

    with target.locked():
        taken = await metadata.write(leases.acquire, HOLD, holder, now_us=now_us(), seconds=seconds)
        if taken is None:
            raise BackupRunning("this store")
        await run_leased(metadata, HOLD, holder, work, seconds=seconds, clock=now_us)
        if options.keep is not None:
            await prune(target, options.keep)
    return done[-1]


@dataclass(frozen=True, slots=True)
class _Backup:
    """One try, under the lease."""

    metadata: MetaStore
    blobs: BlobStore
    target: BackupTarget
    options: BackupOptions
    clock: Clock
    report: Report

    async def run(self) -> Manifest:
        store_id = await self.metadata.write(places.store_id, secrets.token_hex(16))
        await asyncio.to_thread(self.target.remove_unfinished)
        previous = self._previous(store_id)
        began_at = self.clock()
        name = await asyncio.to_thread(self.target.begin, began_at)
        folder = self.target.path(name)
        try:
            await self.metadata.snapshot(folder / METADATA)
            done = await self._collect(name, previous)
            files = [METADATA, CATALOGUE, *await asyncio.to_thread(self._secrets, name)]
            with Snapshot(folder / METADATA) as snapshot:
                counts = await asyncio.to_thread(snapshot.counts)
                masters = {each.master_key_id for each in snapshot.needed_keys()}
                schema = snapshot.schema()
            sealed = await asyncio.to_thread(self.target.seal, name, files)
            manifest = Manifest(
                name=name,
                version=self.options.version,
                store_id=store_id,
                schema=schema,
                engine=self.metadata.dialect,
                began_at=began_at,
                finished_at=self.clock(),
                counts=counts.rows,
                blobs=counts.blobs,
                blob_bytes=counts.blob_bytes,
                blobs_copied=done.copied,
                bytes_copied=done.copied_bytes,
                files=sealed,
                keys=_keys(self.options.secrets, masters),
                damaged=done.damaged,
            )
            await asyncio.to_thread(self.target.finish, manifest)
        except BaseException:
            with contextlib.suppress(OSError):
                shutil.rmtree(folder)
            raise
        return manifest

    def _previous(self, store_id: str) -> Path | None:
        """The catalogue of the newest backup. Raises: BackupTargetTaken, BackupDamaged."""
        names = self.target.names()
        if not names:
            return None
        newest = self.target.manifest(names[-1])
        if newest.store_id != store_id:
            raise BackupTargetTaken(str(self.target.directory), newest.store_id)
        return self.target.path(newest.name) / CATALOGUE

    async def _collect(self, name: str, previous: Path | None) -> BackupProgress:
        folder = self.target.path(name)
        async with AsyncExitStack() as stack:
            into = await asyncio.to_thread(self.target.open_blobs)
            stack.push_async_callback(into.close)
            await into.sweep(self.clock())
            known = None if previous is None else stack.enter_context(BlobCatalogue(previous))
            catalogue = stack.enter_context(BlobCatalogue(folder / CATALOGUE, create=True))
            snapshot = stack.enter_context(Snapshot(folder / METADATA))
            counts = await asyncio.to_thread(snapshot.counts)
            done = BackupProgress(name, counts.blobs, counts.blob_bytes)
            self.report(done)
            pace = Pace(self.options.bytes_per_second)
            collector = Collector(self.blobs, into, known, pace, self.options.at_once)
            await collector.collect(snapshot, catalogue, done, self.report)
        return done

    def _secrets(self, name: str) -> Sequence[str]:
        """Their paths in the backup."""
        inside = {each.file: each.secret for each in self.options.secrets if each.secret}
        if inside:
            self.target.keep_secrets(name, inside)
        return [f"{SECRETS}/{file}" for file in inside]


def _keys(given: Sequence[BackupSecret], masters: set[str]) -> Sequence[BackupKey]:
    """Those given, and master keys that somebody else has."""
    keys = [BackupKey(each.name, each.id, each.secret is not None) for each in given]
    known = {key.id for key in keys if key.name == MASTER_KEY}
    return [*keys, *(BackupKey(MASTER_KEY, each, False) for each in sorted(masters - known))]
