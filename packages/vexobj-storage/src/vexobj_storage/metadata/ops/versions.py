"""How a key's current version is replaced, set aside and promoted; and changed without replacing.

In a bucket that never had versioning a key is its row in `objects`, changed by compare-and-set
on `uid` and blob. In all others a transaction first locks the key's row in `key_heads`, and owns
both `objects` and `versions` of that key until it ends.
"""

from typing import Any, NamedTuple, Self

from sqlalchemy import and_, bindparam, insert, literal, select, update
from sqlalchemy.sql.elements import ColumnElement

from vexobj_storage.errors import NoSuchBucket, NoSuchKey, PreconditionFailed
from vexobj_storage.locks import ObjectLock
from vexobj_storage.metadata import rows
from vexobj_storage.metadata.ops import guard, outbox, quotas, sql
from vexobj_storage.metadata.ops.guard import Summary
from vexobj_storage.metadata.ops.ledger import Ledger
from vexobj_storage.metadata.ops.references import TWIN
from vexobj_storage.metadata.rows import Draft, Placed
from vexobj_storage.metadata.statement import Statement
from vexobj_storage.metadata.tx import Row, Tx
from vexobj_storage.types import Bucket, Versioning, WriteCondition, value

CREATED = "object.created"
"""The kind of event that a version in a key's first place makes."""

_O, _V = sql.OBJECTS, sql.VERSIONS
_KEY = ("bucket_id", "key")
_SHARED = [c.name for c in _O.c if c.name not in {*_KEY, "sequence"}]
_SUMMARY = Summary._fields

_TARGET = sql.query(
    select(
        sql.BUCKETS.c.versioning,
        quotas.LIMITED,
        TWIN,
        _O.c.sequence,
        _O.c.etag,
        _O.c.created_us,
        sql.BUCKETS.c.object_lock,
        outbox.SUBSCRIBED,
        *(_O.c[name] for name in _SUMMARY),
    )
    .select_from(
        sql.BUCKETS.outerjoin(
            _O, and_(_O.c.bucket_id == sql.BUCKETS.c.id, _O.c.key == bindparam("key"))
        )
    )
    .where(sql.BUCKETS.c.id == bindparam("bucket_id"))
    .with_for_update(read=True, of=sql.BUCKETS)
)
_HOLD_BUCKET = sql.query(
    select(sql.BUCKETS.c.versioning)
    .where(sql.BUCKETS.c.id == bindparam("bucket_id"))
    .with_for_update(read=True)
)
_INSERT_OBJECT = sql.insert(_O)


def _replace(lock: list[ColumnElement[bool]]) -> Statement:
    """Of a version with the blob that it was seen with: its content may be rewritten meanwhile."""
    replaced_blob = bindparam("replaced_blob", type_=_O.c.blob_id.type)
    seen = (
        _O.c.uid == bindparam("replaced_uid"),
        _O.c.blob_id.is_not_distinct_from(replaced_blob),
    )
    return sql.query(
        update(_O)
        .where(*sql.matches(_O, *_KEY), *seen, *lock)
        .values({name: bindparam(name) for name in ["sequence", *_SHARED]})
    )


_REPLACE_OBJECT = _replace(guard.never_locked(_O))
_REPLACE_LOCKED_OBJECT = _replace(guard.locked_as_seen(_O))
_LOCK_HEAD = sql.upsert(sql.KEY_HEADS, lambda heads, _: {"sequence": heads.c.sequence}, "sequence")
_SET_HEAD = sql.query(
    update(sql.KEY_HEADS)
    .where(*sql.matches(sql.KEY_HEADS, *_KEY))
    .values(sequence=bindparam("sequence"))
)
_DROP_HEAD = sql.remove(sql.KEY_HEADS, *_KEY)


_SET_ASIDE = sql.query(
    insert(_V).from_select(
        [*_KEY, *_SHARED, "descending", "is_delete_marker"],
        select(
            *(_O.c[name] for name in [*_KEY, *_SHARED]),
            sql.LAST - _O.c.sequence,
            literal(0),
        ).where(*sql.matches(_O, *_KEY)),
    )
)
_PROMOTE = sql.query(
    insert(_O).from_select(
        [*_KEY, *_SHARED, "sequence"],
        select(
            *(_V.c[name] for name in [*_KEY, *_SHARED]),
            sql.LAST - _V.c.descending,
        ).where(*sql.matches(_V, *_KEY, "descending")),
    )
)
DROP_OBJECT = sql.remove(_O, *_KEY)
DROP_VERSION = sql.remove(_V, *_KEY, "descending")
NONCURRENT = [_V.c.descending, _V.c.is_delete_marker, *(_V.c[name] for name in _SUMMARY)]
_NEWEST = sql.query(
    select(*NONCURRENT).where(*sql.matches(_V, *_KEY)).order_by(_V.c.descending).limit(1)
)
_FIND_UID = sql.query(select(*NONCURRENT).where(*sql.matches(_V, *_KEY, "uid")))
_FIND_NULL = sql.query(select(*NONCURRENT).where(*sql.matches(_V, *_KEY), _V.c.is_null == 1))


class Noncurrent(NamedTuple):
    """A row of `versions`, from the columns NONCURRENT."""

    descending: int
    is_delete_marker: int
    version: Summary

    @classmethod
    def of(cls, row: Row) -> Self:
        return cls(row[0], row[1], Summary(*row[2:]))


@value
class Target:
    """The key that a write is about, its bucket held: `live` is what is there now.

    `limited` says that the bucket has a quota, `subscribed` that events are wanted.
    """

    versioning: int
    limited: bool
    twin: bytes | None
    live: Summary | None
    sequence: int
    etag: str
    created_us: int
    object_lock: str | None
    subscribed: bool


async def hold_bucket(tx: Tx, bucket: Bucket) -> int:
    """Keep a bucket from being deleted or configured until the commit; its versioning state.

    Raises: NoSuchBucket.
    """
    row = await tx.one(_HOLD_BUCKET, bucket_id=bucket.id)
    if row is None:
        raise NoSuchBucket(bucket.name)
    versioning: int = row[0]
    return versioning


async def target(
    tx: Tx,
    bucket: Bucket,
    key: bytes,
    sha256: bytes | None = None,
    size: int = 0,
    key_id: int = 0,
) -> Target:
    """Hold the bucket and look at the key; `sha256`, `size` and `key_id` also look for a twin."""
    row = await tx.one(
        _TARGET, bucket_id=bucket.id, key=key, sha256=sha256, size=size, key_id=key_id
    )
    if row is None:
        raise NoSuchBucket(bucket.name)
    subscribed = row[7] is not None
    if row[8] is None:
        return Target(row[0], bool(row[1]), row[2], None, 0, "", 0, row[6], subscribed)
    live = Summary(*row[8:])
    return Target(row[0], bool(row[1]), row[2], live, row[3], row[4], row[5], row[6], subscribed)


async def lock_head(tx: Tx, bucket_id: int, key: bytes) -> int:
    """Own the key's history until the commit; the last sequence given to it, or 0."""
    row = await tx.one(_LOCK_HEAD, bucket_id=bucket_id, key=key, sequence=0)
    assert row is not None
    sequence: int = row[0]
    return sequence


async def set_head(tx: Tx, bucket_id: int, key: bytes, sequence: int) -> None:
    await tx.run(_SET_HEAD, bucket_id=bucket_id, key=key, sequence=sequence)


async def place(
    tx: Tx,
    found: Target,
    draft: Draft,
    blob_id: bytes | None,
    manifest_id: bytes | None,
    condition: WriteCondition,
    ledger: Ledger,
) -> Placed:
    """Make a draft the current version of its key. `found` may be outdated: then look again.

    Raises: PreconditionFailed, NoSuchKey, NoSuchBucket, ObjectLocked.
    """
    while True:
        head = 0
        if found.versioning != Versioning.OFF:
            head = await lock_head(tx, draft.bucket.id, draft.key)
            found = await target(tx, draft.bucket, draft.key)
        live = found.live
        if live is not None and live.uid == draft.uid:
            lock = rows.object_lock(live.lock_mode, live.retain_until_us, live.legal_hold)
            return Placed(
                found.sequence, live.is_null, found.created_us, live.blob_id, live.manifest_id, lock
            )
        _check(condition, found, draft)
        placed = Placed(
            sequence=max(head + 1, found.sequence + 1, draft.now_us),
            is_null=0 if found.versioning == Versioning.ENABLED else 1,
            created_us=draft.now_us if live is None else found.created_us,
            blob_id=blob_id,
            manifest_id=manifest_id,
            lock=draft.lock if found.object_lock is None else _lock(draft, found.object_lock),
        )
        if live is not None and live.is_null and placed.is_null:
            await guard.refuse_to_write(tx, draft, live)
        if await _write(tx, found, draft, placed, ledger):
            if found.subscribed:
                ledger.tell(CREATED, draft.key, placed.sequence, _told(draft, placed))
            return placed
        found = await target(tx, draft.bucket, draft.key)


def _told(draft: Draft, placed: Placed) -> dict[str, Any]:
    """What an event says of a version that was placed."""
    values = draft.values
    sha256 = values["sha256"]
    return {
        "bucket": draft.bucket.name,
        "key": draft.key.decode(errors="replace"),
        "version_id": rows.version_id(draft.uid, placed.is_null),
        "size": values["size"],
        "etag": values["etag"],
        "sha256": None if sha256 is None else sha256.hex(),
        "content_type": values["content_type"],
    }


def _check(condition: WriteCondition, found: Target, draft: Draft) -> None:
    if condition.if_none_match_any and found.live is not None:
        raise PreconditionFailed("If-None-Match")
    if condition.if_match is not None:
        if found.live is None:
            raise NoSuchKey(draft.bucket.name, draft.key.decode(errors="replace"))
        if condition.if_match not in ("*", found.etag):
            raise PreconditionFailed("If-Match")


def _lock(draft: Draft, configuration: str) -> ObjectLock:
    """The draft's own, or with the retention that its bucket gives."""
    asked = rows.lock_configuration(configuration)
    if draft.lock.retention is not None or asked is None or asked.default_retention is None:
        return draft.lock
    retention = asked.default_retention.beginning(rows.to_datetime(draft.now_us))
    return ObjectLock(retention, draft.lock.legal_hold)


async def _write(tx: Tx, found: Target, draft: Draft, placed: Placed, ledger: Ledger) -> bool:
    """False when another writer was faster, which only a bucket without versions allows."""
    values = {
        **draft.values,
        "sequence": placed.sequence,
        "is_null": placed.is_null,
        "created_us": placed.created_us,
        "blob_id": placed.blob_id,
        "manifest_id": placed.manifest_id,
    }
    if placed.lock is not draft.lock:
        values |= rows.lock_values(placed.lock)
    live, size = found.live, draft.values["size"]
    if found.versioning != Versioning.OFF:
        await set_head(tx, draft.bucket.id, draft.key, placed.sequence)
        if placed.is_null and (live is None or not live.is_null):
            null = await find_version(tx, draft.bucket.id, draft.key, None)
            if null is not None:
                await guard.refuse_to_write(tx, draft, null.version)
                await drop_version(tx, draft.bucket.id, draft.key, null, ledger)
        if live is not None and not (live.is_null and placed.is_null):
            await set_aside(tx, draft.bucket.id, draft.key, live, ledger)
            live = None
    if live is None:
        if not await tx.run(_INSERT_OBJECT, **values):
            return False
        ledger.current(1, size)
        return True
    values |= {"replaced_uid": live.uid, "replaced_blob": live.blob_id}
    replace = _REPLACE_OBJECT
    if guard.has_lock(live):
        replace = _REPLACE_LOCKED_OBJECT
        values |= guard.seen_of(live)
    if not await tx.run(replace, **values):
        return False
    ledger.drop(live.uid, live.blob_id, live.manifest_id)
    ledger.current(0, size - live.size)
    return True


async def set_aside(tx: Tx, bucket_id: int, key: bytes, live: Summary, ledger: Ledger) -> None:
    """Move the current version to the noncurrent ones."""
    await tx.run(_SET_ASIDE, bucket_id=bucket_id, key=key)
    await tx.run(DROP_OBJECT, bucket_id=bucket_id, key=key)
    ledger.current(-1, -live.size)
    ledger.noncurrent(1, live.size)


async def drop_live(tx: Tx, bucket_id: int, key: bytes, live: Summary, ledger: Ledger) -> None:
    """Remove the current version of a key whose history is locked."""
    await tx.run(DROP_OBJECT, bucket_id=bucket_id, key=key)
    ledger.drop(live.uid, live.blob_id, live.manifest_id)
    ledger.current(-1, -live.size)


async def drop_version(
    tx: Tx, bucket_id: int, key: bytes, found: Noncurrent, ledger: Ledger
) -> None:
    """Remove a row of `versions`."""
    await tx.run(DROP_VERSION, bucket_id=bucket_id, key=key, descending=found.descending)
    version = found.version
    ledger.drop(version.uid, version.blob_id, version.manifest_id)
    if not found.is_delete_marker:
        ledger.noncurrent(-1, -version.size)


async def find_version(tx: Tx, bucket_id: int, key: bytes, uid: bytes | None) -> Noncurrent | None:
    """The version (None: the null one), or delete marker, among those in `versions`."""
    if uid is None:
        row = await tx.one(_FIND_NULL, bucket_id=bucket_id, key=key)
    else:
        row = await tx.one(_FIND_UID, bucket_id=bucket_id, key=key, uid=uid)
    return None if row is None else Noncurrent.of(row)


async def newest(tx: Tx, bucket_id: int, key: bytes) -> Noncurrent | None:
    """The newest of the noncurrent versions and delete markers."""
    row = await tx.one(_NEWEST, bucket_id=bucket_id, key=key)
    return None if row is None else Noncurrent.of(row)


async def promote(tx: Tx, bucket_id: int, key: bytes, ledger: Ledger) -> None:
    """With no current version left: the newest noncurrent one becomes it, unless it is a marker."""
    found = await newest(tx, bucket_id, key)
    if found is None:
        await tx.run(_DROP_HEAD, bucket_id=bucket_id, key=key)
    elif not found.is_delete_marker:
        place = {"bucket_id": bucket_id, "key": key, "descending": found.descending}
        await tx.run(_PROMOTE, **place)
        await tx.run(DROP_VERSION, **place)
        ledger.noncurrent(-1, -found.version.size)
        ledger.current(1, found.version.size)
