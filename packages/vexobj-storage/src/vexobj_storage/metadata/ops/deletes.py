"""Deleting objects and versions, as each versioning state has it."""

from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.sql.elements import ColumnElement

from vexobj_storage.ids import new_id
from vexobj_storage.locks import LockRefusal
from vexobj_storage.metadata import rows
from vexobj_storage.metadata.ops import guard, sql, versions
from vexobj_storage.metadata.ops.guard import Removal, Summary
from vexobj_storage.metadata.ops.ledger import Ledger
from vexobj_storage.metadata.ops.outbox import Cause
from vexobj_storage.metadata.statement import Statement
from vexobj_storage.metadata.tx import Tx
from vexobj_storage.types import Bucket, Deleted, ObjectName, Versioning

DELETED, VERSION_DELETED = "object.deleted", "object.version.deleted"
"""The kinds of event: a key has no current version any more, and one of its versions is gone."""

_O = sql.OBJECTS
_SUMMARY = [_O.c[name] for name in Summary._fields]
_FIND_OBJECT = sql.query(
    select(*_SUMMARY, _O.c.sequence).where(*sql.matches(_O, "bucket_id", "key"))
)


def _take(lock: list[ColumnElement[bool]]) -> Statement:
    rows_of_key = delete(_O).where(*sql.matches(_O, "bucket_id", "key"), *lock)
    return sql.query(rows_of_key.returning(*_SUMMARY))


_TAKE_OBJECT = _take(guard.never_locked(_O))
_TAKE_LOCKED_OBJECT = _take(guard.locked_as_seen(_O))
_ADD_VERSION = sql.insert(sql.VERSIONS)


async def delete_objects(
    tx: Tx,
    bucket: Bucket,
    names: Sequence[ObjectName],
    removal: Removal,
    now_us: int,
    cause: Cause = Cause.DELETE,
) -> Sequence[Deleted]:
    """All of `names` that no lock keeps; answers in their order. Raises: NoSuchBucket."""
    versioning = await versions.hold_bucket(tx, bucket)
    ledger = Ledger(bucket.id, now_us, new_id(), cause=cause)
    answers: list[Deleted | None] = [None] * len(names)
    # In one order everywhere, so that two batches cannot wait for each other.
    for index in sorted(range(len(names)), key=lambda i: names[i].key):
        answers[index] = await delete_one(tx, bucket, versioning, names[index], removal, ledger)
    await ledger.settle(tx)
    return [answer for answer in answers if answer is not None]


async def delete_one(
    tx: Tx, bucket: Bucket, versioning: int, name: ObjectName, removal: Removal, ledger: Ledger
) -> Deleted:
    """In a bucket that is held; the caller settles the ledger."""
    if versioning == Versioning.OFF:
        deleted = await _delete_only(tx, bucket, name, removal, ledger)
    elif name.version_id is None:
        deleted = await _mark(tx, bucket, name.key, versioning, removal, ledger)
    else:
        deleted = await _delete_version(tx, bucket, name, removal, ledger)
    if deleted.existed and deleted.refusal is None:
        is_version = versioning != Versioning.OFF and name.version_id is not None
        tell_deleted(ledger, bucket, deleted, VERSION_DELETED if is_version else DELETED)
    return deleted


def tell_deleted(ledger: Ledger, bucket: Bucket, deleted: Deleted, kind: str) -> None:
    """The event of what was deleted, or hidden behind a marker."""
    data = {
        "bucket": bucket.name,
        "key": deleted.key.decode(errors="replace"),
        "version_id": deleted.version_id,
        "delete_marker": deleted.is_delete_marker,
    }
    ledger.tell(kind, deleted.key, ledger.now_us, data)


async def _delete_only(
    tx: Tx, bucket: Bucket, name: ObjectName, removal: Removal, ledger: Ledger
) -> Deleted:
    """In a bucket that never had versions, where each object is its null version."""
    absent = Deleted(name.key, existed=False, version_id=name.version_id)
    if name.version_id not in (None, rows.NULL_VERSION):
        return absent
    row = await tx.one(_TAKE_OBJECT, bucket_id=bucket.id, key=name.key)
    while row is None:
        live, _ = await live_version(tx, bucket.id, name.key)
        if live is None:
            return absent
        reason = guard.refusal(live, removal)
        if reason is not None:
            return _kept(name.key, live, reason)
        row = await tx.one(
            _TAKE_LOCKED_OBJECT, bucket_id=bucket.id, key=name.key, **guard.seen_of(live)
        )
    taken = Summary(*row)
    ledger.drop(taken.uid, taken.blob_id, taken.manifest_id)
    ledger.current(-1, -taken.size)
    return Deleted(name.key, existed=True, version_id=name.version_id)


async def _mark(
    tx: Tx, bucket: Bucket, key: bytes, versioning: int, removal: Removal, ledger: Ledger
) -> Deleted:
    """Put a delete marker on top; in a suspended bucket it takes the null version's place."""
    head = await versions.lock_head(tx, bucket.id, key)
    live, sequence = await live_version(tx, bucket.id, key)
    is_null = versioning == Versioning.SUSPENDED
    replaced = live if live is not None and is_null and live.is_null else None
    null = None
    if is_null and replaced is None:
        null = await versions.find_version(tx, bucket.id, key, None)
    at_stake = [replaced, null and null.version, None if removal.hides_locked else live]
    for found in at_stake:
        reason = None if found is None else guard.refusal(found, removal)
        if found is not None and reason is not None:
            return _kept(key, found, reason)
    if null is not None:
        await versions.drop_version(tx, bucket.id, key, null, ledger)
    if replaced is not None:
        await versions.drop_live(tx, bucket.id, key, replaced, ledger)
    elif live is not None:
        await versions.set_aside(tx, bucket.id, key, live, ledger)
    uid = new_id()
    sequence = max(head + 1, sequence + 1, ledger.now_us)
    marker = _marker(bucket.id, key, uid, int(is_null), sequence, removal.owner_id, ledger)
    await tx.run(_ADD_VERSION, **marker)
    await versions.set_head(tx, bucket.id, key, sequence)
    return Deleted(
        key,
        existed=live is not None,
        version_id=rows.version_id(uid, int(is_null)),
        is_delete_marker=True,
    )


async def _delete_version(
    tx: Tx, bucket: Bucket, name: ObjectName, removal: Removal, ledger: Ledger
) -> Deleted:
    assert name.version_id is not None
    absent = Deleted(name.key, existed=False, version_id=name.version_id)
    try:
        uid = rows.parse_version_id(name.version_id)
    except ValueError:
        return absent
    await versions.lock_head(tx, bucket.id, name.key)
    live, _ = await live_version(tx, bucket.id, name.key)
    is_live = live is not None and (bool(live.is_null) if uid is None else live.uid == uid)
    older = None if is_live else await versions.find_version(tx, bucket.id, name.key, uid)
    found = live if is_live else older and older.version
    reason = None if found is None else guard.refusal(found, removal)
    if found is not None and reason is not None:
        return _kept(name.key, found, reason)
    if older is not None:
        await versions.drop_version(tx, bucket.id, name.key, older, ledger)
    elif live is not None and is_live:
        await versions.drop_live(tx, bucket.id, name.key, live, ledger)
    if live is None or is_live:
        await versions.promote(tx, bucket.id, name.key, ledger)
    if found is None:
        return absent
    is_delete_marker = older is not None and bool(older.is_delete_marker)
    return Deleted(
        name.key, existed=True, version_id=name.version_id, is_delete_marker=is_delete_marker
    )


async def live_version(tx: Tx, bucket_id: int, key: bytes) -> tuple[Summary | None, int]:
    """The current version with its sequence, or (None, 0)."""
    row = await tx.one(_FIND_OBJECT, bucket_id=bucket_id, key=key)
    return (None, 0) if row is None else (Summary(*row[:-1]), row[-1])


def _kept(key: bytes, found: Summary, reason: LockRefusal) -> Deleted:
    version_id = rows.version_id(found.uid, found.is_null)
    return Deleted(key, existed=True, version_id=version_id, refusal=reason)


def _marker(
    bucket_id: int,
    key: bytes,
    uid: bytes,
    is_null: int,
    sequence: int,
    owner_id: str,
    ledger: Ledger,
) -> dict[str, object]:
    return {
        **dict.fromkeys(c.name for c in sql.VERSIONS.c),
        "bucket_id": bucket_id,
        "key": key,
        "descending": sql.LAST - sequence,
        "is_delete_marker": 1,
        "uid": uid,
        "is_null": is_null,
        "size": 0,
        "etag": "",
        "created_us": ledger.now_us,
        "modified_us": ledger.now_us,
        "owner_id": owner_id,
        "content_type": "",
        "legal_hold": 0,
    }
