"""Webhooks as they are kept. While one is enabled, `SUBSCRIBER` reads the outbox."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import bindparam, select, update

from vexobj_storage.errors import NoSuchWebhook, WebhookFixed
from vexobj_storage.metadata import rows
from vexobj_storage.metadata.ops import outbox, sql
from vexobj_storage.metadata.tx import Row, Tx, durable, repeatable
from vexobj_storage.webhooks import Webhook

SUBSCRIBER = "webhooks"

_W = sql.WEBHOOKS
_CHANGEABLE = ("url", "events", "bucket", "prefix", "enabled", "sealed_secret")
COLUMNS = [_W.c[name] for name in ("id", "from_settings", "created_us", *_CHANGEABLE)]
"""As `webhook` reads them."""

# Whoever changes webhooks holds this row: each sees whether another is left that is enabled.
_HOLD = sql.upsert(sql.COUNTERS, lambda counters, _: {"value": counters.c.value}, "value")
_ADD = sql.insert(_W)
_GET = sql.query(select(*COLUMNS).where(*sql.matches(_W, "id")))
_LIST = sql.query(select(*COLUMNS).order_by(_W.c.created_us, _W.c.id))
_CHANGE = sql.query(
    update(_W).where(*sql.matches(_W, "id")).values({name: bindparam(name) for name in _CHANGEABLE})
)
_REMOVE = sql.remove(_W, "id")

Edit = Callable[[Webhook], Webhook]


@durable
@repeatable
async def add(tx: Tx, new: Webhook) -> None:
    """Idempotent for the same id: the first stays."""
    await tx.one(_HOLD, name=SUBSCRIBER, value=0)
    await tx.run(_ADD, **_values(new))
    await _subscribe(tx)


async def get(tx: Tx, webhook_id: str) -> Webhook:
    """Raises: NoSuchWebhook."""
    row = await tx.one(_GET, id=webhook_id)
    if row is None:
        raise NoSuchWebhook(webhook_id)
    return webhook(row)


async def every(tx: Tx) -> Sequence[Webhook]:
    """The oldest first."""
    return [webhook(row) for row in await tx.all(_LIST)]


@repeatable
async def edit(tx: Tx, webhook_id: str, change: Edit) -> Webhook:
    """Replace it by what `change` makes of it. Raises: NoSuchWebhook, WebhookFixed."""
    await tx.one(_HOLD, name=SUBSCRIBER, value=0)
    found = await _changeable(tx, webhook_id)
    changed = change(found)
    await tx.run(_CHANGE, **_values(changed))
    await _subscribe(tx)
    return changed


async def remove(tx: Tx, webhook_id: str) -> None:
    """Its deliveries are left to be removed. Raises: NoSuchWebhook, WebhookFixed."""
    await tx.one(_HOLD, name=SUBSCRIBER, value=0)
    await _changeable(tx, webhook_id)
    await tx.run(_REMOVE, id=webhook_id)
    await _subscribe(tx)


@repeatable
async def settle(tx: Tx, wanted: Sequence[Webhook]) -> None:
    """Have exactly these `from_settings`; those made otherwise stay."""
    await tx.one(_HOLD, name=SUBSCRIBER, value=0)
    known = {found.id for found in await every(tx) if found.from_settings}
    for gone in known - {each.id for each in wanted}:
        await tx.run(_REMOVE, id=gone)
    for each in wanted:
        await tx.run(_CHANGE if each.id in known else _ADD, **_values(each))
    await _subscribe(tx)


def webhook(row: Row) -> Webhook:
    webhook_id, from_settings, created_us, url, events, bucket, prefix, enabled, sealed = row
    return Webhook(
        webhook_id,
        url,
        tuple(json.loads(events)),
        rows.to_datetime(created_us),
        bucket,
        prefix,
        sealed,
        bool(enabled),
        bool(from_settings),
    )


def _values(wanted: Webhook) -> dict[str, Any]:
    return {
        "id": wanted.id,
        "url": wanted.url,
        "events": json.dumps(list(wanted.events)),
        "bucket": wanted.bucket,
        "prefix": wanted.prefix,
        "sealed_secret": wanted.sealed_secret,
        "enabled": int(wanted.enabled),
        "from_settings": int(wanted.from_settings),
        "created_us": rows.to_us(wanted.created_at),
    }


async def _changeable(tx: Tx, webhook_id: str) -> Webhook:
    found = await get(tx, webhook_id)
    if found.from_settings:
        raise WebhookFixed(webhook_id)
    return found


async def _subscribe(tx: Tx) -> None:
    """Have events kept just as long as somebody is to be told of them."""
    if any(each.enabled for each in await every(tx)):
        await outbox.subscribe(tx, SUBSCRIBER)
    else:
        await outbox.unsubscribe(tx, SUBSCRIBER)
