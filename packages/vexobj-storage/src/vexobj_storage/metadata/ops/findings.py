"""Findings of scrub: recorded with the quarantine of their blobs, traced, told and withdrawn.

A blob goes live -> in quarantine -> live again when it is found whole, or condemned as any other
when nothing refers to it any more. In quarantine it gains no reference: `references` takes live
blobs only.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import SmallInteger, bindparam, func, select, update

from vexobj_storage.metadata import rows
from vexobj_storage.metadata.ops import sql
from vexobj_storage.metadata.ops.references import CONDEMNED, LIVE, QUARANTINED
from vexobj_storage.metadata.ops.scrub import Place
from vexobj_storage.metadata.tx import Row, Tx, repeatable
from vexobj_storage.types import Damage, Finding, FindingPlace

_B, _F, _P = sql.BLOBS, sql.FINDINGS, sql.FINDING_PLACES
_MOST_PLACES = 100

_LOCK = sql.query(select(_B.c.state).where(*sql.matches(_B, "blob_id")).with_for_update())
_SET_STATE = sql.query(
    update(_B)
    .where(*sql.matches(_B, "blob_id"))
    .values(state=bindparam("new_state", type_=SmallInteger))
)
_RECORD = sql.upsert(
    _F,
    lambda _, new: {name: new[name] for name in ("damage", "quarantined", "reason")},
    "blob_id",
)
_IS_REFERRED = sql.exists(sql.BLOB_REFS, "blob_id")
_ADD_PLACE = sql.insert(_P)
_TRACED = sql.query(update(_F).where(_F.c.blob_id.in_(sql.listed("ids"))).values(traced=1))
_TRACE_AGAIN = sql.query(update(_F).where(*sql.matches(_F, "blob_id")).values(traced=0))
_DROP = sql.remove(_F, "blob_id")
_DROP_PLACES = sql.remove(_P, "blob_id")
_QUARANTINED = sql.query(select(_F.c.blob_id).where(_F.c.quarantined == 1))
_UNTRACED = sql.query(
    select(_F.c.blob_id).where(_F.c.traced == 0).order_by(_F.c.blob_id).limit(bindparam("limit"))
)
_COUNTS = sql.query(
    select(_F.c.damage, func.count())
    .select_from(_F.join(_B, _B.c.blob_id == _F.c.blob_id))
    .where(_B.c.state != CONDEMNED)
    .group_by(_F.c.damage)
)
_LIST = sql.query(
    select(
        *(_F.c[name] for name in ("blob_id", "damage", "reason", "found_us")),
        _B.c.size,
        _F.c.quarantined,
        _F.c.traced,
    )
    .select_from(_F.join(_B, _B.c.blob_id == _F.c.blob_id))
    .where(_F.c.blob_id > bindparam("after"), _B.c.state != CONDEMNED)
    .order_by(_F.c.blob_id)
    .limit(bindparam("limit"))
)
_PLACES = sql.query(
    select(sql.BUCKETS.c.name, _P.c.key, _P.c.uid, _P.c.is_null, _P.c.is_upload)
    .select_from(_P.outerjoin(sql.BUCKETS, sql.BUCKETS.c.id == _P.c.bucket_id))
    .where(*sql.matches(_P, "blob_id"))
    .order_by(_P.c.bucket_id, _P.c.key, _P.c.uid)
    .limit(bindparam("limit"))
)
_PLACES_COUNT = sql.query(select(func.count()).where(*sql.matches(_P, "blob_id")))


@dataclass(frozen=True, slots=True)
class Damaged:
    """A blob that is not as it should be, and a clause for people."""

    blob_id: bytes
    damage: Damage
    reason: str


@repeatable
async def record(
    tx: Tx, found: Sequence[Damaged], now_us: int, *, quarantine: bool
) -> Sequence[Damaged]:
    """Note what was found, and put it in quarantine; those that are there now.

    A blob that was condemned or went meanwhile is none, and one that nothing refers to, as after
    it was healed, is not noted. One that cannot be read is not put in quarantine, nor let out.
    """
    kept = []
    for each in sorted(found, key=lambda damaged: damaged.blob_id):
        row = await tx.one(_LOCK, blob_id=each.blob_id)
        if row is None or row[0] == CONDEMNED:
            continue
        is_damaged = each.damage is not Damage.UNREADABLE
        held = row[0] == QUARANTINED
        if quarantine and is_damaged and not held:
            await tx.run(_SET_STATE, blob_id=each.blob_id, new_state=QUARANTINED)
            tx.bump_epoch()
            held = True
        if await tx.one(_IS_REFERRED, blob_id=each.blob_id) is None:
            continue
        kept.append(each)
        if held and not is_damaged:
            continue
        await tx.one(
            _RECORD,
            blob_id=each.blob_id,
            damage=int(each.damage),
            quarantined=int(held),
            traced=0,
            found_us=now_us,
            reason=each.reason,
        )
    return kept


@repeatable
async def withdraw(tx: Tx, blob_ids: Iterable[bytes]) -> None:
    """Of blobs that were found whole: they are live again."""
    for blob_id in sorted(blob_ids):
        row = await tx.one(_LOCK, blob_id=blob_id)
        if row is not None and row[0] == QUARANTINED:
            await tx.run(_SET_STATE, blob_id=blob_id, new_state=LIVE)
        await _drop(tx, blob_id)


@repeatable
async def end(tx: Tx, blob_id: bytes) -> None:
    """Of a blob that nothing refers to any more: it stays in quarantine until it is collected."""
    await _drop(tx, blob_id)


@repeatable
async def add_places(tx: Tx, places: Sequence[Place]) -> None:
    await tx.many(_ADD_PLACE, [asdict(place) for place in places])


@repeatable
async def mark_traced(tx: Tx, blob_ids: Iterable[bytes]) -> None:
    await tx.run(_TRACED, ids=sql.packed(blob_ids))


@repeatable
async def trace_again(tx: Tx, blob_id: bytes) -> None:
    """Its places are not all known: something that was not found refers to it."""
    await tx.run(_TRACE_AGAIN, blob_id=blob_id)


async def untraced(tx: Tx, limit: int) -> Sequence[bytes]:
    return [row[0] for row in await tx.all(_UNTRACED, limit=limit)]


async def quarantined(tx: Tx) -> frozenset[bytes]:
    """The ids of all blobs in quarantine."""
    return frozenset(row[0] for row in await tx.all(_QUARANTINED))


async def counts(tx: Tx) -> Mapping[Damage, int]:
    return {Damage(damage): count for damage, count in await tx.all(_COUNTS)}


async def findings(tx: Tx, after: bytes, limit: int) -> Sequence[Finding]:
    """Those behind `after`, by blob id, with the first of their places."""
    return [await _finding(tx, row) for row in await tx.all(_LIST, after=after, limit=limit)]


async def _finding(tx: Tx, row: Row) -> Finding:
    blob_id = row[0]
    places = await tx.all(_PLACES, blob_id=blob_id, limit=_MOST_PLACES)
    count = len(places)
    if count == _MOST_PLACES:
        counted = await tx.one(_PLACES_COUNT, blob_id=blob_id)
        assert counted is not None
        count = counted[0]
    return Finding(
        blob_id,
        Damage(row[1]),
        row[2],
        rows.to_datetime(row[3]),
        row[4],
        bool(row[5]),
        bool(row[6]),
        count,
        [_place(*each) for each in places],
    )


def _place(
    bucket: str | None, key: bytes, uid: bytes, is_null: int, is_upload: int
) -> FindingPlace:
    named = uid.hex() if is_upload else rows.version_id(uid, is_null)
    return FindingPlace(bucket, key, named, bool(is_upload))


async def _drop(tx: Tx, blob_id: bytes) -> None:
    await tx.run(_DROP_PLACES, blob_id=blob_id)
    if await tx.run(_DROP, blob_id=blob_id):
        tx.bump_epoch()
