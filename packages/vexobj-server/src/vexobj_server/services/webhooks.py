"""Webhooks at work: events become deliveries in one process, and every process sends them."""

import asyncio
import logging
import random
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from vexobj_auth import SealBroken, SecretBox
from vexobj_server.observability.webhooks import WebhookMetrics
from vexobj_server.services import webhook_messages as messages
from vexobj_server.services.egress import Egress, EgressError
from vexobj_server.settings import WebhookDeliverySettings, WebhookSettings
from vexobj_storage import (
    Delivery,
    DeliveryLimits,
    DeliveryState,
    Event,
    NoSuchWebhook,
    ObjectStore,
    Outcome,
    StorageError,
    Webhook,
)

TEST = "webhook.test"
"""The kind of an event that happened only to see whether a webhook answers."""

_SLACK = timedelta(seconds=5)
"""A claim lasts so much longer than an attempt can: then whoever had it is gone."""

_ERROR_LENGTH = 500
_MICROSECOND = timedelta(microseconds=1)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of it: a status, or why there is none."""

    status: int | None
    error: str | None
    seconds: float

    @property
    def delivered(self) -> bool:
        return self.error is None


class Webhooks:
    """`close` it before the store: what is being sent then is sent again later."""

    def __init__(
        self,
        store: ObjectStore,
        box: SecretBox,
        egress: Egress,
        settings: WebhookDeliverySettings,
        metrics: WebhookMetrics,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._box = box
        self._egress = egress
        self._settings = settings
        self._metrics = metrics
        self._clock = clock
        self._sending: dict[str, asyncio.Task[None]] = {}

    async def fan_out(self) -> None:
        """For one process of all: a delivery of each new event for each webhook that wants it."""
        done = await self._store.fan_out(self._settings.max_backlog)
        if done.refused:
            self._metrics.refused(done.refused)
            _log.warning(
                "%d deliveries are dead from the start: %d wait already for their webhook",
                done.refused,
                self._settings.max_backlog,
            )

    async def trim(self) -> None:
        """For one process of all: forget what is old, or too much."""
        limits = DeliveryLimits(
            self._settings.max_backlog,
            self._settings.delivered_retention // _MICROSECOND,
            self._settings.dead_retention // _MICROSECOND,
        )
        dropped = await self._store.trim_deliveries(limits)
        if dropped:
            self._metrics.dropped(dropped)
            _log.warning("%d dead deliveries were dropped to make room for others", dropped)

    async def deliver(self) -> None:
        """For every process: begin to send what is due, to each webhook beside the others."""
        for webhook in await self._store.due_webhooks():
            if webhook.id not in self._sending:
                task = asyncio.create_task(self._send_all(webhook.id), name=webhook.id)
                self._sending[webhook.id] = task
                task.add_done_callback(lambda done: self._sending.pop(done.get_name()))

    async def test(self, webhook: Webhook) -> Attempt:
        """Send an event that did not happen, once and now."""
        now = self._clock()
        event = Event(secrets.token_hex(16), 0, now, TEST, None, {"webhook": webhook.id})
        return await self._attempt(webhook, event)

    async def close(self) -> None:
        tasks = list(self._sending.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._egress.close()

    async def _send_all(self, webhook_id: str) -> None:
        """Until nothing is due; a failure is told, and what it left is due again later."""
        try:
            while await self._send_some(webhook_id):
                pass
        except Exception:  # noqa: BLE001 - whatever it is, the next time may do better
            _log.exception("sending to webhook %s failed", webhook_id)

    async def _send_some(self, webhook_id: str) -> bool:
        """As many as may be under way; False when there was nothing to send any more."""
        try:
            webhook = await self._store.webhook(webhook_id)
        except NoSuchWebhook:
            return False
        if not webhook.enabled:
            return False
        lease = self._settings.timeout + _SLACK
        claimed = await self._store.claim_deliveries(webhook_id, self._settings.concurrency, lease)
        async with asyncio.TaskGroup() as group:
            for each in claimed:
                group.create_task(self._send(webhook, each))
        return bool(claimed)

    async def _send(self, webhook: Webhook, delivery: Delivery) -> None:
        attempt = await self._attempt(webhook, delivery.event)
        outcome = self._outcome(delivery, attempt)
        try:
            await self._store.finish_delivery(delivery, outcome)
        except StorageError as failed:
            _log.warning("an event to webhook %s will come again: %s", webhook.id, failed)
        if attempt.delivered:
            self._metrics.attempted("delivered")
            return
        dead = outcome.state is DeliveryState.DEAD
        self._metrics.attempted("dead" if dead else "failed")
        _log.log(
            logging.WARNING if dead else logging.INFO,
            "webhook %s did not take event %s at attempt %d%s: %s",
            webhook.id,
            delivery.event.id,
            delivery.attempts,
            ", the last" if dead else "",
            attempt.error,
        )

    def _outcome(self, delivery: Delivery, attempt: Attempt) -> Outcome:
        now, settings = self._clock(), self._settings
        if attempt.delivered:
            return Outcome(DeliveryState.DELIVERED, now, attempt.status)
        if delivery.attempts >= settings.max_attempts:
            return Outcome(DeliveryState.DEAD, now, attempt.status, attempt.error)
        rest = messages.pause(
            delivery.attempts,
            settings.retry_interval,
            settings.max_retry_interval,
            random.random(),  # noqa: S311 - to spread what failed together
        )
        return Outcome(DeliveryState.WAITING, now + rest, attempt.status, attempt.error)

    async def _attempt(self, webhook: Webhook, event: Event) -> Attempt:
        began, data = time.monotonic(), messages.body(event)
        status = error = None
        try:
            secret = self._secret(webhook)
            now = round(self._clock().timestamp())
            said = messages.headers(event, data, secret, now)
            status = await self._egress.post(webhook.url, said, data)
        except EgressError as failed:
            error = str(failed)
        except SealBroken:
            error = "the webhook's secret cannot be opened: it was sealed by another server secret"
        except Exception as failed:  # noqa: BLE001 - what nobody foresaw must not try for ever
            _log.exception("an attempt to send to webhook %s broke", webhook.id)
            error = type(failed).__name__
        if status is not None and not 200 <= status < 300:
            error = f"the answer is {status}"
        return Attempt(status, error and error[:_ERROR_LENGTH], time.monotonic() - began)

    def _secret(self, webhook: Webhook) -> str | None:
        """Raises: SealBroken."""
        sealed = webhook.sealed_secret
        return None if sealed is None else self._box.open(webhook.id, sealed)


def new_webhook_id() -> str:
    return f"wh-{secrets.token_hex(8)}"


def new_webhook_secret() -> str:
    return f"whsec_{secrets.token_urlsafe(32)}"


def webhooks_of(
    settings: Sequence[WebhookSettings], box: SecretBox, now: datetime
) -> Sequence[Webhook]:
    """As the store keeps those of the settings: the same ids at every start."""
    found = {}
    for each in settings:
        name = "\n".join((each.url, each.bucket or "", each.prefix))
        webhook_id = f"settings-{sha256(name.encode()).hexdigest()[:16]}"
        sealed = None if each.secret is None else box.seal(webhook_id, each.secret)
        found[webhook_id] = Webhook(
            webhook_id,
            each.url,
            each.events,
            now,
            each.bucket,
            each.prefix,
            sealed,
            from_settings=True,
        )
    return list(found.values())
