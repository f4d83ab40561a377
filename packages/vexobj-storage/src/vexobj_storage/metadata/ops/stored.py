"""What takes room: blobs in use, and what was deleted and waits to be removed. Reads all blobs."""

from sqlalchemy import exists, func, select

from vexobj_storage.metadata import rows
from vexobj_storage.metadata.ops import sql
from vexobj_storage.metadata.ops.ledger import BLOB, MANIFEST, UNUSED_MANIFEST
from vexobj_storage.metadata.ops.references import CONDEMNED
from vexobj_storage.metadata.tx import Tx
from vexobj_storage.types import Location, StoredBytes

_B, _Q, _M = sql.BLOBS, sql.GC_QUEUE, sql.MANIFESTS
_BLOBS = sql.query(
    select(
        _B.c.state,
        _B.c.location,
        func.count(),
        func.sum(_B.c.stored_size),
        func.min(_B.c.condemned_us),
        func.max(_B.c.condemned_us),
    ).group_by(_B.c.state, _B.c.location)
)
_DROPPED = (
    select(_Q.c.id)
    .where(_Q.c.kind == BLOB, ~exists().where(sql.BLOB_REFS.c.blob_id == _Q.c.id))
    .distinct()
    .subquery()
)
_UNREFERRED_BLOBS = sql.query(
    select(_B.c.location, func.count(), func.sum(_B.c.stored_size))
    .select_from(_DROPPED.join(_B, _B.c.blob_id == _DROPPED.c.id))
    .where(_B.c.state != CONDEMNED)
    .group_by(_B.c.location)
)
_UNUSED = (
    select(_Q.c.id)
    .where(
        _Q.c.kind.in_([MANIFEST, UNUSED_MANIFEST]),
        ~exists().where(sql.MANIFEST_REFS.c.manifest_id == _Q.c.id),
    )
    .distinct()
    .subquery()
)
_UNREFERRED_MANIFESTS = sql.query(
    select(func.count(), func.coalesce(func.sum(_M.c.size), 0)).select_from(
        _UNUSED.join(_M, _M.c.manifest_id == _UNUSED.c.id)
    )
)


async def stored_bytes(tx: Tx, now_us: int, grace_us: int) -> StoredBytes:
    """What a collector has not looked at yet waits for its first look, and for the grace then."""
    live, live_bytes = 0, {Location.INLINE: 0, Location.STORE: 0}
    waiting = waiting_bytes = 0
    due: list[int] = []
    for state, location, count, size, first_us, last_us in await tx.all(_BLOBS):
        if state == CONDEMNED:
            waiting, waiting_bytes = waiting + count, waiting_bytes + int(size)
            due += (first_us + grace_us, last_us + grace_us)
        else:
            live += count
            live_bytes[Location(location)] += int(size)
    for location, count, size in await tx.all(_UNREFERRED_BLOBS):
        live -= count
        live_bytes[Location(location)] -= int(size)
        waiting, waiting_bytes = waiting + count, waiting_bytes + int(size)
        due.append(now_us + grace_us)
    row = await tx.one(_UNREFERRED_MANIFESTS)
    assert row is not None
    if row[0]:
        due.append(now_us + 2 * grace_us)
    return StoredBytes(
        live,
        live_bytes[Location.STORE],
        live_bytes[Location.INLINE],
        waiting,
        waiting_bytes,
        unused_bytes=int(row[1]),
        first_due_at=rows.to_datetime(min(due)) if due else None,
        last_due_at=rows.to_datetime(max(due)) if due else None,
    )
