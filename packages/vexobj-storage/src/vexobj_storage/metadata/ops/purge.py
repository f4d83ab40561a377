"""Removing all that a key ever was, in pieces that are each one transaction."""

from dataclasses import dataclass

from sqlalchemy import bindparam, select

from vexobj_storage.ids import new_id
from vexobj_storage.metadata import rows
from vexobj_storage.metadata.ops import deletes, guard, sql, versions
from vexobj_storage.metadata.ops.guard import Removal
from vexobj_storage.metadata.ops.ledger import Ledger
from vexobj_storage.metadata.ops.outbox import Cause
from vexobj_storage.metadata.ops.versions import NONCURRENT, Noncurrent
from vexobj_storage.metadata.tx import Tx
from vexobj_storage.types import Bucket, Deleted, ObjectName, PurgeReport, Versioning

_V = sql.VERSIONS
_KEY = sql.matches(_V, "bucket_id", "key")
_OLDEST = sql.query(
    select(*NONCURRENT)
    .where(*_KEY, _V.c.descending >= bindparam("from_descending"))
    .order_by(_V.c.descending.desc())
    .limit(bindparam("limit"))
)
_LOCKED = sql.query(
    select(*NONCURRENT)
    .where(*_KEY, _V.c.lock_mode.is_not(None) | (_V.c.legal_hold != 0))
    .where(_V.c.descending > bindparam("after"))
    .order_by(_V.c.descending)
    .limit(bindparam("limit"))
)


@dataclass(frozen=True, slots=True)
class Piece:
    """What one transaction removed; `is_last` when nothing is left that was there at the start."""

    report: PurgeReport
    is_last: bool


async def begin(tx: Tx, bucket: Bucket, key: bytes, removal: Removal, limit: int) -> int:
    """The last sequence that the key has now, if no lock keeps any of its versions.

    Raises: ObjectLocked.
    """
    live, sequence = await deletes.live_version(tx, bucket.id, key)
    if live is not None:
        guard.refuse(bucket, key, live, removal)
    after = -1
    while True:
        found = await tx.all(_LOCKED, bucket_id=bucket.id, key=key, after=after, limit=limit)
        for row in found:
            guard.refuse(bucket, key, Noncurrent.of(row).version, removal)
        if len(found) < limit:
            break
        after = found[-1][0]
    newest = await versions.newest(tx, bucket.id, key)
    return sequence if newest is None else max(sequence, sql.LAST - newest.descending)


async def purge_piece(
    tx: Tx, bucket: Bucket, key: bytes, last: int, removal: Removal, now_us: int, limit: int
) -> Piece:
    """Remove the oldest of what is not newer than the sequence `last`; the current goes last.

    Raises: NoSuchBucket, ObjectLocked (locked since the purge began).
    """
    if await versions.hold_bucket(tx, bucket) == Versioning.OFF:
        return await _only(tx, bucket, key, removal, now_us)
    await versions.lock_head(tx, bucket.id, key)
    ledger = Ledger(bucket.id, now_us, new_id(), cause=Cause.PURGE)
    found = [
        Noncurrent.of(row)
        for row in await tx.all(
            _OLDEST, bucket_id=bucket.id, key=key, from_descending=sql.LAST - last, limit=limit
        )
    ]
    removed = [each.version for each in found]
    live, sequence = await deletes.live_version(tx, bucket.id, key)
    is_last = len(found) < limit
    goes = live if is_last and sequence <= last else None
    if goes is not None:
        removed.append(goes)
    for version in removed:
        guard.refuse(bucket, key, version, removal)
    for each in found:
        await versions.drop_version(tx, bucket.id, key, each, ledger)
    if goes is not None:
        await versions.drop_live(tx, bucket.id, key, goes, ledger)
    if live is None or goes is not None:
        await versions.promote(tx, bucket.id, key, ledger)
    if removed:
        gone = Deleted(key, existed=True, version_id=None)
        deletes.tell_deleted(ledger, bucket, gone, deletes.DELETED)
    await ledger.settle(tx)
    markers = sum(each.is_delete_marker for each in found)
    size = sum(version.size for version in removed)
    report = PurgeReport(len(removed), len(removed) - markers, size)
    return Piece(report, is_last)


async def _only(tx: Tx, bucket: Bucket, key: bytes, removal: Removal, now_us: int) -> Piece:
    live, _ = await deletes.live_version(tx, bucket.id, key)
    name = ObjectName(key)
    (deleted,) = await deletes.delete_objects(tx, bucket, [name], removal, now_us, Cause.PURGE)
    if deleted.refusal is not None:
        raise guard.locked(bucket, key, rows.NULL_VERSION, deleted.refusal)
    if live is None or not deleted.existed:
        return Piece(PurgeReport(), is_last=True)
    return Piece(PurgeReport(1, 1, live.size), is_last=True)
