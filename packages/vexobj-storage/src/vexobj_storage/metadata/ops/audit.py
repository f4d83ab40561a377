"""The audit log: a row beside the change it tells of, read newest first, trimmed by age."""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, func, or_, select
from sqlalchemy.sql.elements import ColumnElement

from vexobj_storage.metadata import rows
from vexobj_storage.metadata.ops import sql
from vexobj_storage.metadata.statement import Statement
from vexobj_storage.metadata.tx import Row as SqlRow
from vexobj_storage.metadata.tx import Tx, repeatable
from vexobj_storage.types import value

Row = Mapping[str, Any]

_A = sql.AUDIT_LOG
_APPEND = sql.insert(_A)
_AGES = sql.query(select(_A.c.at_us).order_by(_A.c.at_us).offset(bindparam("skipped")).limit(1))
_TRIM = sql.query(delete(_A).where(_A.c.at_us < bindparam("before_us")))


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """What an entry must be; None asks for nothing. `target` and all that is below it.

    `action` ending in `.` means all that begin so. `since` is included, `until` is not.
    """

    action: str | None = None
    target: str | None = None
    access_key_id: str | None = None
    identity_id: str | None = None
    address: str | None = None
    request_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def new_nonce() -> int:
    """Tells entries of one microsecond apart, and need not be secret."""
    return random.getrandbits(63)


@value
class AuditEntry:
    """One action of one caller; an anonymous one has neither key nor identity.

    `target` is a bucket's name, `bucket/key`, or the name of something else.
    """

    at: datetime
    nonce: int
    action: str
    target: str
    access_key_id: str | None
    identity_id: str | None
    actor: str | None
    address: str
    request_id: str
    details: Mapping[str, Any]

    @property
    def id(self) -> str:
        return f"{rows.to_us(self.at):015x}-{self.nonce:016x}"


def row(entry: AuditEntry) -> Row:
    """The binds of one entry, made before the transaction that writes it."""
    details = entry.details
    return {
        "at_us": rows.to_us(entry.at),
        "nonce": entry.nonce,
        "action": entry.action,
        "target": entry.target,
        "access_key_id": entry.access_key_id,
        "identity_id": entry.identity_id,
        "actor": entry.actor,
        "address": entry.address,
        "request_id": entry.request_id,
        "details": json.dumps(details, ensure_ascii=False) if details else None,
    }


async def append(tx: Tx, entry: Row) -> None:
    """Idempotent: an entry is written once, however many transactions it accompanies."""
    await tx.run(_APPEND, **entry)


@repeatable
async def note(tx: Tx) -> None:
    """Nothing; the entry that accompanies it is the point."""


async def entries(tx: Tx, wanted: AuditFilter, offset: int, limit: int) -> Sequence[SqlRow]:
    """Newest first. Without a bound in time it may read the whole log."""
    values: dict[str, Any] = {"skipped": offset, "most": limit}
    return await tx.all(_entries(wanted, values), **values)


@repeatable
async def trim(tx: Tx, before_us: int, limit: int) -> int:
    """Remove entries older than that, the oldest and not many more than `limit`; how many."""
    row = await tx.one(_AGES, skipped=limit)
    return await tx.run(_TRIM, before_us=before_us if row is None else min(before_us, row[0] + 1))


def _entries(wanted: AuditFilter, values: dict[str, Any]) -> Statement:
    """The statement for what is asked; fills in its `values`."""
    conditions: list[ColumnElement[bool]] = []
    for name in ("access_key_id", "identity_id", "address", "request_id"):
        value = getattr(wanted, name)
        if value is not None:
            values[name] = value
            conditions += sql.matches(_A, name)
    if wanted.action is not None:
        values["action"] = wanted.action
        is_group = wanted.action.endswith(".")
        conditions.append(
            _begins("action", wanted.action) if is_group else _A.c.action == bindparam("action")
        )
    if wanted.target is not None:
        values |= {"target": wanted.target, "below": wanted.target.rstrip("/") + "/"}
        below = _begins("target", values["below"], "below")
        conditions.append(or_(_A.c.target == bindparam("target"), below))
    if wanted.since is not None:
        values["since_us"] = rows.to_us(wanted.since)
        conditions.append(_A.c.at_us >= bindparam("since_us"))
    if wanted.until is not None:
        values["until_us"] = rows.to_us(wanted.until)
        conditions.append(_A.c.at_us < bindparam("until_us"))
    return sql.query(
        select(_A)
        .where(*conditions)
        .order_by(_A.c.at_us.desc(), _A.c.nonce.desc())
        .limit(bindparam("most"))
        .offset(bindparam("skipped"))
    )


def _begins(column: str, text: str, bind: str | None = None) -> ColumnElement[bool]:
    return func.substr(_A.c[column], 1, len(text)) == bindparam(
        bind or column, type_=_A.c.action.type
    )
