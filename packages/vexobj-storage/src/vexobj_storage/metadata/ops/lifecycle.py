"""Lifecycle in the metadata: a bucket's rules, what they may concern, and doing what they say.

A sweep reads pages of versions and notes those whose time has come. Each is judged again in the
transaction that acts, by the rules and the version as they are then, and goes the way that a
client's deletion goes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Select, Table, bindparam, func, literal, select, tuple_, union_all
from sqlalchemy.sql.elements import ColumnElement

from vexobj_storage import lifecycle
from vexobj_storage.errors import NoSuchBucket
from vexobj_storage.ids import new_id
from vexobj_storage.lifecycle import Fate, LifecycleRule, VersionFacts
from vexobj_storage.metadata import rows
from vexobj_storage.metadata.history import Seen, tags
from vexobj_storage.metadata.ops import buckets, deletes, sql, versions
from vexobj_storage.metadata.ops.guard import Removal
from vexobj_storage.metadata.ops.ledger import Ledger
from vexobj_storage.metadata.ops.multipart import OPEN, UPLOAD_COLUMNS, upload
from vexobj_storage.metadata.ops.outbox import Cause
from vexobj_storage.metadata.tx import Row, Tx, repeatable
from vexobj_storage.types import Bucket, BucketChange, LifecycleReport, ObjectName, Upload

_O, _V, _U, _P = sql.OBJECTS, sql.VERSIONS, sql.UPLOADS, sql.PARTS
_KEY = ("bucket_id", "key")

Edit = Callable[[Sequence[LifecycleRule]], Sequence[LifecycleRule]]


def _seen(
    table: Table, descending: ColumnElement[int], marker: ColumnElement[int]
) -> Select[tuple[bytes, int, int, bytes, int, str | None, int]]:
    return select(
        table.c.key.label("key"),
        descending.label("descending"),
        marker.label("marker"),
        table.c.uid,
        table.c.size,
        table.c.tags,
        table.c.modified_us,
    ).where(
        *sql.matches(table, "bucket_id"),
        table.c.key >= sql.bytes_bind("low"),
        table.c.key < sql.bytes_bind("high"),
        tuple_(table.c.key, descending) > tuple_(sql.bytes_bind("low"), bindparam("skip")),
    )


_SCAN = sql.query(
    union_all(
        _seen(_O, sql.LAST - _O.c.sequence, literal(0)),
        _seen(_V, _V.c.descending, _V.c.is_delete_marker),
    )
    .order_by("key", "descending")
    .limit(bindparam("limit"))
)
_LIVE = sql.query(
    select(_O.c.uid, _O.c.is_null, _O.c.size, _O.c.tags, _O.c.modified_us)
    .where(*sql.matches(_O, *_KEY))
    .with_for_update()
)
_VERSION = sql.query(
    select(
        _V.c.uid, _V.c.is_null, _V.c.size, _V.c.tags, _V.c.modified_us, _V.c.is_delete_marker
    ).where(*sql.matches(_V, *_KEY, "descending"))
)
_NEWEST_TWO = sql.query(
    select(_V.c.descending).where(*sql.matches(_V, *_KEY)).order_by(_V.c.descending).limit(2)
)
_NEWER = sql.query(
    select(func.count()).select_from(
        select(_V.c.descending)
        .where(
            *sql.matches(_V, *_KEY),
            _V.c.descending < bindparam("descending"),
            _V.c.is_delete_marker == 0,
        )
        .limit(bindparam("most"))
        .subquery()
    )
)
_HOLD = sql.query(
    select(*(sql.BUCKETS.c[name] for name in rows.BUCKET))
    .where(sql.BUCKETS.c.id == bindparam("bucket_id"))
    .with_for_update(read=True)
)
_STALE = sql.query(
    select(_U.c.bucket_id, *UPLOAD_COLUMNS)
    .where(
        _U.c.state == OPEN,
        _U.c.changed_us < bindparam("before_us"),
        ~select(_P.c.part_number)
        .where(_P.c.upload_id == _U.c.upload_id, _P.c.modified_us >= bindparam("before_us"))
        .exists(),
    )
    .order_by(_U.c.changed_us)
    .limit(bindparam("limit"))
)
_BUCKET = sql.query(
    select(*(sql.BUCKETS.c[name] for name in rows.BUCKET)).where(
        sql.BUCKETS.c.id == bindparam("bucket_id")
    )
)


async def edit_rules(tx: Tx, name: str, edit: Edit) -> Sequence[LifecycleRule]:
    """Replace a bucket's rules by what `edit` makes of them.

    Raises: NoSuchBucket, InvalidLifecycleRule.
    """
    bucket = await buckets.lock_bucket(tx, name)
    rules = edit(lifecycle.load(bucket.settings))
    lifecycle.check(rules)
    await buckets.update_bucket(tx, name, BucketChange(settings=lifecycle.dump(rules)))
    return rules


async def scan(
    tx: Tx, bucket_id: int, low: bytes, skip: int, high: bytes, limit: int
) -> Sequence[Row]:
    """Versions and markers behind the one at (`low`, `skip`), by key, newest first.

    key, descending, marker, uid, size, tags, modified_us.
    """
    return await tx.all(_SCAN, bucket_id=bucket_id, low=low, skip=skip, high=high, limit=limit)


@repeatable
async def expire(
    tx: Tx, bucket_id: int, due: Sequence[Seen], now_us: int, day_us: int
) -> LifecycleReport:
    """Do to each what the rules still want done. Raises: NoSuchBucket."""
    row = await tx.one(_HOLD, bucket_id=bucket_id)
    if row is None:
        raise NoSuchBucket("")
    bucket = rows.bucket(row)
    rules = lifecycle.load(bucket.settings)
    ledger = Ledger(bucket.id, now_us, new_id(), cause=Cause.LIFECYCLE)
    report = LifecycleReport()
    # One order of keys everywhere; of a key the oldest first, as a newer one tells its age.
    for seen in sorted(due, key=lambda c: (c.facts.key, -c.descending)):
        if bucket.versioning:
            await versions.lock_head(tx, bucket.id, seen.facts.key)
        found = await _look_again(tx, bucket, seen, lifecycle.most_kept(rules), ledger)
        if found is not None:
            fate = lifecycle.decide(rules, found.facts, now_us, day_us)
            report = await _act(tx, bucket, found, fate, ledger, report)
    await ledger.settle(tx)
    return report


async def stale_uploads(tx: Tx, before_us: int, limit: int) -> Sequence[tuple[Bucket, Upload]]:
    """Open uploads in which nothing has happened since, the oldest first."""
    found = []
    for row in await tx.all(_STALE, before_us=before_us, limit=limit):
        held = await tx.one(_BUCKET, bucket_id=row[0])
        if held is not None:
            found.append((rows.bucket(held), upload(row[0], row[1:])))
    return found


@dataclass(frozen=True, slots=True)
class _Found:
    """What was seen, as it is now; `version_id` None for the current version."""

    facts: VersionFacts
    version_id: str | None


async def _look_again(
    tx: Tx, bucket: Bucket, seen: Seen, most_kept: int, ledger: Ledger
) -> _Found | None:
    """None for one that is gone, or became noncurrent only now."""
    known, where = seen.facts, {"bucket_id": bucket.id, "key": seen.facts.key}
    live = await tx.one(_LIVE, **where)
    if live is not None and live[0] == seen.uid:
        return _Found(VersionFacts(known.key, live[2], tags(live[3]), live[4]), None)
    if not bucket.versioning:
        return None
    row = await tx.one(_VERSION, **where, descending=seen.descending)
    if row is None or row[0] != seen.uid:
        if live is None:  # the key may be gone altogether, but for the lock that was just taken
            await versions.promote(tx, bucket.id, known.key, ledger)
        return None
    facts = replace(known, tags=tags(row[3]))
    version_id = rows.version_id(row[0], row[1])
    newest = [n for (n,) in await tx.all(_NEWEST_TWO, **where)]
    if live is None and newest[0] == seen.descending:
        facts = replace(facts, noncurrent_since_us=None, alone=len(newest) == 1)
        return _Found(facts, version_id)
    if facts.noncurrent_since_us is None:
        return None
    newer = 0
    if most_kept:
        counted = await tx.one(_NEWER, **where, descending=seen.descending, most=most_kept)
        newer = 0 if counted is None else counted[0]
    return _Found(replace(facts, newer_noncurrent=newer), version_id)


async def _act(
    tx: Tx, bucket: Bucket, found: _Found, fate: Fate, ledger: Ledger, report: LifecycleReport
) -> LifecycleReport:
    if fate is Fate.KEEP:
        return report
    name = ObjectName(found.facts.key, found.version_id)
    removal = Removal(ledger.now_us, bucket.owner_id)
    deleted = await deletes.delete_one(tx, bucket, bucket.versioning, name, removal, ledger)
    if deleted.refusal is not None:
        return replace(report, locked=report.locked + 1)
    if not deleted.existed:
        return report
    if fate is Fate.EXPIRE:
        gone = 0 if deleted.is_delete_marker else found.facts.size
        return replace(report, expired=report.expired + 1, bytes=report.bytes + gone)
    if found.facts.is_delete_marker:
        return replace(report, markers_removed=report.markers_removed + 1)
    return replace(
        report,
        versions_removed=report.versions_removed + 1,
        bytes=report.bytes + found.facts.size,
    )
