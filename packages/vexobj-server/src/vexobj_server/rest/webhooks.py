"""`/v1/admin/webhooks`: who is told of events, and what became of it. For admins."""

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from vexobj_auth import Action
from vexobj_server.rest.context import Caller, Context
from vexobj_server.rest.problems import problems
from vexobj_server.rest.webhook_models import (
    STATES,
    CreatedWebhook,
    DeletedDeliveries,
    DeliveryInfo,
    DeliveryPage,
    NewWebhook,
    ReplayedDeliveries,
    State,
    WebhookChange,
    WebhookInfo,
    WebhookList,
    WebhookTest,
)
from vexobj_server.services.webhooks import new_webhook_id, new_webhook_secret
from vexobj_storage import Delivery, DeliveryCounts, DeliveryState, Webhook

router = APIRouter(prefix="/v1/admin/webhooks", tags=["admin"])

_WARNING = "Store this secret now: it is not shown again."
_NAMES: dict[DeliveryState, State] = {state: name for name, state in STATES.items()}

Number = Annotated[
    int | None, Query(ge=1, le=2**63 - 1, description="One; without it all that are dead.")
]


class _Wanted(BaseModel):
    state: State | None = None
    event: str | None = Field(None, max_length=64)
    before: int | None = Field(None, ge=1, le=2**63 - 1, description="Only smaller numbers.")
    limit: int = Field(100, ge=1, le=1000)


@router.get("", operation_id="list_webhooks", responses=problems(401, 403))
async def list_webhooks(context: Context, caller: Caller) -> WebhookList:
    """The oldest first."""
    context.access.require(caller, Action.ADMINISTER)
    found, counts = await context.store.webhooks(), await context.store.delivery_counts()
    return WebhookList(webhooks=[_info(each, counts.get(each.id)) for each in found])


@router.post("", operation_id="create_webhook", status_code=201, responses=problems(400, 401, 403))
async def create_webhook(new: NewWebhook, context: Context, caller: Caller) -> CreatedWebhook:
    """It is told of what happens from now on. The secret is told only now."""
    context.access.require(caller, Action.ADMINISTER)
    webhook_id, secret = new_webhook_id(), new.secret or new_webhook_secret()
    webhook = Webhook(
        webhook_id,
        new.url,
        tuple(new.events),
        context.clock(),
        new.bucket,
        new.prefix,
        context.box.seal(webhook_id, secret),
        new.enabled,
    )
    context.audit.about(webhook_id)
    await context.store.add_webhook(webhook)
    return CreatedWebhook(webhook=_info(webhook), secret=secret, warning=_WARNING)


@router.get("/{webhook_id}", operation_id="get_webhook", responses=problems(401, 403, 404))
async def get_webhook(webhook_id: str, context: Context, caller: Caller) -> WebhookInfo:
    context.access.require(caller, Action.ADMINISTER)
    found, counts = await context.store.webhook(webhook_id), await context.store.delivery_counts()
    return _info(found, counts.get(webhook_id))


@router.patch(
    "/{webhook_id}",
    operation_id="update_webhook",
    responses=problems(400, 401, 403, 404, 409),
)
async def update_webhook(
    webhook_id: str, change: WebhookChange, context: Context, caller: Caller
) -> WebhookInfo:
    """One that is disabled is sent nothing, and told of nothing that happens meanwhile."""
    context.access.require(caller, Action.ADMINISTER)
    given: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in change.model_dump(exclude_unset=True).items()
        if value is not None or name == "bucket"
    }
    changed = await context.store.edit_webhook(webhook_id, lambda each: replace(each, **given))
    return _info(changed, (await context.store.delivery_counts()).get(webhook_id))


@router.delete(
    "/{webhook_id}",
    operation_id="delete_webhook",
    status_code=204,
    responses=problems(401, 403, 404, 409),
)
async def delete_webhook(webhook_id: str, context: Context, caller: Caller) -> None:
    """With all its deliveries."""
    context.access.require(caller, Action.ADMINISTER)
    await context.store.remove_webhook(webhook_id)


@router.post("/{webhook_id}/test", operation_id="test_webhook", responses=problems(401, 403, 404))
async def test_webhook(webhook_id: str, context: Context, caller: Caller) -> WebhookTest:
    """Send `webhook.test` once, now, and say what came of it; it is not among the deliveries."""
    context.access.require(caller, Action.ADMINISTER)
    webhook = await context.store.webhook(webhook_id)
    await context.audit.note()
    attempt = await context.webhooks.test(webhook)
    return WebhookTest(
        delivered=attempt.delivered,
        status=attempt.status,
        error=attempt.error,
        duration_ms=round(attempt.seconds * 1000),
    )


@router.get(
    "/{webhook_id}/deliveries",
    operation_id="list_deliveries",
    responses=problems(400, 401, 403, 404),
)
async def list_deliveries(
    webhook_id: str, wanted: Annotated[_Wanted, Query()], context: Context, caller: Caller
) -> DeliveryPage:
    """The newest events first."""
    context.access.require(caller, Action.ADMINISTER)
    found = await context.store.deliveries(
        webhook_id,
        state=None if wanted.state is None else STATES[wanted.state],
        kind=wanted.event,
        before=wanted.before,
        limit=wanted.limit,
    )
    before = found[-1].event.number if len(found) == wanted.limit else None
    return DeliveryPage(deliveries=[_delivery(each) for each in found], before=before)


@router.post(
    "/{webhook_id}/replay",
    operation_id="replay_deliveries",
    responses=problems(400, 401, 403, 404),
)
async def replay_deliveries(
    webhook_id: str, context: Context, caller: Caller, number: Number = None
) -> ReplayedDeliveries:
    """Begin anew: with one that is delivered or dead, or with all that are dead."""
    context.access.require(caller, Action.ADMINISTER)
    if number is None:
        return ReplayedDeliveries(replayed=await context.store.replay_dead(webhook_id))
    await context.store.replay_delivery(webhook_id, number)
    return ReplayedDeliveries(replayed=1)


@router.delete(
    "/{webhook_id}/deliveries",
    operation_id="delete_deliveries",
    responses=problems(400, 401, 403, 404),
)
async def delete_deliveries(
    webhook_id: str, context: Context, caller: Caller, number: Number = None
) -> DeletedDeliveries:
    """One, whatever its state, or all that are dead."""
    context.access.require(caller, Action.ADMINISTER)
    if number is None:
        return DeletedDeliveries(deleted=await context.store.discard_dead(webhook_id))
    await context.store.discard_delivery(webhook_id, number)
    return DeletedDeliveries(deleted=1)


def _info(webhook: Webhook, counts: DeliveryCounts | None = None) -> WebhookInfo:
    found = counts or DeliveryCounts()
    return WebhookInfo(
        id=webhook.id,
        url=webhook.url,
        events=list(webhook.events),
        bucket=webhook.bucket,
        prefix=webhook.prefix,
        enabled=webhook.enabled,
        signed=webhook.sealed_secret is not None,
        from_settings=webhook.from_settings,
        created_at=webhook.created_at,
        waiting=found.waiting,
        delivered=found.delivered,
        dead=found.dead,
        oldest_at=found.oldest_at,
    )


def _delivery(delivery: Delivery) -> DeliveryInfo:
    event, waits = delivery.event, delivery.state is DeliveryState.WAITING
    return DeliveryInfo(
        number=event.number,
        event_id=event.id,
        event=event.kind,
        timestamp=event.at,
        sequence=event.sequence,
        data=dict(event.data),
        state=_NAMES[delivery.state],
        attempts=delivery.attempts,
        due_at=delivery.when if waits else None,
        finished_at=None if waits else delivery.when,
        status=delivery.status,
        error=delivery.error,
    )
