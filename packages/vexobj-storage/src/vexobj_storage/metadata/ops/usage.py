"""Usage of buckets: a folded row plus the deltas that writers append. Exact when read."""

from collections.abc import Sequence

from sqlalchemy import Select, Table, bindparam, func, select, union_all
from sqlalchemy.sql.base import Executable

from vexobj_storage.metadata.ops import sql
from vexobj_storage.metadata.statement import Statement, insert_for
from vexobj_storage.metadata.tx import Tx
from vexobj_storage.types import BucketUsage

COUNTS = ("objects", "bytes", "noncurrent_objects", "noncurrent_bytes", "upload_bytes")
_PIECE = 1000


def _rows(table: Table) -> Select[tuple[int, ...]]:
    return select(table.c.bucket_id, *(table.c[name] for name in COUNTS))


def _total(*, one: bool) -> Select[tuple[int, ...]]:
    parts = [_rows(sql.USAGE), _rows(sql.USAGE_DELTAS)]
    if one:
        parts = [
            part.where(*sql.matches(table, "bucket_id"))
            for part, table in zip(parts, (sql.USAGE, sql.USAGE_DELTAS), strict=True)
        ]
    both = union_all(*parts).subquery()
    sums = [func.sum(both.c[name]).label(name) for name in COUNTS]
    return select(both.c.bucket_id, *sums).group_by(both.c.bucket_id)


_ONE = sql.query(_total(one=True))
TOTALS = _total(one=False)
"""Of every bucket that ever held something, its id and COUNTS."""

_ALL = sql.query(TOTALS.order_by("bucket_id"))
_NEXT_BUCKET = sql.query(
    select(sql.USAGE_DELTAS.c.bucket_id)
    .where(sql.USAGE_DELTAS.c.bucket_id > bindparam("after"))
    .order_by(sql.USAGE_DELTAS.c.bucket_id)
    .limit(1)
)
_UPTO = sql.query(
    select(sql.USAGE_DELTAS.c.id)
    .where(*sql.matches(sql.USAGE_DELTAS, "bucket_id"))
    .order_by(sql.USAGE_DELTAS.c.id)
    .limit(1)
    .offset(_PIECE - 1)
)
_EVERYTHING = b"\xff" * 17
_TAKE = sql.query(
    sql.USAGE_DELTAS.delete()
    .where(*sql.matches(sql.USAGE_DELTAS, "bucket_id"), sql.USAGE_DELTAS.c.id <= bindparam("upto"))
    .returning(*(sql.USAGE_DELTAS.c[name] for name in COUNTS))
)
_HOLD_BUCKET = sql.query(
    select(sql.BUCKETS.c.id).where(*sql.matches(sql.BUCKETS, "id")).with_for_update(read=True)
)


def _add() -> Statement:
    def build(dialect: str) -> Executable:
        counts = insert_for(dialect, sql.USAGE).values(
            {name: bindparam(name) for name in ("bucket_id", *COUNTS)}
        )
        sums = {name: sql.USAGE.c[name] + counts.excluded[name] for name in COUNTS}
        added = counts.on_conflict_do_update(index_elements=["bucket_id"], set_=sums)
        return added.returning(*(sql.USAGE.c[name] for name in COUNTS))

    return Statement(build)


ADD = _add()
"""Add to the folded usage, and lock it; gives the new COUNTS."""


async def usage(tx: Tx, bucket_id: int) -> BucketUsage:
    row = await tx.one(_ONE, bucket_id=bucket_id)
    return BucketUsage(bucket_id, 0, 0) if row is None else BucketUsage(*map(int, row))


async def all_usage(tx: Tx) -> Sequence[BucketUsage]:
    """Of every bucket that ever held something."""
    return [BucketUsage(*map(int, row)) for row in await tx.all(_ALL)]


async def next_bucket(tx: Tx, after: int) -> int | None:
    """The next bucket that has deltas to fold."""
    row = await tx.one(_NEXT_BUCKET, after=after)
    return None if row is None else row[0]


async def fold(tx: Tx, bucket_id: int) -> int:
    """Fold up to 1000 deltas of a bucket; how many. The deltas are counted by who deletes them."""
    if await tx.one(_HOLD_BUCKET, id=bucket_id) is None:
        return len(await tx.all(_TAKE, bucket_id=bucket_id, upto=_EVERYTHING))
    last = await tx.one(_UPTO, bucket_id=bucket_id)
    upto = _EVERYTHING if last is None else last[0]
    taken = await tx.all(_TAKE, bucket_id=bucket_id, upto=upto)
    sums = {name: sum(row[i] for row in taken) for i, name in enumerate(COUNTS)}
    if taken:
        await tx.one(ADD, bucket_id=bucket_id, **sums)
    return len(taken)
