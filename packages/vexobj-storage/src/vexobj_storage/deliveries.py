"""The store's webhooks, and the deliveries that events become for each; sending is the caller's."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from vexobj_storage.events import Events
from vexobj_storage.metadata.ops import deliveries, outbox, webhooks
from vexobj_storage.metadata.ops.deliveries import Delivery, FannedOut, Outcome
from vexobj_storage.metadata.ops.webhooks import SUBSCRIBER, Edit
from vexobj_storage.webhooks import DeliveryCounts, DeliveryLimits, DeliveryState, Webhook

_FAN_OUT = 200
_PIECE = 500
_EVERY_NUMBER = 2**63 - 1
_EVER_US = 2**62


class Deliveries(Events):
    async def add_webhook(self, webhook: Webhook) -> None:
        """It is told of what begins after this. Idempotent: of two with one id the first stays."""
        await self._metadata.write(webhooks.add, webhook)

    async def webhook(self, webhook_id: str) -> Webhook:
        """Raises: NoSuchWebhook."""
        return await self._metadata.read(webhooks.get, webhook_id)

    async def webhooks(self) -> Sequence[Webhook]:
        """The oldest first."""
        return await self._metadata.scan(webhooks.every)

    async def edit_webhook(self, webhook_id: str, change: Edit) -> Webhook:
        """Replace it by what `change` makes of it; what is disabled is told of nothing anew.

        Raises: NoSuchWebhook, WebhookFixed.
        """
        return await self._metadata.write(webhooks.edit, webhook_id, change)

    async def remove_webhook(self, webhook_id: str) -> None:
        """With all its deliveries. Raises: NoSuchWebhook, WebhookFixed."""
        await self._metadata.write(webhooks.remove, webhook_id)
        await self._discard_all(webhook_id)

    async def set_webhooks(self, wanted: Sequence[Webhook]) -> None:
        """Have exactly these of the webhooks that come from settings."""
        await self._metadata.write(webhooks.settle, wanted)

    async def fan_out(self, most: int) -> FannedOut:
        """Make deliveries of all events that were committed, in bounded transactions.

        Of a webhook for which `most` wait already, the rest is dead at once.
        """
        events = refused = 0
        await self.number_events()
        while await self._metadata.read(outbox.read, SUBSCRIBER, 1):
            waiting = await self._metadata.scan(deliveries.waiting)
            done = await self._metadata.write(
                deliveries.fan_out, waiting, most, self._now_us(), _FAN_OUT
            )
            events, refused = events + done.events, refused + done.refused
        return FannedOut(events, refused)

    async def due_webhooks(self) -> Sequence[Webhook]:
        """Those for which something is to be sent now."""
        return await self._metadata.read(deliveries.due_webhooks, self._now_us())

    async def claim_deliveries(
        self, webhook_id: str, limit: int, lease: timedelta
    ) -> Sequence[Delivery]:
        """What is due the longest. Nobody else has it before the lease ends; each is one attempt.

        What is not finished by then is due again.
        """
        now_us = self._now_us()
        until_us = now_us + lease // timedelta(microseconds=1)
        return await self._metadata.write(deliveries.claim, webhook_id, now_us, until_us, limit)

    async def finish_delivery(self, delivery: Delivery, outcome: Outcome) -> None:
        """Of a claim; nothing happens when its lease ended and another has claimed it since."""
        await self._metadata.write(deliveries.finish, delivery, outcome)

    async def deliveries(
        self,
        webhook_id: str,
        *,
        state: DeliveryState | None = None,
        kind: str | None = None,
        before: int | None = None,
        limit: int = 100,
    ) -> Sequence[Delivery]:
        """The newest first, of events with numbers below `before`. Raises: NoSuchWebhook."""
        await self.webhook(webhook_id)
        below = _EVERY_NUMBER if before is None else before
        return await self._metadata.scan(deliveries.find, webhook_id, state, kind, below, limit)

    async def replay_delivery(self, webhook_id: str, number: int) -> None:
        """Begin anew with one that is done with; one that waits goes on as it is.

        Raises: NoSuchDelivery.
        """
        await self._metadata.write(deliveries.replay, webhook_id, number, self._now_us())

    async def replay_dead(self, webhook_id: str) -> int:
        """Begin anew with all that were given up before this call; how many.

        Raises: NoSuchWebhook.
        """
        await self.webhook(webhook_id)
        replayed, now_us = 0, self._now_us()
        while count := await self._metadata.write(
            deliveries.replay_dead, webhook_id, now_us, _PIECE
        ):
            replayed += count
        return replayed

    async def discard_delivery(self, webhook_id: str, number: int) -> None:
        """Raises: NoSuchDelivery."""
        await self._metadata.write(deliveries.discard, webhook_id, number)

    async def discard_dead(self, webhook_id: str) -> int:
        """Remove all that were given up; how many. Raises: NoSuchWebhook."""
        await self.webhook(webhook_id)
        return await self._discard(webhook_id, DeliveryState.DEAD, _EVER_US)

    async def delivery_counts(self) -> Mapping[str, DeliveryCounts]:
        """By webhook; nothing of those that have no deliveries."""
        return await self._metadata.scan(deliveries.counts)

    async def trim_deliveries(self, limits: DeliveryLimits) -> int:
        """Forget what is done with and beyond the limits, and what nobody is told of any more.

        How many dead ones had to go as there were too many.
        """
        await self.trim_events()
        now_us, crowded_out = self._now_us(), 0
        found = await self.delivery_counts()  # before the webhooks: one made meanwhile is no orphan
        known = {each.id for each in await self.webhooks()}
        for webhook_id in found.keys() - known:
            await self._discard_all(webhook_id)
        for state, age_us in (
            (DeliveryState.DELIVERED, limits.delivered_us),
            (DeliveryState.DEAD, limits.dead_us),
        ):
            for webhook_id in known:
                await self._discard(webhook_id, state, now_us - age_us)
        for webhook_id, counts in (await self.delivery_counts()).items():
            await self._shorten(webhook_id, DeliveryState.DELIVERED, counts.delivered - limits.most)
            crowded_out += await self._shorten(
                webhook_id, DeliveryState.DEAD, counts.dead - limits.most
            )
        return crowded_out

    async def _discard_all(self, webhook_id: str) -> None:
        for state in DeliveryState:
            await self._discard(webhook_id, state, _EVER_US)

    async def _discard(self, webhook_id: str, state: DeliveryState, before_us: int) -> int:
        removed = 0
        while count := await self._metadata.write(
            deliveries.discard_some, webhook_id, state, before_us, _PIECE
        ):
            removed += count
        return removed

    async def _shorten(self, webhook_id: str, state: DeliveryState, excess: int) -> int:
        """Remove so many of the oldest; how many there were."""
        removed = 0
        while removed < excess and (
            count := await self._metadata.write(
                deliveries.discard_some, webhook_id, state, _EVER_US, min(_PIECE, excess - removed)
            )
        ):
            removed += count
        return removed
