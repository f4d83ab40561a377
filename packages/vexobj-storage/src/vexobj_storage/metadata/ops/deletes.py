"""Deleting objects and versions, as each versioning state has it."""

from collections.abc import Sequence

from sqlalchemy import select

from vexobj_storage.ids import new_id
from vexobj_storage.metadata import rows
from vexobj_storage.metadata.ops import sql, versions
from vexobj_storage.metadata.ops.ledger import Ledger
from vexobj_storage.metadata.ops.versions import Summary
from vexobj_storage.metadata.tx import Tx
from vexobj_storage.types import Bucket, Deleted, ObjectName, Versioning

_FIND_OBJECT = sql.query(
    select(
        *(sql.OBJECTS.c[name] for name in (*Summary._fields, "sequence")),
    ).where(*sql.matches(sql.OBJECTS, "bucket_id", "key"))
)
_ADD_VERSION = sql.insert(sql.VERSIONS)


async def delete_objects(
    tx: Tx, bucket: Bucket, names: Sequence[ObjectName], owner_id: str, now_us: int
) -> Sequence[Deleted]:
    """All of `names`; the answers are in their order. Raises: NoSuchBucket."""
    versioning = await versions.hold_bucket(tx, bucket)
    ledger = Ledger(bucket.id, now_us, new_id())
    answers: list[Deleted | None] = [None] * len(names)
    # In one order everywhere, so that two batches cannot wait for each other.
    for index in sorted(range(len(names)), key=lambda i: names[i].key):
        name = names[index]
        if versioning == Versioning.OFF:
            answers[index] = await _delete_only(tx, bucket, name, ledger)
        elif name.version_id is None:
            answers[index] = await _mark(tx, bucket, name.key, versioning, owner_id, ledger)
        else:
            answers[index] = await _delete_version(tx, bucket, name, ledger)
    await ledger.settle(tx)
    return [answer for answer in answers if answer is not None]


async def _delete_only(tx: Tx, bucket: Bucket, name: ObjectName, ledger: Ledger) -> Deleted:
    """In a bucket that never had versions, where each object is its null version."""
    if name.version_id not in (None, rows.NULL_VERSION):
        return Deleted(name.key, existed=False, version_id=name.version_id)
    row = await tx.one(versions.TAKE_OBJECT, bucket_id=bucket.id, key=name.key)
    if row is None:
        return Deleted(name.key, existed=False, version_id=name.version_id)
    taken = Summary(*row)
    ledger.drop(taken.uid, taken.blob_id, taken.manifest_id)
    ledger.current(-1, -taken.size)
    return Deleted(name.key, existed=True, version_id=name.version_id)


async def _mark(
    tx: Tx, bucket: Bucket, key: bytes, versioning: int, owner_id: str, ledger: Ledger
) -> Deleted:
    """Put a delete marker on top; in a suspended bucket it takes the null version's place."""
    head = await versions.lock_head(tx, bucket.id, key)
    live, sequence = await _live(tx, bucket.id, key)
    is_null = int(versioning == Versioning.SUSPENDED)
    if live is not None and is_null and live.is_null:
        await tx.one(versions.TAKE_OBJECT, bucket_id=bucket.id, key=key)
        ledger.drop(live.uid, live.blob_id, live.manifest_id)
        ledger.current(-1, -live.size)
    else:
        if is_null:
            await versions.drop_null(tx, bucket.id, key, ledger)
        if live is not None:
            await versions.set_aside(tx, bucket.id, key, live, ledger)
    uid = new_id()
    sequence = max(head + 1, sequence + 1, ledger.now_us)
    await tx.run(_ADD_VERSION, **_marker(bucket.id, key, uid, is_null, sequence, owner_id, ledger))
    await versions.set_head(tx, bucket.id, key, sequence)
    return Deleted(
        key,
        existed=live is not None,
        version_id=rows.version_id(uid, is_null),
        is_delete_marker=True,
    )


async def _delete_version(tx: Tx, bucket: Bucket, name: ObjectName, ledger: Ledger) -> Deleted:
    assert name.version_id is not None
    absent = Deleted(name.key, existed=False, version_id=name.version_id)
    try:
        uid = rows.parse_version_id(name.version_id)
    except ValueError:
        return absent
    await versions.lock_head(tx, bucket.id, name.key)
    live, _ = await _live(tx, bucket.id, name.key)
    is_delete_marker = False
    if live is not None and (bool(live.is_null) if uid is None else live.uid == uid):
        await tx.one(versions.TAKE_OBJECT, bucket_id=bucket.id, key=name.key)
        ledger.drop(live.uid, live.blob_id, live.manifest_id)
        ledger.current(-1, -live.size)
        live, existed = None, True
    else:
        descending = await versions.find_version(tx, bucket.id, name.key, uid)
        existed = descending is not None
        if descending is not None:
            _, is_delete_marker = await versions.take_version(
                tx, bucket.id, name.key, descending, ledger
            )
    if live is None:
        await versions.promote(tx, bucket.id, name.key, ledger)
    if not existed:
        return absent
    return Deleted(
        name.key, existed=True, version_id=name.version_id, is_delete_marker=is_delete_marker
    )


async def _live(tx: Tx, bucket_id: int, key: bytes) -> tuple[Summary | None, int]:
    row = await tx.one(_FIND_OBJECT, bucket_id=bucket_id, key=key)
    return (None, 0) if row is None else (Summary(*row[:5]), row[5])


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
