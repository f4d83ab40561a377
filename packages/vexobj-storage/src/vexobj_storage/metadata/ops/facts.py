"""Small things to remember across restarts, by name; each is a JSON value."""

import json
from typing import Any

from sqlalchemy import select

from vexobj_storage.metadata.ops import sql
from vexobj_storage.metadata.tx import Tx, repeatable

_READ = sql.query(select(sql.FACTS.c.value).where(*sql.matches(sql.FACTS, "name")))
_LOCK = sql.query(
    select(sql.FACTS.c.value).where(*sql.matches(sql.FACTS, "name")).with_for_update()
)
_REMEMBER = sql.upsert(sql.FACTS, lambda _, new: {"value": new["value"]}, "name")
_FORGET = sql.remove(sql.FACTS, "name")


async def recall(tx: Tx, name: str) -> Any | None:
    """What was remembered last; None for nothing."""
    return _value(await tx.one(_READ, name=name))


async def recall_locked(tx: Tx, name: str) -> Any | None:
    """As `recall`; nobody changes it before this transaction ends, if there is anything."""
    return _value(await tx.one(_LOCK, name=name))


@repeatable
async def remember(tx: Tx, name: str, value: Any) -> None:
    await tx.one(_REMEMBER, name=name, value=json.dumps(value, separators=(",", ":")))


@repeatable
async def forget(tx: Tx, name: str) -> None:
    await tx.run(_FORGET, name=name)


def _value(row: Any) -> Any | None:
    return None if row is None else json.loads(row[0])
