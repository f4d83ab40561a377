"""Buckets: creating, finding, listing, changing and deleting them."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.sql.base import Executable
from sqlalchemy.sql.elements import ColumnElement

from vexobj_storage.errors import (
    BucketAlreadyExists,
    BucketNotEmpty,
    NoSuchBucket,
    ObjectLockNeedsVersioning,
)
from vexobj_storage.locks import ObjectLockConfiguration
from vexobj_storage.metadata import rows
from vexobj_storage.metadata.ops import aliases, quotas, sql
from vexobj_storage.metadata.ops.ledger import QUEUE, UPLOAD
from vexobj_storage.metadata.statement import Statement
from vexobj_storage.metadata.tx import Tx
from vexobj_storage.types import Bucket, BucketChange, Page, Versioning

_B = sql.BUCKETS
_COLUMNS = [_B.c[name] for name in rows.BUCKET]

_COUNT = sql.upsert(sql.COUNTERS, lambda counters, _: {"value": counters.c.value + 1}, "value")
_CREATE = sql.insert(_B)
_FIND = sql.query(select(*_COLUMNS).where(*sql.matches(_B, "name")))
_LOCK = sql.query(select(*_COLUMNS).where(*sql.matches(_B, "name")).with_for_update())
_UPDATE = sql.query(
    update(_B)
    .where(_B.c.id == bindparam("bucket_id"))
    .values(
        {
            name: bindparam(name)
            for name in ("public", "versioning", "acl", "settings", "object_lock")
        }
    )
)
_DELETE = sql.remove(_B, "name")
_HAS_OBJECT = sql.exists(sql.OBJECTS, "bucket_id")
_HAS_VERSION = sql.exists(sql.VERSIONS, "bucket_id")
_OPEN_UPLOADS = sql.query(
    select(sql.UPLOADS.c.upload_id).where(
        *sql.matches(sql.UPLOADS, "bucket_id"), sql.UPLOADS.c.state == 0
    )
)
_ABORT_UPLOADS = sql.query(
    update(sql.UPLOADS)
    .where(*sql.matches(sql.UPLOADS, "bucket_id"), sql.UPLOADS.c.state == 0)
    .values(state=2, changed_us=bindparam("changed_us"))
)
_DROP_HEADS = sql.remove(sql.KEY_HEADS, "bucket_id")
_DROP_USAGE = sql.remove(sql.USAGE, "bucket_id")
_DROP_DELTAS = sql.remove(sql.USAGE_DELTAS, "bucket_id")


def _list(*, owned: bool) -> Statement:
    def build(dialect: str) -> Executable:
        name: ColumnElement[str] = _B.c.name
        if dialect == "postgresql":
            name = name.collate("C")
        prefix = bindparam("prefix", type_=_B.c.name.type)
        page = select(*_COLUMNS).where(
            name > bindparam("after", type_=_B.c.name.type),
            func.substr(_B.c.name, 1, func.length(prefix)) == prefix,
        )
        if owned:
            page = page.where(*sql.matches(_B, "owner_id"))
        return page.order_by(name).limit(bindparam("limit"))

    return Statement(build)


_LIST_ALL = _list(owned=False)
_LIST_OWNED = _list(owned=True)


async def create_bucket(
    tx: Tx, name: str, owner_id: str, public: bool, acl: str | None, object_lock: bool, now_us: int
) -> Bucket:
    """Raises: BucketAlreadyExists."""
    configuration = ObjectLockConfiguration() if object_lock else None
    number = await tx.one(_COUNT, name="bucket", value=1)
    assert number is not None
    default = await quotas.default_quota(tx)
    values = {
        "id": number[0],
        "name": name,
        "owner_id": owner_id,
        "created_us": now_us,
        "public": int(public),
        "versioning": int(Versioning.ENABLED if object_lock else Versioning.OFF),
        "acl": acl,
        "settings": "{}",
        "object_lock": rows.pack_lock_configuration(configuration),
        **quotas.columns(default),
        "quota_own": 0,
    }
    # The counter's lock is held: nobody else creates a bucket meanwhile.
    taken = await tx.one(_FIND, name=name)
    if taken is not None:
        raise BucketAlreadyExists(name, rows.bucket(taken).owner_id)
    await tx.run(_CREATE, **values)
    tx.bump_epoch()
    return rows.bucket(tuple(values.values()))


async def find_bucket(tx: Tx, name: str) -> Bucket:
    """Raises: NoSuchBucket."""
    row = await tx.one(_FIND, name=name)
    if row is None:
        raise NoSuchBucket(name)
    return rows.bucket(row)


async def list_buckets(
    tx: Tx, owner_id: str | None, prefix: str, after: str, limit: int
) -> Page[Bucket]:
    values = {"prefix": prefix, "after": after, "limit": limit + 1}
    if owner_id is None:
        found = await tx.all(_LIST_ALL, **values)
    else:
        found = await tx.all(_LIST_OWNED, owner_id=owner_id, **values)
    page: Sequence[Bucket] = [rows.bucket(row) for row in found[:limit]]
    return Page(page, page[-1].name if page and len(found) > limit else None)


async def lock_bucket(tx: Tx, name: str) -> Bucket:
    """Nobody writes in it or changes it before this transaction ends. Raises: NoSuchBucket."""
    row = await tx.one(_LOCK, name=name)
    if row is None:
        raise NoSuchBucket(name)
    return rows.bucket(row)


async def update_bucket(tx: Tx, name: str, change: BucketChange) -> Bucket:
    """Waits for the writes under way in the bucket.

    Raises: NoSuchBucket, HostAliasTaken, ObjectLockNeedsVersioning; ValueError for versioning that
        would go back to OFF.
    """
    old = await lock_bucket(tx, name)
    versioning = old.versioning if change.versioning is None else change.versioning
    if versioning == Versioning.OFF != old.versioning:
        raise ValueError("versioning that was once enabled can only be suspended")
    object_lock = change.object_lock or old.object_lock
    if object_lock is not None and versioning != Versioning.ENABLED:
        raise ObjectLockNeedsVersioning(name)
    new = replace(
        old,
        public=old.public if change.public is None else change.public,
        versioning=versioning,
        acl=old.acl if change.acl is None else change.acl,
        settings={**old.settings, **(change.settings or {})},
        object_lock=object_lock,
    )
    await tx.run(
        _UPDATE,
        bucket_id=new.id,
        public=int(new.public),
        versioning=int(new.versioning),
        acl=new.acl,
        settings=rows.bucket_settings(new.settings),
        object_lock=rows.pack_lock_configuration(object_lock),
    )
    await aliases.replace(tx, new.id, aliases.aliases(old), aliases.aliases(new))
    tx.bump_epoch()
    return new


async def delete_bucket(tx: Tx, name: str, now_us: int) -> None:
    """Raises: NoSuchBucket, BucketNotEmpty."""
    number = (await lock_bucket(tx, name)).id
    for has in (_HAS_OBJECT, _HAS_VERSION):
        if await tx.one(has, bucket_id=number) is not None:
            raise BucketNotEmpty(name)
    uploads = await tx.all(_OPEN_UPLOADS, bucket_id=number)
    await tx.run(_ABORT_UPLOADS, bucket_id=number, changed_us=now_us)
    if uploads:
        await tx.many(QUEUE, [{"due_us": now_us, "kind": UPLOAD, "id": u[0]} for u in uploads])
    for drop in (_DROP_HEADS, _DROP_USAGE, _DROP_DELTAS):
        await tx.run(drop, bucket_id=number)
    await aliases.release_all(tx, number)
    await tx.run(_DELETE, name=name)
    tx.bump_epoch()
