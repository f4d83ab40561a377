"""Where a store's blobs may lie, and which store it is; both are facts."""

import json
from collections.abc import Sequence

from sqlalchemy import bindparam, func, select

from vexobj_storage.metadata.ops import facts, sql
from vexobj_storage.metadata.tx import Tx, durable, repeatable
from vexobj_storage.types import BlobRecord, Location

PLACES = "blob_places"
STORE_ID = "store_id"

_CLAIM = sql.insert(sql.FACTS)
_B = sql.BLOBS
_RECORD = sql.query(select(_B.c.stored_size, _B.c.sha256).where(*sql.matches(_B, "blob_id")))
_HAS_STORED = sql.query(
    select(func.count()).select_from(
        select(_B.c.blob_id).where(_B.c.location == bindparam("location")).limit(1).subquery()
    )
)


@durable
@repeatable
async def store_id(tx: Tx, fresh: str) -> str:
    """What tells this store from any other: `fresh` the first time, the same ever after."""
    await tx.run(_CLAIM, name=STORE_ID, value=json.dumps(fresh))
    return str(await facts.recall(tx, STORE_ID))


@durable
@repeatable
async def add_place(tx: Tx, place: str, before: Sequence[str]) -> list[str]:
    """All places that blobs may be in, `place` among them; `before` when nothing is known yet."""
    await tx.run(_CLAIM, name=PLACES, value=json.dumps(list(before)))
    places: list[str] = await facts.recall_locked(tx, PLACES) or []
    if place not in places:
        places.append(place)
        await facts.remember(tx, PLACES, places)
    return places


@durable
@repeatable
async def drop_place(tx: Tx, place: str) -> None:
    """No blob is there any more."""
    places: list[str] = await facts.recall_locked(tx, PLACES) or []
    await facts.remember(tx, PLACES, [each for each in places if each != place])


async def known_places(tx: Tx) -> list[str]:
    return await facts.recall(tx, PLACES) or []


async def records(tx: Tx, blob_ids: Sequence[bytes]) -> dict[bytes, BlobRecord]:
    """Of those blobs whose digest is known; an orphan that was condemned has none."""
    found = {}
    for blob_id in blob_ids:
        row = await tx.one(_RECORD, blob_id=blob_id)
        if row is not None and row[1]:
            found[blob_id] = BlobRecord(row[0], row[1])
    return found


async def has_stored_blobs(tx: Tx) -> bool:
    """Whether any blob's bytes are outside the metadata."""
    row = await tx.one(_HAS_STORED, location=int(Location.STORE))
    return row is not None and row[0] > 0
