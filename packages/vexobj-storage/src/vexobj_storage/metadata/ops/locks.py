"""Locking a version that is there, and unlocking it; guard.py is what locks are for."""

from sqlalchemy import Table, bindparam, update

from vexobj_storage import locks
from vexobj_storage.errors import NoSuchVersion, RetentionActive
from vexobj_storage.locks import LockChange
from vexobj_storage.metadata import rows
from vexobj_storage.metadata.ops import guard, objects, sql, versions
from vexobj_storage.metadata.statement import Statement
from vexobj_storage.metadata.tx import Tx, repeatable
from vexobj_storage.types import Bucket, ObjectVersion, Versioning


def _set(table: Table) -> Statement:
    return sql.query(
        update(table)
        .where(*sql.matches(table, "bucket_id", "key", "uid"), *guard.locked_as_seen(table))
        .values({name: bindparam(name) for name in rows.LOCK})
    )


_SET_OBJECT = _set(sql.OBJECTS)
_SET_VERSION = _set(sql.VERSIONS)


@repeatable
async def update_lock(
    tx: Tx,
    bucket: Bucket,
    key: bytes,
    version_id: str | None,
    change: LockChange,
    bypass_governance: bool,
    now_us: int,
) -> ObjectVersion:
    """Raises: NoSuchBucket, NoSuchKey, NoSuchVersion (delete markers too), RetentionActive."""
    if await versions.hold_bucket(tx, bucket) != Versioning.OFF:
        await versions.lock_head(tx, bucket.id, key)
    while True:
        found = (
            await objects.get_object(tx, bucket, key)
            if version_id is None
            else await objects.get_version(tx, bucket, key, version_id)
        ).version
        name = key.decode(errors="replace")
        if found.is_delete_marker:
            raise NoSuchVersion(bucket.name, name, found.version_id)
        new = change(found.lock)
        now = rows.to_datetime(now_us)
        if not locks.may_change(found.lock, new, now, bypass_governance=bypass_governance):
            raise RetentionActive(bucket.name, name, found.version_id)
        values = {
            "bucket_id": bucket.id,
            "key": key,
            "uid": found.uid,
            **guard.seen(rows.lock_values(found.lock)),
            **rows.lock_values(new),
        }
        if await tx.run(_SET_OBJECT, **values) or await tx.run(_SET_VERSION, **values):
            return (await objects.get_version(tx, bucket, key, found.version_id)).version
