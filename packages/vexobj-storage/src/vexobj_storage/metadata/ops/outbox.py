"""The outbox: events written in the transaction of the change, numbered once they are committed.

Commits become visible in another order than they began, so an event has no number at first. One
that numbers events sees only committed ones. Of one key those come in the order of their
sequences, as each commit of a key waits for the one before it; readers see numbered ones alone.
Events are written only while somebody subscribes.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import bindparam, delete, func, select, update

from vexobj_storage.ids import new_id
from vexobj_storage.metadata import rows
from vexobj_storage.metadata.ops import sql
from vexobj_storage.metadata.tx import Row, Tx, repeatable

_O, _S, _C = sql.OUTBOX, sql.SUBSCRIBERS, sql.COUNTERS
_NUMBER = "outbox"

SUBSCRIBED = select(_S.c.name).limit(1).correlate(None).scalar_subquery()
"""Not NULL when somebody subscribes; for statements that are made anyway."""

_IS_SUBSCRIBED = sql.query(select(_S.c.name).limit(1))
_APPEND = sql.insert(_O)
_LAST = sql.query(select(_C.c.value).where(*sql.matches(_C, "name")))
_LOCK_NUMBER = sql.upsert(_C, lambda counters, _: {"value": counters.c.value}, "value")
_SET_NUMBER = sql.query(update(_C).where(*sql.matches(_C, "name")).values(value=bindparam("value")))
_UNNUMBERED = sql.query(
    select(_O.c.id)
    .where(_O.c.number.is_(None))
    .order_by(func.coalesce(_O.c.sequence, _O.c.created_us))
    .limit(bindparam("most"))
)
_ANY_UNNUMBERED = sql.query(select(_O.c.id).where(_O.c.number.is_(None)).limit(1))
_GIVE = sql.query(
    update(_O)
    .where(*sql.matches(_O, "id"), _O.c.number.is_(None))
    .values(number=bindparam("given"))
)
_SUBSCRIBE = sql.insert(_S)
_UNSUBSCRIBE = sql.remove(_S, "name")
_FIND_CURSOR = select(_S.c.cursor).where(*sql.matches(_S, "name"))
_CURSOR = sql.query(_FIND_CURSOR)
_LOCK_CURSOR = sql.query(_FIND_CURSOR.with_for_update())
_ADVANCE = sql.query(
    update(_S)
    .where(*sql.matches(_S, "name"), _S.c.cursor < bindparam("number"))
    .values(cursor=bindparam("number"))
)
_READ = sql.query(
    select(_O.c.id, _O.c.number, _O.c.created_us, _O.c.kind, _O.c.sequence, _O.c.payload)
    .where(_O.c.number > bindparam("cursor"))
    .order_by(_O.c.number)
    .limit(bindparam("most"))
)
_DONE = sql.query(select(func.min(_S.c.cursor)))
_TRIM = sql.query(delete(_O).where(_O.c.number <= bindparam("done")))
_CLEAR = sql.query(delete(_O))


class Cause(StrEnum):
    """What made a change, beside its kind."""

    PUT = "put"
    COPY = "copy"
    MULTIPART = "multipart"
    DELETE = "delete"
    PURGE = "purge"
    LIFECYCLE = "lifecycle"


@dataclass(frozen=True, slots=True)
class Event:
    """One change. `number` grows by the order in which changes are told; `sequence` is the key's.

    `id` is the same however often it is told.
    """

    id: str
    number: int
    at: datetime
    kind: str
    sequence: int | None
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """An event before it is written; of a bucket as a whole there is no key and no sequence."""

    kind: str
    data: Mapping[str, Any]
    bucket_id: int
    key: bytes = b""
    sequence: int | None = None


async def is_subscribed(tx: Tx) -> bool:
    return await tx.one(_IS_SUBSCRIBED) is not None


async def append(tx: Tx, changes: Sequence[Change], now_us: int) -> None:
    """In the transaction that changes it; the caller has asked whether anybody subscribes."""
    await tx.many(
        _APPEND,
        [
            {
                "id": new_id(),
                "number": None,
                "created_us": now_us,
                "kind": change.kind,
                "bucket_id": change.bucket_id,
                "key": change.key,
                "sequence": change.sequence,
                "payload": json.dumps(change.data, ensure_ascii=False),
            }
            for change in changes
        ],
    )


@repeatable
async def subscribe(tx: Tx, name: str) -> None:
    """From now on events are kept for `name`: those of transactions that begin after this commit.

    One who subscribes already goes on where it was.
    """
    row = await tx.one(_LAST, name=_NUMBER)
    await tx.run(_SUBSCRIBE, name=name, cursor=0 if row is None else row[0])


@repeatable
async def unsubscribe(tx: Tx, name: str) -> None:
    await tx.run(_UNSUBSCRIBE, name=name)


async def number(tx: Tx, limit: int) -> int:
    """Give numbers to committed events that have none; how many. Several at once take turns."""
    last = await tx.one(_LOCK_NUMBER, name=_NUMBER, value=0)
    assert last is not None
    found = await tx.all(_UNNUMBERED, most=limit)
    if found:
        numbers = [{"id": row[0], "given": last[0] + n} for n, row in enumerate(found, 1)]
        await tx.many(_GIVE, numbers)
        await tx.run(_SET_NUMBER, name=_NUMBER, value=last[0] + len(found))
    return len(found)


async def has_unnumbered(tx: Tx) -> bool:
    """Whether there is anything for `number` to do, which a read finds out for less."""
    return await tx.one(_ANY_UNNUMBERED) is not None


async def read(tx: Tx, name: str, limit: int) -> Sequence[Event]:
    """The next events behind the subscriber's cursor; nothing for one who does not subscribe."""
    return await _read(tx, await tx.one(_CURSOR, name=name), limit)


async def read_locked(tx: Tx, name: str, limit: int) -> Sequence[Event]:
    """As `read`; another who reads so waits for the end of this transaction."""
    return await _read(tx, await tx.one(_LOCK_CURSOR, name=name), limit)


async def _read(tx: Tx, row: Row | None, limit: int) -> Sequence[Event]:
    if row is None:
        return []
    return [
        Event(
            each[0].hex(), each[1], rows.to_datetime(each[2]), each[3], each[4], json.loads(each[5])
        )
        for each in await tx.all(_READ, cursor=row[0], most=limit)
    ]


@repeatable
async def acknowledge(tx: Tx, name: str, number: int) -> None:
    """The subscriber has done with all events up to this one. A cursor never goes back."""
    await tx.run(_ADVANCE, name=name, number=number)


@repeatable
async def trim(tx: Tx) -> int:
    """Drop the events that every subscriber has done with; how many."""
    row = await tx.one(_DONE)
    if row is None or row[0] is None:
        return await tx.run(_CLEAR)
    return await tx.run(_TRIM, done=row[0])
