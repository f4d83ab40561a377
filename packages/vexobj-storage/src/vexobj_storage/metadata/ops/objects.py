"""Writing, reading and changing the current version of a key, or one named version of it."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Table, bindparam, func, select, update
from sqlalchemy.sql.elements import ColumnElement

from vexobj_storage.errors import NoSuchKey, NoSuchVersion
from vexobj_storage.metadata import rows
from vexobj_storage.metadata.ops import references, sql, versions
from vexobj_storage.metadata.ops.ledger import Ledger, has_settled
from vexobj_storage.metadata.ops.outbox import Cause
from vexobj_storage.metadata.rows import Draft, Placed
from vexobj_storage.metadata.statement import Statement
from vexobj_storage.metadata.tx import Row, Tx, repeatable, settled_by
from vexobj_storage.types import (
    Bucket,
    Location,
    ObjectVersion,
    StagedContent,
    StoredObject,
    Versioning,
    WriteCondition,
)

_KEY = ("bucket_id", "key")
_INLINE = len(rows.VERSION)
"""Where `_get` has the inline bytes."""


def _get(table: Table, *extra: str, where: tuple[str, ...] = _KEY, null: bool = False) -> Statement:
    """A version with its inline bytes."""
    content = table.outerjoin(sql.INLINE_BLOBS, sql.INLINE_BLOBS.c.blob_id == table.c.blob_id)
    columns = [
        *(_column(table, name) for name in rows.VERSION),
        sql.INLINE_BLOBS.c.data,
        *(table.c[name] for name in extra),
    ]
    statement = select(*columns).select_from(content).where(*sql.matches(table, *where))
    if null:
        statement = statement.where(table.c.is_null == 1)
    return sql.query(statement)


def _column(table: Table, name: str) -> ColumnElement[Any]:
    if name == "sequence" and table is sql.VERSIONS:
        return sql.LAST - table.c.descending
    return table.c[name]


_GET = _get(sql.OBJECTS)
_GET_OBJECT_UID = _get(sql.OBJECTS, where=(*_KEY, "uid"))
_GET_OBJECT_NULL = _get(sql.OBJECTS, null=True)
_GET_VERSION_UID = _get(sql.VERSIONS, "is_delete_marker", where=(*_KEY, "uid"))
_GET_VERSION_NULL = _get(sql.VERSIONS, "is_delete_marker", null=True)
_TOP = sql.query(
    select(sql.VERSIONS.c.uid, sql.VERSIONS.c.is_null, sql.VERSIONS.c.is_delete_marker)
    .where(*sql.matches(sql.VERSIONS, *_KEY))
    .order_by(sql.VERSIONS.c.descending)
    .limit(1)
)
_OBJECT_EXISTS = sql.exists(sql.OBJECTS, *_KEY)


def _change(table: Table) -> Statement:
    return sql.query(
        update(table)
        .where(*sql.matches(table, *_KEY, "uid"))
        .values(
            acl=func.coalesce(bindparam("new_acl", type_=table.c.acl.type), table.c.acl),
            tags=func.coalesce(bindparam("new_tags", type_=table.c.tags.type), table.c.tags),
        )
    )


_CHANGE_OBJECT = _change(sql.OBJECTS)
_CHANGE_VERSION = _change(sql.VERSIONS)
_INLINE_DATA = sql.query(
    select(sql.INLINE_BLOBS.c.data).where(*sql.matches(sql.INLINE_BLOBS, "blob_id"))
)
_BLOB_SIZE = sql.query(select(sql.BLOBS.c.size).where(*sql.matches(sql.BLOBS, "blob_id")))
_MANIFEST = sql.query(
    select(sql.MANIFESTS.c.layout).where(*sql.matches(sql.MANIFESTS, "manifest_id"))
)


async def settle_put(
    tx: Tx, draft: Draft, staged: StagedContent, condition: WriteCondition, *, deduplicate: bool
) -> Placed:
    """`put_object` when it may have committed: answers what it did, or does it."""
    placed = await _settled(tx, draft, staged)
    if placed is not None:
        return placed
    return await put_object(tx, draft, staged, condition, deduplicate=deduplicate)


@settled_by(settle_put)
async def put_object(
    tx: Tx, draft: Draft, staged: StagedContent, condition: WriteCondition, *, deduplicate: bool
) -> Placed:
    """Write a version from staged content, or from a live blob of the same content.

    Which of the two, the answer's `blob_id` tells.
    """
    sha256 = staged.sha256 if deduplicate else None
    found = await versions.target(tx, draft.bucket, draft.key, sha256, staged.size, staged.key_id)
    blob_id = staged.blob_id
    if found.twin is not None and await references.hold_blob(tx, found.twin) is not None:
        blob_id = found.twin
    ledger = Ledger(draft.bucket.id, draft.now_us, draft.uid, found.limited, found.subscribed)
    placed = await versions.place(tx, found, draft, blob_id, None, condition, ledger)
    assert placed.blob_id is not None  # of an attempt before this one it may be another twin
    if placed.blob_id == staged.blob_id:
        await references.adopt(tx, staged, draft.now_us)
    await references.refer_to_blob(tx, placed.blob_id, draft.uid)
    await ledger.settle(tx)
    return placed


async def settle_copy(
    tx: Tx, draft: Draft, source: ObjectVersion, condition: WriteCondition
) -> Placed:
    """`copy_object` when it may have committed: answers what it did, or does it."""
    return await _settled(tx, draft, None) or await copy_object(tx, draft, source, condition)


@settled_by(settle_copy)
async def copy_object(
    tx: Tx, draft: Draft, source: ObjectVersion, condition: WriteCondition
) -> Placed:
    """Write a version that shares another's content.

    Raises: NoSuchVersion if that is gone, BlobCorrupt if it is in quarantine.
    """
    found = await versions.target(tx, draft.bucket, draft.key)
    ledger = Ledger(
        draft.bucket.id, draft.now_us, draft.uid, found.limited, found.subscribed, Cause.COPY
    )
    placed = await versions.place(
        tx, found, draft, source.blob_id, source.manifest_id, condition, ledger
    )
    held = False
    if source.blob_id is not None:
        held = await references.hold_whole_blob(tx, source.blob_id)
        await references.refer_to_blob(tx, source.blob_id, draft.uid)
    elif source.manifest_id is not None:
        held = await references.hold_manifest(tx, source.manifest_id)
        await references.refer_to_manifest(tx, source.manifest_id, draft.uid)
    if not held:
        raise NoSuchVersion("", source.key.decode(errors="replace"), source.version_id)
    await ledger.settle(tx)
    return placed


async def get_object(tx: Tx, bucket: Bucket, key: bytes) -> StoredObject:
    """The current version. Raises: NoSuchKey."""
    row = await tx.one(_GET, bucket_id=bucket.id, key=key)
    if row is not None:
        return _stored(rows.version(bucket.id, row), row)
    marker = None
    if bucket.versioning != Versioning.OFF:
        top = await tx.one(_TOP, bucket_id=bucket.id, key=key)
        marker = rows.version_id(top[0], top[1]) if top is not None and top[2] else None
    raise NoSuchKey(bucket.name, key.decode(errors="replace"), marker)


async def get_version(tx: Tx, bucket: Bucket, key: bytes, version_id: str) -> StoredObject:
    """One version, or delete marker. Raises: NoSuchVersion."""
    try:
        uid = rows.parse_version_id(version_id)
    except ValueError:
        raise _no_version(bucket, key, version_id) from None
    by_uid = {} if uid is None else {"uid": uid}
    statement = _GET_OBJECT_NULL if uid is None else _GET_OBJECT_UID
    row = await tx.one(statement, bucket_id=bucket.id, key=key, **by_uid)
    if row is not None:
        return _stored(rows.version(bucket.id, row), row)
    statement = _GET_VERSION_NULL if uid is None else _GET_VERSION_UID
    row = await tx.one(statement, bucket_id=bucket.id, key=key, **by_uid)
    if row is None:
        raise _no_version(bucket, key, version_id)
    is_delete_marker = bool(row[-1])
    is_latest = is_delete_marker and await _is_top(tx, bucket, key, row[2])
    found = rows.version(bucket.id, row, is_latest=is_latest, is_delete_marker=is_delete_marker)
    return _stored(found, row)


@repeatable
async def update_object(
    tx: Tx,
    bucket: Bucket,
    key: bytes,
    version_id: str | None,
    acl: str | None,
    tags: Mapping[str, str] | None,
) -> ObjectVersion:
    """Raises: NoSuchKey, NoSuchVersion."""
    if await versions.hold_bucket(tx, bucket) != Versioning.OFF:
        await versions.lock_head(tx, bucket.id, key)
    while True:
        stored = await (
            get_object(tx, bucket, key)
            if version_id is None
            else get_version(tx, bucket, key, version_id)
        )
        uid = stored.version.uid
        values = {
            "bucket_id": bucket.id,
            "key": key,
            "uid": uid,
            "new_acl": acl,
            "new_tags": None if tags is None else rows.pack_tags(tags),
        }
        if stored.version.is_delete_marker:
            raise _no_version(bucket, key, stored.version.version_id)
        changed = await tx.run(_CHANGE_OBJECT, **values) or await tx.run(_CHANGE_VERSION, **values)
        if changed:
            return (await get_version(tx, bucket, key, stored.version.version_id)).version


async def find_uid(tx: Tx, bucket: Bucket, key: bytes, uid: bytes) -> ObjectVersion | None:
    """The version with this uid, wherever in the key's history it is now."""
    row = await tx.one(_GET_OBJECT_UID, bucket_id=bucket.id, key=key, uid=uid)
    if row is not None:
        return rows.version(bucket.id, row)
    row = await tx.one(_GET_VERSION_UID, bucket_id=bucket.id, key=key, uid=uid)
    return None if row is None else rows.version(bucket.id, row, is_latest=False)


async def inline_data(tx: Tx, blob_id: bytes) -> bytes | None:
    row = await tx.one(_INLINE_DATA, blob_id=blob_id)
    return None if row is None else row[0]


async def blob_size(tx: Tx, blob_id: bytes) -> int | None:
    """The size of a blob's content; None if there is no such blob."""
    row = await tx.one(_BLOB_SIZE, blob_id=blob_id)
    return None if row is None else row[0]


async def manifest(tx: Tx, manifest_id: bytes) -> bytes | None:
    """The packed layout of a completed upload."""
    row = await tx.one(_MANIFEST, manifest_id=manifest_id)
    return None if row is None else row[0]


async def _settled(tx: Tx, draft: Draft, staged: StagedContent | None) -> Placed | None:
    """Where the draft was placed; None for one that was not, as far as traces tell.

    It is known by its version id, and after another write has replaced it by its blob (that of
    `staged`) or by the usage that it settled. With neither left it is written again, as its client
    would. Traces are looked for first: where there is one, the version has been there too.
    """
    versioning = await versions.hold_bucket(tx, draft.bucket)
    if versioning != Versioning.OFF:
        await versions.lock_head(tx, draft.bucket.id, draft.key)  # it may be committing only now
    is_traced = await has_settled(tx, draft.bucket.id, draft.uid)
    adopted = None
    if staged is not None and await references.is_adopted(tx, staged):
        adopted = staged.blob_id
    found = await find_uid(tx, draft.bucket, draft.key, draft.uid)
    if found is not None:
        is_null = int(found.version_id == rows.NULL_VERSION)
        created_us = rows.to_us(found.created_at)
        return Placed(
            found.sequence, is_null, created_us, found.blob_id, found.manifest_id, found.lock
        )
    if adopted is None and not is_traced:
        return None
    is_null = int(versioning != Versioning.ENABLED)
    return Placed(draft.now_us, is_null, draft.now_us, adopted, None, draft.lock)


async def _is_top(tx: Tx, bucket: Bucket, key: bytes, uid: bytes) -> bool:
    if await tx.one(_OBJECT_EXISTS, bucket_id=bucket.id, key=key) is not None:
        return False
    top = await tx.one(_TOP, bucket_id=bucket.id, key=key)
    return top is not None and top[0] == uid


def _stored(version: ObjectVersion, row: Row) -> StoredObject:
    inline = row[_INLINE]
    if inline is not None:
        return StoredObject(version, inline, Location.INLINE)
    return StoredObject(version, None, None if version.blob_id is None else Location.STORE)


def _no_version(bucket: Bucket, key: bytes, version_id: str) -> NoSuchVersion:
    return NoSuchVersion(bucket.name, key.decode(errors="replace"), version_id)
