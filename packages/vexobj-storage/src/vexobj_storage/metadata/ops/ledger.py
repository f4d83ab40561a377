"""What a transaction owes beside its main rows: references dropped, and the bucket's usage."""

from dataclasses import dataclass, field

from vexobj_storage.metadata.ops import sql
from vexobj_storage.metadata.tx import Tx

BLOB, MANIFEST, UPLOAD, UNUSED_MANIFEST = range(4)
"""The kinds of `gc_queue`; what each means stands in gc.py."""

QUEUE = sql.ensure(sql.GC_QUEUE)
_UNREFER_BLOB = sql.remove(sql.BLOB_REFS, "blob_id", "referrer")
_UNREFER_MANIFEST = sql.remove(sql.MANIFEST_REFS, "manifest_id", "referrer")
_ADD_USAGE = sql.insert(sql.USAGE_DELTAS)
_HAS_USAGE = sql.exists(sql.USAGE_DELTAS, "bucket_id", "id")


@dataclass(slots=True)
class Ledger:
    """Filled by the steps of one operation in one bucket, and settled once at its end.

    `id` names the usage row, so that an operation run again after an ambiguous commit counts once.
    """

    bucket_id: int
    now_us: int
    id: bytes
    objects: int = 0
    object_bytes: int = 0
    noncurrent_objects: int = 0
    noncurrent_bytes: int = 0
    upload_bytes: int = 0
    _blobs: list[tuple[bytes, bytes]] = field(default_factory=list)
    _manifests: list[tuple[bytes, bytes]] = field(default_factory=list)

    def drop_blob(self, blob_id: bytes, referrer: bytes) -> None:
        self._blobs.append((blob_id, referrer))

    def drop(self, uid: bytes, blob_id: bytes | None, manifest_id: bytes | None) -> None:
        """The version `uid` no longer refers to its content."""
        if blob_id is not None:
            self._blobs.append((blob_id, uid))
        if manifest_id is not None:
            self._manifests.append((manifest_id, uid))

    def current(self, objects: int, size: int) -> None:
        self.objects += objects
        self.object_bytes += size

    def noncurrent(self, objects: int, size: int) -> None:
        self.noncurrent_objects += objects
        self.noncurrent_bytes += size

    async def settle(self, tx: Tx) -> None:
        if self._blobs:
            await self._release(tx, BLOB, self._blobs)
        if self._manifests:
            await self._release(tx, MANIFEST, self._manifests)
        counts = (
            self.objects,
            self.object_bytes,
            self.noncurrent_objects,
            self.noncurrent_bytes,
            self.upload_bytes,
        )
        if any(counts):
            await tx.run(
                _ADD_USAGE,
                bucket_id=self.bucket_id,
                id=self.id,
                objects=self.objects,
                bytes=self.object_bytes,
                noncurrent_objects=self.noncurrent_objects,
                noncurrent_bytes=self.noncurrent_bytes,
                upload_bytes=self.upload_bytes,
            )

    async def _release(self, tx: Tx, kind: int, dropped: list[tuple[bytes, bytes]]) -> None:
        unrefer = _UNREFER_BLOB if kind == BLOB else _UNREFER_MANIFEST
        name = "blob_id" if kind == BLOB else "manifest_id"
        if len(dropped) == 1:
            ((target, referrer),) = dropped
            await tx.run(unrefer, **{name: target}, referrer=referrer)
            await tx.run(QUEUE, due_us=self.now_us, kind=kind, id=target)
            return
        dropped.sort()
        await tx.many(unrefer, [{name: t, "referrer": r} for t, r in dropped])
        targets = sorted({target for target, _ in dropped})
        await tx.many(QUEUE, [{"due_us": self.now_us, "kind": kind, "id": t} for t in targets])


async def has_settled(tx: Tx, bucket_id: int, ledger_id: bytes) -> bool:
    """Whether a ledger of this id changed the bucket's usage, of which nothing is folded yet."""
    return await tx.one(_HAS_USAGE, bucket_id=bucket_id, id=ledger_id) is not None
