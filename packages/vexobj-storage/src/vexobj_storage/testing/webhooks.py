"""What every store must do with webhooks and deliveries."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from vexobj_storage import errors
from vexobj_storage.metadata.ops.deliveries import NO_ROOM, Delivery, Outcome
from vexobj_storage.store import ObjectStore
from vexobj_storage.testing.clocks import ManualClock
from vexobj_storage.testing.helpers import make_bucket, put
from vexobj_storage.types import Bucket
from vexobj_storage.webhooks import DeliveryCounts, DeliveryLimits, DeliveryState, Webhook

_LEASE = timedelta(seconds=30)
_DAY_US = 86_400 * 10**6
_LIMITS = DeliveryLimits(most=1000, delivered_us=_DAY_US, dead_us=30 * _DAY_US)


def _hook(clock: ManualClock, name: str = "one", **what: Any) -> Webhook:
    return replace(Webhook(name, "https://example.com/", ("*",), clock.now()), **what)


async def _numbers(store: ObjectStore, name: str, state: DeliveryState) -> list[int]:
    return [each.event.number for each in await store.deliveries(name, state=state)]


async def _claim(store: ObjectStore, name: str = "one", limit: int = 100) -> list[Delivery]:
    return list(await store.claim_deliveries(name, limit, _LEASE))


async def _put_many(store: ObjectStore, bucket: Bucket, count: int) -> None:
    for number in range(count):
        await put(store, bucket, b"%d" % number, b"1")


class WebhookContract:
    """Its store's clock is the fixture `clock`."""

    async def test_webhooks_are_kept(self, store: ObjectStore, clock: ManualClock) -> None:
        one = _hook(clock, sealed_secret=b"sealed", bucket="b", prefix="p", events=("a", "b"))
        await store.add_webhook(one)
        clock.advance(timedelta(seconds=1))
        two = _hook(clock, "two")
        await store.add_webhook(two)
        assert list(await store.webhooks()) == [one, two]
        changed = await store.edit_webhook("one", lambda each: replace(each, bucket=None))
        assert changed == replace(one, bucket=None) == await store.webhook("one")
        await store.remove_webhook("one")
        assert list(await store.webhooks()) == [two]
        for call in (store.webhook("one"), store.remove_webhook("one"), store.deliveries("one")):
            with pytest.raises(errors.NoSuchWebhook):
                await call

    async def test_webhooks_of_the_settings(self, store: ObjectStore, clock: ManualClock) -> None:
        await store.add_webhook(_hook(clock, "mine"))
        one = _hook(clock, from_settings=True)
        await store.set_webhooks([one, _hook(clock, "two", from_settings=True)])
        await store.set_webhooks([changed := replace(one, events=("object.*",))])
        assert sorted(each.id for each in await store.webhooks()) == ["mine", "one"]
        assert await store.webhook("one") == changed
        with pytest.raises(errors.WebhookFixed):
            await store.edit_webhook("one", lambda each: each)
        with pytest.raises(errors.WebhookFixed):
            await store.remove_webhook("one")
        await store.set_webhooks([])
        assert [each.id for each in await store.webhooks()] == ["mine"]

    async def test_events_are_kept_while_a_webhook_is_enabled(
        self, store: ObjectStore, clock: ManualClock
    ) -> None:
        bucket = await make_bucket(store)
        await put(store, bucket, b"before", b"1")
        await store.add_webhook(_hook(clock))
        await put(store, bucket, b"told", b"1")
        assert (await store.fan_out(10)).events == 1
        await store.edit_webhook("one", lambda each: replace(each, enabled=False))
        await put(store, bucket, b"disabled", b"1")
        assert await store.number_events() == 0
        assert list(await store.due_webhooks()) == []
        await store.edit_webhook("one", lambda each: replace(each, enabled=True))
        assert (await store.fan_out(10)).events == 0
        (found,) = await _claim(store)
        assert found.event.data["key"] == "told"
        await store.remove_webhook("one")
        await put(store, bucket, b"after", b"1")
        assert await store.number_events() == 0

    async def test_each_is_told_what_it_wants(self, store: ObjectStore, clock: ManualClock) -> None:
        bucket = await make_bucket(store)
        await store.add_webhook(_hook(clock, prefix="1"))
        await store.add_webhook(_hook(clock, "two", events=("*.deleted",)))
        await store.add_webhook(_hook(clock, "off", enabled=False))
        await _put_many(store, bucket, 3)
        await store.delete_object(bucket, b"2")
        assert (await store.fan_out(10)).events == 4
        told = {
            name: [(each.event.kind, each.event.data["key"]) for each in await _claim(store, name)]
            for name in ("one", "two", "off")
        }
        assert told == {
            "one": [("object.created", "1")],
            "two": [("object.deleted", "2")],
            "off": [],
        }

    async def test_a_claim_is_one_callers_until_its_lease_ends(
        self, store: ObjectStore, clock: ManualClock
    ) -> None:
        bucket = await make_bucket(store)
        await store.add_webhook(_hook(clock))
        assert list(await store.due_webhooks()) == []
        await _put_many(store, bucket, 20)
        await store.fan_out(100)
        assert [each.id for each in await store.due_webhooks()] == ["one"]
        claims = await asyncio.gather(*(_claim(store, limit=3) for _ in range(10)))
        numbers = [each.event.number for claim in claims for each in claim]
        assert len(numbers) == len(set(numbers))
        numbers += [each.event.number for each in await _claim(store)]
        assert sorted(numbers) == list(range(1, 21))
        assert list(await store.due_webhooks()) == []
        clock.advance(_LEASE)
        (again,) = await _claim(store, limit=1)
        assert again.attempts == 2

    async def test_outcomes(self, store: ObjectStore, clock: ManualClock) -> None:
        bucket = await make_bucket(store)
        await store.add_webhook(_hook(clock))
        await _put_many(store, bucket, 3)
        await store.fan_out(100)
        good, later, bad = await _claim(store)
        due = clock.now() + timedelta(minutes=1)
        await store.finish_delivery(good, Outcome(DeliveryState.DELIVERED, clock.now(), 204))
        await store.finish_delivery(later, Outcome(DeliveryState.WAITING, due, 503, "busy"))
        await store.finish_delivery(bad, Outcome(DeliveryState.DEAD, clock.now(), None, "gone"))
        assert (await store.delivery_counts())["one"] == DeliveryCounts(1, 1, 1, later.event.at)
        clock.advance(timedelta(minutes=1))
        (again,) = await _claim(store)
        assert (again.event, again.attempts, again.error) == (later.event, 2, "busy")
        # The first attempt's answer comes too late to count.
        await store.finish_delivery(later, Outcome(DeliveryState.DEAD, clock.now()))
        assert await _numbers(store, "one", DeliveryState.WAITING) == [later.event.number]
        kinds = await store.deliveries("one", kind="object.deleted")
        assert list(kinds) == []
        newest, *_ = await store.deliveries("one", limit=1)
        assert len(await store.deliveries("one", before=newest.event.number)) == 2

    async def test_dead_ones_are_told_again(self, store: ObjectStore, clock: ManualClock) -> None:
        bucket = await make_bucket(store)
        await store.add_webhook(_hook(clock))
        await _put_many(store, bucket, 4)
        await store.fan_out(100)
        for each in await _claim(store):
            await store.finish_delivery(each, Outcome(DeliveryState.DEAD, clock.now(), 500))
        await store.replay_delivery("one", 2)
        await store.replay_delivery("one", 2)
        (again,) = await _claim(store)
        assert (again.event.number, again.attempts) == (2, 1)
        await store.discard_delivery("one", 3)
        for call in (store.replay_delivery("one", 3), store.discard_delivery("one", 3)):
            with pytest.raises(errors.NoSuchDelivery):
                await call
        assert await store.replay_dead("one") == 2
        assert await store.replay_dead("one") == 0
        assert [each.event.number for each in await _claim(store)] == [1, 4]
        clock.advance(_LEASE)
        for each in await _claim(store):
            await store.finish_delivery(each, Outcome(DeliveryState.DEAD, clock.now()))
        assert await store.discard_dead("one") == 3
        assert await store.delivery_counts() == {}

    async def test_a_webhook_that_takes_nothing_stays_within_its_bounds(
        self, store: ObjectStore, clock: ManualClock
    ) -> None:
        bucket = await make_bucket(store)
        await store.add_webhook(_hook(clock))
        limits = replace(_LIMITS, most=5)
        await _put_many(store, bucket, 3)
        assert (await store.fan_out(5)).refused == 0
        await _put_many(store, bucket, 9)
        assert (await store.fan_out(5)).refused == 7
        assert await _numbers(store, "one", DeliveryState.WAITING) == [5, 4, 3, 2, 1]
        dead = await store.deliveries("one", state=DeliveryState.DEAD)
        assert {each.error for each in dead} == {NO_ROOM}
        assert await store.trim_deliveries(limits) == 2
        assert len(await store.deliveries("one")) == 10
        assert await store.trim_deliveries(limits) == 0

    async def test_what_is_done_with_is_forgotten(
        self, store: ObjectStore, clock: ManualClock
    ) -> None:
        bucket = await make_bucket(store)
        for name in ("one", "gone"):
            await store.add_webhook(_hook(clock, name))
        await _put_many(store, bucket, 6)
        await store.fan_out(100)
        first, *rest = await _claim(store)
        await store.finish_delivery(first, Outcome(DeliveryState.DEAD, clock.now()))
        for each in rest[:4]:
            await store.finish_delivery(each, Outcome(DeliveryState.DELIVERED, clock.now()))
        assert await store.trim_deliveries(replace(_LIMITS, most=3)) == 0
        assert (await store.delivery_counts())["one"] == DeliveryCounts(1, 3, 1, rest[-1].event.at)
        clock.advance(timedelta(days=2))
        await store.trim_deliveries(_LIMITS)
        assert (await store.delivery_counts())["one"].delivered == 0
        assert (await store.delivery_counts())["one"].dead == 1
        clock.advance(timedelta(days=30))
        await store.trim_deliveries(_LIMITS)
        assert (await store.delivery_counts())["one"].dead == 0
        assert (await store.delivery_counts())["one"].waiting == 1
        await store.remove_webhook("gone")
        assert "gone" not in await store.delivery_counts()
