"""Bringing the blobs of a snapshot into a backup target: those that are not there yet."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from vexobj_storage.backups.copying import Pace, copy_blob, digest_blob, each
from vexobj_storage.blobs.base import BlobStore
from vexobj_storage.errors import BlobCorrupt, BlobMissing
from vexobj_storage.metadata.catalogue import BlobCatalogue, CataloguedBlob
from vexobj_storage.metadata.snapshot import Snapshot, SnapshotBlob

_PAGE = 200


@dataclass(slots=True)
class BackupProgress:
    """Of `blobs` with `bytes`, `done` were looked at; `copied` of these were not there yet.

    `damaged` names those that could not be read.
    """

    name: str
    blobs: int = 0
    bytes: int = 0
    done: int = 0
    done_bytes: int = 0
    copied: int = 0
    copied_bytes: int = 0
    damaged: list[str] = field(default_factory=list)


Report = Callable[[BackupProgress], None]


@dataclass(frozen=True, slots=True)
class Collector:
    """`known` is the catalogue of an earlier backup in `target`, if there is one."""

    source: BlobStore
    target: BlobStore
    known: BlobCatalogue | None
    pace: Pace
    at_once: int

    async def collect(
        self, snapshot: Snapshot, catalogue: BlobCatalogue, done: BackupProgress, report: Report
    ) -> None:
        """Fill `catalogue` with the blobs of `snapshot`; each is durable in the target by then."""
        found: list[CataloguedBlob] = []

        async def one(blob: SnapshotBlob) -> None:
            try:
                digest = await self._bring(blob, done)
            except (BlobMissing, BlobCorrupt):
                done.damaged.append(blob.blob_id.hex())
            else:
                found.append(CataloguedBlob(blob.blob_id, blob.stored_size, digest))
            done.done, done.done_bytes = done.done + 1, done.done_bytes + blob.stored_size

        after = b""
        while page := await asyncio.to_thread(snapshot.blobs, after, _PAGE):
            await each(page, one, at_once=self.at_once)
            await asyncio.to_thread(catalogue.add, found)
            found.clear()
            after = page[-1].blob_id
            report(done)

    async def _bring(self, blob: SnapshotBlob, done: BackupProgress) -> bytes:
        """The digest of what is stored.

        A file in the target appeared there whole, or not at all. Whether it still is what it was
        is for a verification to find out.
        """
        blob_id, size = blob.blob_id, blob.stored_size
        plain = None if blob.key_id else blob.sha256
        there = await self.target.stat(blob_id)
        if there is not None and there.size == size:
            known = plain or await asyncio.to_thread(self._known, blob_id)
            return known or await digest_blob(self.target, blob_id, size, self.pace)
        if there is not None:
            await self.target.delete(blob_id)
        digest = await copy_blob(self.source, self.target, blob_id, size, plain, self.pace)
        done.copied, done.copied_bytes = done.copied + 1, done.copied_bytes + size
        return digest

    def _known(self, blob_id: bytes) -> bytes | None:
        found = None if self.known is None else self.known.get(blob_id)
        return None if found is None else found.sha256
