"""Quotas of buckets: set, enforced where usage changes, and looked at from time to time.

What is enforced stands in the bucket's row, the store's default being copied there, so that all
processes agree. Who changes a quota waits for the writes under way in the bucket, and who writes
sees it. In a bucket with a quota, what changes the usage does so in its row, under its lock.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import and_, bindparam, func, or_, select, update

from vexobj_storage.errors import NoSuchBucket, QuotaExceeded
from vexobj_storage.metadata import rows
from vexobj_storage.metadata.ops import facts, outbox, sql
from vexobj_storage.metadata.ops.usage import ADD, COUNTS, TOTALS, usage
from vexobj_storage.metadata.tx import Tx, repeatable
from vexobj_storage.types import Bucket, BucketUsage, Quota, QuotaReached, Versioning

THRESHOLDS = (95, 80)
"""Percent of a quota at which its being reached is told, the highest first."""

REACHED = "quota.threshold_crossed"
"""The kind of event that reaching a threshold makes."""

_DEFAULT = "default_quota"
_B, _U, _D = sql.BUCKETS, sql.USAGE, sql.USAGE_DELTAS
_TOTALS = TOTALS.subquery()

LIMITED = or_(_B.c.quota_bytes.is_not(None), _B.c.quota_objects.is_not(None))
"""Of a row of `buckets`: there is something to be enforced."""

_LOCK = sql.query(
    select(*(_B.c[name] for name in rows.BUCKET)).where(*sql.matches(_B, "name")).with_for_update()
)
_SET = sql.query(
    update(_B)
    .where(_B.c.id == bindparam("bucket_id"))
    .values({name: bindparam(name) for name in ("quota_bytes", "quota_objects", "quota_own")})
)
_LOCK_CREATION = sql.upsert(sql.COUNTERS, lambda counters, _: {"value": counters.c.value}, "value")
_SET_DEFAULT = sql.query(
    update(_B)
    .where(_B.c.quota_own == 0)
    .values({name: bindparam(name) for name in ("quota_bytes", "quota_objects")})
)
_QUOTA = sql.query(
    select(_B.c.quota_bytes, _B.c.quota_objects).where(_B.c.id == bindparam("bucket_id"))
)
_DELTAS = sql.query(
    select(*(func.coalesce(func.sum(_D.c[name]), 0) for name in COUNTS)).where(
        *sql.matches(_D, "bucket_id")
    )
)
_OBJECT_SIZE = sql.query(
    select(sql.OBJECTS.c.size).where(*sql.matches(sql.OBJECTS, "bucket_id", "key"))
)
_PART_SIZE = sql.query(
    select(sql.PARTS.c.size).where(*sql.matches(sql.PARTS, "upload_id", "part_number"))
)
_THRESHOLDS = sql.query(
    select(
        _B.c.name,
        _B.c.quota_bytes,
        _B.c.quota_objects,
        func.coalesce(_U.c.told_percent, 0),
        _TOTALS.c.bucket_id,
        *(_TOTALS.c[name] for name in COUNTS),
    )
    .select_from(
        _B.join(_TOTALS, _TOTALS.c.bucket_id == _B.c.id).outerjoin(_U, _U.c.bucket_id == _B.c.id)
    )
    .where(LIMITED)
    .order_by(_B.c.id)
)
_TELL = sql.query(
    update(_U)
    .where(and_(*sql.matches(_U, "bucket_id"), _U.c.told_percent == bindparam("told_percent")))
    .values(told_percent=bindparam("percent"))
)


@dataclass(frozen=True, slots=True)
class Newcomer:
    """What a write would add: a new version of `key`, or part `part_number` of `upload_id`."""

    bucket: Bucket
    size: int
    key: bytes = b""
    upload_id: bytes = b""
    part_number: int = 0


async def default_quota(tx: Tx) -> Quota | None:
    """What a bucket without a quota of its own is held to."""
    value = await facts.recall(tx, _DEFAULT)
    return None if value is None else Quota(**value)


@repeatable
async def set_default_quota(tx: Tx, quota: Quota | None) -> bool:
    """Hold all buckets without a quota of their own to this one; whether it is another now."""
    await tx.one(_LOCK_CREATION, name="bucket", value=0)
    if await default_quota(tx) == quota:
        return False
    if quota is None:
        await facts.forget(tx, _DEFAULT)
    else:
        named = {"max_bytes": quota.max_bytes, "max_objects": quota.max_objects}
        await facts.remember(tx, _DEFAULT, named)
    await tx.run(_SET_DEFAULT, **columns(quota))
    tx.bump_epoch()
    return True


@repeatable
async def set_quota(tx: Tx, name: str, quota: Quota | None) -> Bucket:
    """None goes back to the default. Waits for the writes under way. Raises: NoSuchBucket."""
    row = await tx.one(_LOCK, name=name)
    if row is None:
        raise NoSuchBucket(name)
    holds = await default_quota(tx) if quota is None else quota
    values = columns(holds)
    await tx.run(_SET, bucket_id=row[0], **values, quota_own=int(quota is not None))
    tx.bump_epoch()
    effective = rows.quota(values["quota_bytes"], values["quota_objects"])
    return replace(rows.bucket(row), quota=effective, own_quota=quota is not None)


def columns(quota: Quota | None) -> dict[str, int | None]:
    limits = quota or Quota()
    return {"quota_bytes": limits.max_bytes, "quota_objects": limits.max_objects}


async def charge(tx: Tx, bucket_id: int, counts: Mapping[str, int]) -> None:
    """Add to the usage of a bucket with a quota; does nothing where there is none.

    Only growth is refused: a bucket above its quota may shrink, and be overwritten in place.

    Raises: QuotaExceeded.
    """
    row = await tx.one(_QUOTA, bucket_id=bucket_id)
    if row is None or rows.quota(*row) is None:
        return
    folded = await tx.one(ADD, bucket_id=bucket_id, **counts)
    assert folded is not None
    # The row is locked: whoever folds the deltas, or adds, waits. What is read here is all.
    deltas = await tx.one(_DELTAS, bucket_id=bucket_id)
    assert deltas is not None
    total = (int(one) + int(other) for one, other in zip(folded, deltas, strict=True))
    growth = BucketUsage(bucket_id, *(counts[name] for name in COUNTS))
    _check(Quota(*row), BucketUsage(bucket_id, *total), growth)


async def admit(tx: Tx, new: Newcomer) -> None:
    """Whether a write would be refused as things stand: before its bytes are taken in.

    Raises: QuotaExceeded.
    """
    bucket = new.bucket
    replaced = None
    if new.upload_id:
        numbers = {"upload_id": new.upload_id, "part_number": new.part_number}
        replaced = await tx.one(_PART_SIZE, **numbers)
    elif bucket.versioning is Versioning.SUSPENDED:
        return  # what is replaced there, the write itself finds out
    elif bucket.versioning is Versioning.OFF:
        replaced = await tx.one(_OBJECT_SIZE, bucket_id=bucket.id, key=new.key)
    size = new.size if replaced is None else new.size - replaced[0]
    objects = int(replaced is None and not new.upload_id)
    growth = BucketUsage(bucket.id, objects, size)
    used = await usage(tx, bucket.id)
    total = replace(used, objects=used.objects + objects, bytes=used.bytes + size)
    _check(bucket.quota or Quota(), total, growth)


async def thresholds(tx: Tx) -> Sequence[tuple[QuotaReached, int]]:
    """At which threshold each bucket with a quota is (0: at none), and which was told last."""
    found = []
    for row in await tx.all(_THRESHOLDS):
        used = BucketUsage(*map(int, row[4:]))
        quota = Quota(row[1], row[2])
        found.append((QuotaReached(row[0], threshold(quota, used), quota, used), row[3]))
    return found


def threshold(quota: Quota, used: BucketUsage) -> int:
    """The highest of THRESHOLDS that is reached, of bytes or of objects, or 0."""
    parts = ((used.all_bytes, quota.max_bytes), (used.all_objects, quota.max_objects))
    for percent in THRESHOLDS:
        if any(
            most is not None and amount and amount * 100 >= most * percent for amount, most in parts
        ):
            return percent
    return 0


async def tell(tx: Tx, found: QuotaReached, told_percent: int, now_us: int) -> bool:
    """Remember what is told now, as an event too; False when another teller was faster."""
    bucket_id, percent = found.usage.bucket_id, found.percent
    values = {"bucket_id": bucket_id, "told_percent": told_percent, "percent": percent}
    if not await tx.run(_TELL, **values):
        return False
    if percent > told_percent and await outbox.is_subscribed(tx):
        await outbox.append(tx, [outbox.Change(REACHED, _told(found), bucket_id)], now_us)
    return True


def _told(found: QuotaReached) -> dict[str, Any]:
    return {
        "bucket": found.bucket,
        "threshold_percent": found.percent,
        "used_bytes": found.usage.all_bytes,
        "max_bytes": found.quota.max_bytes,
        "used_objects": found.usage.all_objects,
        "max_objects": found.quota.max_objects,
    }


def _check(quota: Quota, total: BucketUsage, growth: BucketUsage) -> None:
    if quota.max_bytes is not None and total.all_bytes > quota.max_bytes and growth.all_bytes > 0:
        raise QuotaExceeded("bytes", total.all_bytes, quota.max_bytes)
    most = quota.max_objects
    if most is not None and total.all_objects > most and growth.all_objects > 0:
        raise QuotaExceeded("objects", total.all_objects, most)
