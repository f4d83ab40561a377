"""Deliveries: an event for one webhook, from the outbox until it is done with and forgotten.

A claim makes a delivery due again at the end of its lease, and counts the attempt: whoever dies
with it loses nothing, and an outcome that comes too late finds another count and changes nothing.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, func, literal, select, update
from sqlalchemy.sql.elements import ColumnElement

from vexobj_storage.errors import NoSuchDelivery
from vexobj_storage.metadata import rows
from vexobj_storage.metadata.ops import outbox, sql, webhooks
from vexobj_storage.metadata.ops.outbox import Event
from vexobj_storage.metadata.statement import Statement
from vexobj_storage.metadata.tx import Row, Tx, durable, repeatable
from vexobj_storage.types import value
from vexobj_storage.webhooks import DeliveryCounts, DeliveryState, Webhook

NO_ROOM = "too many deliveries wait for this webhook"
"""The error of a delivery that was given up before its first attempt."""

_D, _W = sql.DELIVERIES, sql.WEBHOOKS
_EVENT = ("event_id", "number", "created_us", "kind", "sequence", "payload")
_PROGRESS = ("state", "attempts", "when_us", "status", "error")
_COLUMNS = [_D.c[name] for name in ("webhook_id", *_EVENT, *_PROGRESS)]
_ONE = sql.matches(_D, "webhook_id", "number")
_WAITING = _D.c.state == DeliveryState.WAITING.value
_DEAD = _D.c.state == DeliveryState.DEAD.value
_DUE = (_WAITING, _D.c.when_us <= bindparam("now_us"))

_ADD = sql.insert(_D)
_DUE_WEBHOOKS = sql.query(
    select(*webhooks.COLUMNS)
    .where(
        _W.c.enabled == 1,
        select(_D.c.number).where(_D.c.webhook_id == _W.c.id, *_DUE).exists(),
    )
    .order_by(_W.c.id)
)
_TAKE = sql.query(
    select(*_COLUMNS)
    .where(*sql.matches(_D, "webhook_id"), *_DUE)
    .order_by(_D.c.when_us)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
_CLAIM = sql.query(
    update(_D).where(*_ONE).values(attempts=_D.c.attempts + 1, when_us=bindparam("until_us"))
)
_FINISH = sql.query(
    update(_D)
    .where(*_ONE, _WAITING, _D.c.attempts == bindparam("attempt"))
    .values({name: bindparam(name) for name in ("state", "when_us", "status", "error")})
)
_EXISTS = sql.exists(_D, "webhook_id", "number")
_BEGUN_ANEW = {
    "state": literal(DeliveryState.WAITING.value),
    "attempts": literal(0),
    "when_us": bindparam("now_us"),
}
_REPLAY = sql.query(update(_D).where(*_ONE, ~_WAITING).values(_BEGUN_ANEW))
_REPLAY_DEAD = sql.query(update(_D).where(*_ONE, _DEAD).values(_BEGUN_ANEW))
_SOME_DEAD = sql.query(
    select(_D.c.webhook_id, _D.c.number)
    .where(*sql.matches(_D, "webhook_id"), _DEAD, _D.c.when_us <= bindparam("now_us"))
    .order_by(_D.c.when_us)
    .limit(bindparam("most"))
)
_DISCARD = sql.query(delete(_D).where(*_ONE))
_DISCARD_SOME = sql.query(
    delete(_D).where(
        *sql.matches(_D, "webhook_id"),
        _D.c.number.in_(
            select(_D.c.number)
            .where(
                *sql.matches(_D, "webhook_id", "state"),
                _D.c.when_us < bindparam("before_us"),
            )
            .order_by(_D.c.when_us)
            .limit(bindparam("most"))
        ),
        *sql.matches(_D, "state"),
    )
)
_COUNT_WAITING = sql.query(
    select(func.count()).select_from(_D).where(*sql.matches(_D, "webhook_id"), _WAITING)
)
_COUNTS = sql.query(
    select(_D.c.webhook_id, _D.c.state, func.count(), func.min(_D.c.created_us)).group_by(
        _D.c.webhook_id, _D.c.state
    )
)


@value
class Delivery:
    """`when` is when it is due, or was done with; `status` and `error` are of the last attempt."""

    webhook_id: str
    event: Event
    state: DeliveryState
    attempts: int
    when: datetime
    status: int | None
    error: str | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an attempt led to; one that is WAITING is tried again `when`."""

    state: DeliveryState
    when: datetime
    status: int | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class FannedOut:
    """`events` were read; `refused` deliveries were given up as the webhook has too many."""

    events: int
    refused: int


@repeatable
async def fan_out(
    tx: Tx, waiting: Mapping[str, int], most: int, now_us: int, limit: int
) -> FannedOut:
    """Make a delivery of each of the next events for each enabled webhook that wants it.

    Of a webhook for which `most` are `waiting` the rest is dead at once.
    """
    events = await outbox.read_locked(tx, webhooks.SUBSCRIBER, limit)
    if not events:
        return FannedOut(0, 0)
    refused = 0
    for each in await webhooks.every(tx):
        if each.enabled:
            wanted = [event for event in events if each.wants(event.kind, event.data)]
            room = max(0, most - waiting.get(each.id, 0))
            await tx.many(_ADD, [_new(each, event, now_us) for event in wanted[:room]])
            await tx.many(_ADD, [_new(each, event, now_us, NO_ROOM) for event in wanted[room:]])
            refused += len(wanted[room:])
    await outbox.acknowledge(tx, webhooks.SUBSCRIBER, events[-1].number)
    await outbox.trim(tx)
    return FannedOut(len(events), refused)


async def waiting(tx: Tx) -> Mapping[str, int]:
    """How many deliveries wait, by webhook."""
    found = {}
    for each in await webhooks.every(tx):
        row = await tx.one(_COUNT_WAITING, webhook_id=each.id)
        assert row is not None
        found[each.id] = row[0]
    return found


async def due_webhooks(tx: Tx, now_us: int) -> Sequence[Webhook]:
    """Those that are enabled and have a delivery that is due."""
    return [webhooks.webhook(row) for row in await tx.all(_DUE_WEBHOOKS, now_us=now_us)]


@durable
async def claim(
    tx: Tx, webhook_id: str, now_us: int, until_us: int, limit: int
) -> Sequence[Delivery]:
    """What is due the longest, for nobody else until then; each counts one attempt more.

    Durable, so that nobody is told of a change that a power cut undoes.
    """
    found = await tx.all(_TAKE, webhook_id=webhook_id, now_us=now_us, most=limit)
    claimed = [_delivery(row) for row in found]
    numbers = [each.event.number for each in claimed]
    values = [{"webhook_id": webhook_id, "number": n, "until_us": until_us} for n in numbers]
    await tx.many(_CLAIM, values)
    return [replace(each, attempts=each.attempts + 1) for each in claimed]


@repeatable
async def finish(tx: Tx, delivery: Delivery, outcome: Outcome) -> None:
    """Remember what became of a claim; nothing happens when it is another's by now."""
    await tx.run(
        _FINISH,
        webhook_id=delivery.webhook_id,
        number=delivery.event.number,
        attempt=delivery.attempts,
        state=outcome.state.value,
        when_us=rows.to_us(outcome.when),
        status=outcome.status,
        error=outcome.error,
    )


async def find(
    tx: Tx,
    webhook_id: str,
    state: DeliveryState | None,
    kind: str | None,
    before: int,
    limit: int,
) -> Sequence[Delivery]:
    """The newest first, of numbers below `before`."""
    conditions: list[ColumnElement[bool]] = []
    values: dict[str, Any] = {"webhook_id": webhook_id, "before": before, "most": limit}
    for name, wanted in (("state", None if state is None else state.value), ("kind", kind)):
        if wanted is not None:
            conditions += sql.matches(_D, name)
            values[name] = wanted
    found = await tx.all(_find(conditions), **values)
    return [_delivery(row) for row in found]


@repeatable
async def replay(tx: Tx, webhook_id: str, number: int, now_us: int) -> None:
    """Begin anew with one that is done with; one that waits goes on. Raises: NoSuchDelivery."""
    if not await tx.run(_REPLAY, webhook_id=webhook_id, number=number, now_us=now_us):
        await _require(tx, webhook_id, number)


async def replay_dead(tx: Tx, webhook_id: str, now_us: int, limit: int) -> int:
    """Begin anew with those given up until now, the oldest first; how many."""
    found = await tx.all(_SOME_DEAD, webhook_id=webhook_id, now_us=now_us, most=limit)
    values = [{"webhook_id": w, "number": n, "now_us": now_us} for w, n in found]
    await tx.many(_REPLAY_DEAD, values)
    return len(found)


async def discard(tx: Tx, webhook_id: str, number: int) -> None:
    """Raises: NoSuchDelivery."""
    if not await tx.run(_DISCARD, webhook_id=webhook_id, number=number):
        raise NoSuchDelivery(webhook_id, number)


async def discard_some(
    tx: Tx, webhook_id: str, state: DeliveryState, before_us: int, limit: int
) -> int:
    """Remove the oldest in that state; how many."""
    return await tx.run(
        _DISCARD_SOME, webhook_id=webhook_id, state=state.value, before_us=before_us, most=limit
    )


async def counts(tx: Tx) -> Mapping[str, DeliveryCounts]:
    """By webhook; nothing of those that have no deliveries."""
    found: dict[str, dict[DeliveryState, tuple[int, int]]] = {}
    for webhook_id, state, count, oldest_us in await tx.all(_COUNTS):
        found.setdefault(webhook_id, {})[DeliveryState(state)] = (count, oldest_us)
    return {webhook_id: _counts(by_state) for webhook_id, by_state in found.items()}


def _find(conditions: Sequence[ColumnElement[bool]]) -> Statement:
    return sql.query(
        select(*_COLUMNS)
        .where(*sql.matches(_D, "webhook_id"), _D.c.number < bindparam("before"), *conditions)
        .order_by(_D.c.number.desc())
        .limit(bindparam("most"))
    )


async def _require(tx: Tx, webhook_id: str, number: int) -> None:
    if await tx.one(_EXISTS, webhook_id=webhook_id, number=number) is None:
        raise NoSuchDelivery(webhook_id, number)


def _new(webhook: Webhook, event: Event, now_us: int, error: str | None = None) -> dict[str, Any]:
    state = DeliveryState.WAITING if error is None else DeliveryState.DEAD
    return {
        "webhook_id": webhook.id,
        "number": event.number,
        "state": state.value,
        "when_us": now_us,
        "attempts": 0,
        "event_id": bytes.fromhex(event.id),
        "created_us": rows.to_us(event.at),
        "kind": event.kind,
        "sequence": event.sequence,
        "payload": json.dumps(event.data, ensure_ascii=False),
        "status": None,
        "error": error,
    }


def _delivery(row: Row) -> Delivery:
    webhook_id, event_id, number, created_us, kind, sequence, payload, *progress = row
    state, attempts, when_us, status, error = progress
    at, data = rows.to_datetime(created_us), json.loads(payload)
    return Delivery(
        webhook_id,
        Event(event_id.hex(), number, at, kind, sequence, data),
        DeliveryState(state),
        attempts,
        rows.to_datetime(when_us),
        status,
        error,
    )


def _counts(by_state: Mapping[DeliveryState, tuple[int, int]]) -> DeliveryCounts:
    waiting, delivered, dead = (by_state.get(state, (0, None)) for state in DeliveryState)
    oldest_us = waiting[1]
    oldest_at = None if oldest_us is None else rows.to_datetime(oldest_us)
    return DeliveryCounts(waiting[0], delivered[0], dead[0], oldest_at)
