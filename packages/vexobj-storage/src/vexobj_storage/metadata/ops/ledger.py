"""What a transaction owes beside its main rows: references dropped, and the bucket's usage."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.sql.base import Executable

from vexobj_storage.metadata.ops import outbox, quotas, sql
from vexobj_storage.metadata.statement import Statement, insert_for
from vexobj_storage.metadata.tx import Tx

BLOB, MANIFEST, UPLOAD, UNUSED_MANIFEST = range(4)
"""The kinds of `gc_queue`; what each means stands in gc.py."""


def _add_unlimited() -> Statement:
    """As an insert of usage, but changes no row when the bucket has a quota."""

    def build(dialect: str) -> Executable:
        columns = sql.USAGE_DELTAS.c
        row = select(*(bindparam(c.name, type_=c.type) for c in columns)).where(
            sql.BUCKETS.c.id == bindparam("bucket_id"), ~quotas.LIMITED
        )
        names = [c.name for c in columns]
        return (
            insert_for(dialect, sql.USAGE_DELTAS).from_select(names, row).on_conflict_do_nothing()
        )

    return Statement(build)


QUEUE = sql.ensure(sql.GC_QUEUE)
_UNREFER_BLOB = sql.remove(sql.BLOB_REFS, "blob_id", "referrer")
_UNREFER_MANIFEST = sql.remove(sql.MANIFEST_REFS, "manifest_id", "referrer")
_ADD_USAGE = sql.insert(sql.USAGE_DELTAS)
_ADD_UNLIMITED = _add_unlimited()
_HAS_USAGE = sql.exists(sql.USAGE_DELTAS, "bucket_id", "id")


@dataclass(slots=True)
class Ledger:
    """Filled by the steps of one operation in one bucket, and settled once at its end.

    `id` names the usage row, so that an operation run again after an ambiguous commit counts once.
    `limited` False spares the question whether the bucket has a quota: it has none. So does
    `subscribed` whether anybody wants events, where it is not None.
    """

    bucket_id: int
    now_us: int
    id: bytes
    limited: bool = True
    subscribed: bool | None = None
    cause: outbox.Cause = outbox.Cause.PUT
    objects: int = 0
    object_bytes: int = 0
    noncurrent_objects: int = 0
    noncurrent_bytes: int = 0
    upload_bytes: int = 0
    _blobs: list[tuple[bytes, bytes]] = field(default_factory=list)
    _manifests: list[tuple[bytes, bytes]] = field(default_factory=list)
    _changes: list[outbox.Change] = field(default_factory=list)

    def drop_blob(self, blob_id: bytes, referrer: bytes) -> None:
        self._blobs.append((blob_id, referrer))

    def drop(self, uid: bytes, blob_id: bytes | None, manifest_id: bytes | None) -> None:
        """The version `uid` no longer refers to its content."""
        if blob_id is not None:
            self._blobs.append((blob_id, uid))
        if manifest_id is not None:
            self._manifests.append((manifest_id, uid))

    def tell(self, kind: str, key: bytes, sequence: int, data: Mapping[str, Any]) -> None:
        """An event of one key, for those who subscribe."""
        if self.subscribed is not False:
            told = {**data, "cause": self.cause.value}
            self._changes.append(outbox.Change(kind, told, self.bucket_id, key, sequence))

    def current(self, objects: int, size: int) -> None:
        self.objects += objects
        self.object_bytes += size

    def noncurrent(self, objects: int, size: int) -> None:
        self.noncurrent_objects += objects
        self.noncurrent_bytes += size

    async def settle(self, tx: Tx) -> None:
        """Raises: QuotaExceeded."""
        if self._blobs:
            await self._release(tx, BLOB, self._blobs)
        if self._manifests:
            await self._release(tx, MANIFEST, self._manifests)
        if self._changes and (self.subscribed or await outbox.is_subscribed(tx)):
            await outbox.append(tx, self._changes, self.now_us)
        counts = {
            "objects": self.objects,
            "bytes": self.object_bytes,
            "noncurrent_objects": self.noncurrent_objects,
            "noncurrent_bytes": self.noncurrent_bytes,
            "upload_bytes": self.upload_bytes,
        }
        if any(counts.values()):
            add = _ADD_UNLIMITED if self.limited else _ADD_USAGE
            added = await tx.run(add, bucket_id=self.bucket_id, id=self.id, **counts)
            if self.limited and not added:
                await quotas.charge(tx, self.bucket_id, counts)

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
