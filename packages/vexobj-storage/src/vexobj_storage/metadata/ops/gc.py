"""Garbage: what lost its last reference is condemned, and removed when a grace has passed.

The queue holds, by `kind`: blobs (0) and manifests (1) that lost a reference, uploads (2) whose
parts may have become useless, and manifests (3) that were without a reference a grace ago. All is
looked at again under a lock before anything is done: an entry means "look", not "remove".

An orphan, bytes that never had a row, is given a condemned one and goes the same way.

A blob goes live -> condemned -> (grace) -> bytes removed -> row removed. Between the last two a
crash leaves a condemned row, whose entry is still queued. One in quarantine that loses its last
reference goes as a live one does. A manifest whose grace has passed loses
its row, after which nothing can refer to its parts, and its upload is cleared.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import bindparam, delete, func, select, update

from vexobj_storage.metadata import leases, rows
from vexobj_storage.metadata.layout import Layout
from vexobj_storage.metadata.ops import sql
from vexobj_storage.metadata.ops.ledger import BLOB, MANIFEST, QUEUE, UNUSED_MANIFEST, UPLOAD
from vexobj_storage.metadata.ops.multipart import COMPLETED, OPEN, referrer
from vexobj_storage.metadata.ops.references import CONDEMNED
from vexobj_storage.metadata.tx import Tx, durable
from vexobj_storage.sealing.ids import sealing_key
from vexobj_storage.types import GcReport, Location

HOLD = "backup"
"""While this lease is held, what was live when it was taken stays in the blob store."""

_PIECE = 500
_HELD_US = 60 * 1_000_000
_REMEMBERED_US = 24 * 3600 * 1_000_000
"""How long a completed upload answers a repeated completion."""

_LEEWAY_US = 3600 * 1_000_000

_B, _Q = sql.BLOBS, sql.GC_QUEUE
_DUE = sql.query(
    select(_Q.c.due_us, _Q.c.kind, _Q.c.id)
    .where(_Q.c.due_us <= bindparam("now_us"))
    .order_by(_Q.c.due_us, _Q.c.kind, _Q.c.id)
    .limit(bindparam("limit"))
    .with_for_update()
)
_UNQUEUE = sql.remove(_Q, "due_us", "kind", "id")
_MISDATED = sql.query(
    select(_Q.c.due_us, _Q.c.kind, _Q.c.id)
    .where(_Q.c.due_us > bindparam("latest_us"))
    .order_by(_Q.c.due_us, _Q.c.kind, _Q.c.id)
    .limit(bindparam("limit"))
    .with_for_update()
)
_LOCK_BLOBS = sql.query(
    select(_B.c.blob_id, _B.c.state, _B.c.condemned_us, _B.c.location, _B.c.stored_size)
    .where(_B.c.blob_id.in_(sql.listed("ids")))
    .order_by(_B.c.blob_id)
    .with_for_update()
)
_REFERRED = sql.query(
    select(sql.BLOB_REFS.c.blob_id).where(sql.BLOB_REFS.c.blob_id.in_(sql.listed("ids"))).distinct()
)
_CONDEMN = sql.query(
    update(_B)
    .where(_B.c.blob_id.in_(sql.listed("ids")))
    .values(state=1, condemned_us=bindparam("condemned_us"))
)
_DROP_BLOBS = sql.query(delete(_B).where(_B.c.blob_id.in_(sql.listed("ids"))))
_DROP_INLINE = sql.query(
    delete(sql.INLINE_BLOBS).where(sql.INLINE_BLOBS.c.blob_id.in_(sql.listed("ids")))
)
_DROP_FINDINGS = sql.query(
    delete(sql.FINDINGS).where(sql.FINDINGS.c.blob_id.in_(sql.listed("ids")))
)
_DROP_PLACES = sql.query(
    delete(sql.FINDING_PLACES).where(sql.FINDING_PLACES.c.blob_id.in_(sql.listed("ids")))
)
_KNOWN = sql.query(select(_B.c.blob_id).where(_B.c.blob_id.in_(sql.listed("ids"))))
_ADD_BLOB = sql.insert(_B)
_LOCK_MANIFEST = sql.query(
    select(sql.MANIFESTS.c.size).where(*sql.matches(sql.MANIFESTS, "manifest_id")).with_for_update()
)
_MANIFEST_REFERRED = sql.exists(sql.MANIFEST_REFS, "manifest_id")
_DROP_MANIFEST = sql.remove(sql.MANIFESTS, "manifest_id")
_LAYOUT = sql.query(
    select(sql.MANIFESTS.c.layout).where(*sql.matches(sql.MANIFESTS, "manifest_id"))
)
_UPLOAD = sql.query(
    select(sql.UPLOADS.c.state, sql.UPLOADS.c.changed_us)
    .where(*sql.matches(sql.UPLOADS, "upload_id"))
    .with_for_update()
)
_DROP_UPLOAD = sql.remove(sql.UPLOADS, "upload_id")
_PART_NUMBERS = sql.query(
    select(sql.PARTS.c.part_number).where(*sql.matches(sql.PARTS, "upload_id"))
)
_TAKE_PART = sql.remove(sql.PARTS, "upload_id", "part_number", returning=("segments",))
_UNREFER = sql.remove(sql.BLOB_REFS, "blob_id", "referrer")
_WAITING = sql.query(
    select(
        func.count(),
        func.sum(func.coalesce(_B.c.stored_size, 0)),
        func.min(_Q.c.due_us),
    )
    .select_from(_Q.outerjoin(_B, _B.c.blob_id == _Q.c.id))
    .where(_Q.c.kind != UPLOAD)
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the queue; its columns are its fields."""

    due_us: int
    kind: int
    id: bytes

    def values(self) -> dict[str, object]:
        return {"due_us": self.due_us, "kind": self.kind, "id": self.id}


@dataclass(slots=True)
class Batch:
    """What one bounded transaction found: `removable` blobs are condemned and their grace over."""

    seen: int = 0
    condemned: int = 0
    removable: list[tuple[Entry, Location]] = field(default_factory=list)


@durable
async def collect(tx: Tx, now_us: int, grace_us: int, limit: int) -> Batch:
    """Look at up to `limit` entries that are due. Removing bytes is the caller's, see `forget`.

    It is on disk before they are removed, and so are the deletions that led to it.

    The entries are locked first: who drops a reference now and queues an equal entry waits, and
    finds it gone, or was waited for, and the reference is seen gone. Entries that a clock which
    was ahead has put off for longer than any is, are due.
    """
    due = await tx.all(_DUE, now_us=now_us, limit=limit)
    if not due:
        latest_us = now_us + max(grace_us, _REMEMBERED_US) + _LEEWAY_US
        due = await tx.all(_MISDATED, latest_us=latest_us, limit=limit)
    entries = [Entry(*row) for row in due]
    batch = Batch(seen=len(entries))
    await _blobs(tx, [e for e in entries if e.kind == BLOB], now_us, grace_us, batch)
    for entry in entries:
        if entry.kind == MANIFEST:
            await _manifest(tx, entry, now_us, grace_us)
        elif entry.kind == UNUSED_MANIFEST:
            await _unused_manifest(tx, entry, now_us)
        elif entry.kind == UPLOAD and not await _upload(tx, entry, now_us):
            break
    if batch.removable and (await leases.end_of(tx, HOLD) or 0) > now_us:
        await _hold(tx, batch, now_us)
    return batch


async def forget(tx: Tx, removed: Sequence[Entry]) -> tuple[int, int]:
    """Drop the rows of condemned blobs whose bytes are gone; how many there were, and bytes.

    Entries are locked before their blobs, as `collect` does: collectors run beside each other.
    """
    await tx.many(_UNQUEUE, [entry.values() for entry in removed])
    found = await tx.all(_LOCK_BLOBS, ids=sql.packed(entry.id for entry in removed))
    gone = [row for row in found if row[1] == CONDEMNED]
    ids = sql.packed(row[0] for row in gone)
    for statement in (_DROP_INLINE, _DROP_FINDINGS, _DROP_PLACES, _DROP_BLOBS):
        await tx.run(statement, ids=ids)
    return len(gone), sum(row[4] for row in gone)


async def condemn_orphans(
    tx: Tx, sizes: Mapping[bytes, int], now_us: int, grace_us: int
) -> Sequence[bytes]:
    """Give bytes without a row one that is condemned, by id and stored size; the ids of those.

    So they go as everything else does, after a grace. Who staged them, and comes to commit only
    now, finds the row (see `references.adopt`) instead of losing its bytes after an answer.
    """
    known = {row[0] for row in await tx.all(_KNOWN, ids=sql.packed(sizes))}
    orphans = sorted(sizes.keys() - known)
    rows = [
        {
            "blob_id": blob_id,
            "size": 0,
            "stored_size": sizes[blob_id],
            "sha256": b"",
            "location": int(Location.STORE),
            "key_id": sealing_key(blob_id),
            "state": CONDEMNED,
            "created_us": now_us,
            "condemned_us": now_us,
        }
        for blob_id in orphans
    ]
    await tx.many(_ADD_BLOB, rows)
    due_us = now_us + grace_us
    await tx.many(QUEUE, [{"due_us": due_us, "kind": BLOB, "id": b} for b in orphans])
    return orphans


async def waiting(tx: Tx) -> GcReport:
    """What is queued and not yet removed."""
    row = await tx.one(_WAITING)
    assert row is not None
    due_at = None if row[2] is None else rows.to_datetime(row[2])
    return GcReport(waiting=row[0], waiting_bytes=int(row[1] or 0), due_at=due_at)


async def known_blobs(tx: Tx, blob_ids: Sequence[bytes]) -> set[bytes]:
    """Those of `blob_ids` that have a row."""
    return {row[0] for row in await tx.all(_KNOWN, ids=sql.packed(blob_ids))}


async def _blobs(
    tx: Tx, entries: Sequence[Entry], now_us: int, grace_us: int, batch: Batch
) -> None:
    """All at once. Who takes a reference holds the blob's row: it is asked for after the lock."""
    if not entries:
        return
    ids = sql.packed(entry.id for entry in entries)
    found = {row[0]: row[1:4] for row in await tx.all(_LOCK_BLOBS, ids=ids)}
    referred = {row[0] for row in await tx.all(_REFERRED, ids=ids)}
    ended: list[Entry] = []
    condemned: dict[bytes, list[Entry]] = {}
    for entry in entries:
        if entry.id not in found or entry.id in referred:
            ended.append(entry)
            continue
        state, condemned_us, location = found[entry.id]
        if state != CONDEMNED or condemned_us > now_us:
            condemned.setdefault(entry.id, []).append(entry)
        elif condemned_us + grace_us <= now_us:
            batch.removable.append((entry, Location(location)))
        else:
            await _requeue(tx, entry, BLOB, condemned_us + grace_us)
    if condemned:
        await tx.run(_CONDEMN, ids=sql.packed(condemned), condemned_us=now_us)
        due_us = now_us + grace_us
        await tx.many(QUEUE, [{"due_us": due_us, "kind": BLOB, "id": b} for b in condemned])
        ended += [e for same in condemned.values() for e in same if e.due_us != due_us]
    if ended:
        await tx.many(_UNQUEUE, [entry.values() for entry in ended])
    batch.condemned += len(condemned)


async def _hold(tx: Tx, batch: Batch, now_us: int) -> None:
    """Asked last: who takes the lease later sees as condemned what is removed."""
    for entry, location in batch.removable:
        if location == Location.STORE:
            await _requeue(tx, entry, BLOB, now_us + _HELD_US)
    batch.removable = [each for each in batch.removable if each[1] != Location.STORE]


async def _manifest(tx: Tx, entry: Entry, now_us: int, grace_us: int) -> None:
    if await tx.one(_MANIFEST_REFERRED, manifest_id=entry.id) is not None:
        await tx.run(_UNQUEUE, **entry.values())
    else:
        await _requeue(tx, entry, UNUSED_MANIFEST, now_us + grace_us)


async def _unused_manifest(tx: Tx, entry: Entry, now_us: int) -> None:
    held = await tx.one(_LOCK_MANIFEST, manifest_id=entry.id)
    if held is None or await tx.one(_MANIFEST_REFERRED, manifest_id=entry.id) is not None:
        await tx.run(_UNQUEUE, **entry.values())
        return
    await tx.run(_DROP_MANIFEST, manifest_id=entry.id)
    await _requeue(tx, entry, UPLOAD, now_us)


async def _upload(tx: Tx, entry: Entry, now_us: int) -> bool:
    """Drop parts that no manifest names, one piece of them; False while there are more."""
    row = await tx.one(_UPLOAD, upload_id=entry.id)
    layout = await tx.one(_LAYOUT, manifest_id=entry.id)
    if row is not None and row[0] == OPEN:
        await tx.run(_UNQUEUE, **entry.values())
        return True
    named = set() if layout is None else set(Layout(layout[0]).part_numbers)
    numbers = [n for (n,) in await tx.all(_PART_NUMBERS, upload_id=entry.id) if n not in named]
    for number in numbers[:_PIECE]:
        part = await tx.one(_TAKE_PART, upload_id=entry.id, part_number=number)
        if part is not None:
            blob_ids = sorted({segment.blob_id for segment in Layout(part[0])})
            name = referrer(entry.id.hex(), number)
            await tx.many(_UNREFER, [{"blob_id": b, "referrer": name} for b in blob_ids])
            await tx.many(QUEUE, [{"due_us": now_us, "kind": BLOB, "id": b} for b in blob_ids])
    if len(numbers) > _PIECE:
        return False
    if row is not None and row[0] == COMPLETED and row[1] + _REMEMBERED_US > now_us:
        await _requeue(tx, entry, UPLOAD, min(row[1], now_us) + _REMEMBERED_US)
    else:
        await tx.run(_DROP_UPLOAD, upload_id=entry.id)
        await tx.run(_UNQUEUE, **entry.values())
    return True


async def _requeue(tx: Tx, entry: Entry, kind: int, due_us: int) -> None:
    if (entry.kind, entry.due_us) != (kind, due_us):
        await tx.run(QUEUE, due_us=due_us, kind=kind, id=entry.id)
        await tx.run(_UNQUEUE, **entry.values())
