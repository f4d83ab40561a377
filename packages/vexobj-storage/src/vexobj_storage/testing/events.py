"""What every store must do with events."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from vexobj_storage import errors
from vexobj_storage.lifecycle import LifecycleRule
from vexobj_storage.metadata.ops.outbox import Event
from vexobj_storage.store import ObjectStore
from vexobj_storage.testing.helpers import PLAIN, complete, make_bucket, put, put_part
from vexobj_storage.types import ObjectName, Quota, Versioning, WriteCondition


async def _next(store: ObjectStore, name: str = "reader") -> list[Event]:
    """What is new, acknowledged."""
    await store.number_events()
    found = list(await store.events(name, limit=1000))
    if found:
        await store.acknowledge(name, found[-1].number)
    return found


def _said(events: list[Event]) -> list[tuple[str, str]]:
    return [(event.kind, event.data["key"]) for event in events]


class EventContract:
    async def test_changes_are_told_to_those_who_subscribe(self, store: ObjectStore) -> None:
        bucket = await make_bucket(store)
        await put(store, bucket, b"before", b"1")
        await store.subscribe("reader")
        version = await put(store, bucket, "ü".encode(), b"1")
        source = await store.get_object(bucket, "ü".encode())
        await store.copy_object(source, bucket, b"copy", version.attributes)
        await store.delete_objects(bucket, [ObjectName(b"copy"), ObjectName(b"none")])
        with pytest.raises(errors.PreconditionFailed):
            await put(store, bucket, b"before", b"2", WriteCondition(if_none_match_any=True))
        events = await _next(store)
        assert _said(events) == [
            ("object.created", "ü"),
            ("object.created", "copy"),
            ("object.deleted", "copy"),
        ]
        data = events[0].data
        assert (data["bucket"], data["size"], data["etag"]) == ("bucket", 1, version.etag)
        assert [event.data["cause"] for event in events] == ["put", "copy", "delete"]
        assert await _next(store) == []
        await store.unsubscribe("reader")
        await put(store, bucket, b"after", b"1")
        await store.subscribe("reader")
        assert await _next(store) == []

    async def test_versions_that_go_are_told(self, store: ObjectStore) -> None:
        bucket = await make_bucket(store, Versioning.ENABLED)
        await store.subscribe("reader")
        version = await put(store, bucket, b"key", b"1")
        await store.delete_object(bucket, b"key")
        await store.delete_object(bucket, b"key", version.version_id)
        await store.purge(bucket, b"key")
        events = await _next(store)
        kinds = ["created", "deleted", "version.deleted", "deleted"]
        assert _said(events) == [(f"object.{kind}", "key") for kind in kinds]
        assert [event.data.get("delete_marker") for event in events] == [None, True, False, False]
        assert events[2].data["version_id"] == version.version_id
        causes = ["put", "delete", "delete", "purge"]
        assert [event.data["cause"] for event in events] == causes

    async def test_events_stay_until_all_have_done_with_them(self, store: ObjectStore) -> None:
        bucket = await make_bucket(store)
        for name in ("reader", "slow"):
            await store.subscribe(name)
        await put(store, bucket, b"a", b"1")
        told = await _next(store)
        assert await store.trim_events() == 0
        await store.subscribe("slow")
        assert list(await store.events("slow")) == told
        await store.acknowledge("slow", told[-1].number)
        await store.acknowledge("slow", 0)
        assert await store.trim_events() == 1
        assert list(await store.events("slow")) == []
        assert list(await store.events("stranger")) == []

    async def test_writers_at_once_are_told_in_the_order_of_each_key(
        self, store: ObjectStore
    ) -> None:
        bucket = await make_bucket(store, Versioning.ENABLED)
        await store.subscribe("reader")
        events: list[Event] = []

        async def write(n: int) -> None:
            await put(store, bucket, b"%d" % (n % 3), b"%d" % n)

        async def read() -> None:
            while len(events) < 60:
                events.extend(await _next(store))

        await asyncio.gather(read(), *(write(n) for n in range(60)))
        assert [event.number for event in events] == list(range(1, 61))
        for key in ("0", "1", "2"):
            mine = [event.sequence for event in events if event.data["key"] == key]
            assert len(mine) == 20
            assert mine == sorted(mine, key=lambda sequence: sequence or 0)

    async def test_completions_and_expirations_are_told(self, store: ObjectStore) -> None:
        bucket = await make_bucket(store)
        rule = LifecycleRule("all", datetime(2020, 1, 1, tzinfo=UTC), expire_days=1)
        await store.set_lifecycle(bucket.name, [rule])
        await store.subscribe("reader")
        upload = await store.create_upload(bucket, b"key", PLAIN)
        parts = [await put_part(store, upload, 1, b"1")]
        await complete(store, bucket, upload, parts)
        await store.sweep_lifecycle(day=timedelta(microseconds=1))
        events = await _next(store)
        assert [(event.kind, event.data["cause"]) for event in events] == [
            ("object.created", "multipart"),
            ("object.deleted", "lifecycle"),
        ]

    async def test_a_quota_that_is_reached_is_told(self, store: ObjectStore) -> None:
        bucket = await make_bucket(store)
        bucket = await store.set_quota(bucket.name, Quota(max_bytes=10))
        await store.subscribe("reader")
        await put(store, bucket, b"key", bytes(9))
        await store.notice_quotas()
        *_, event = await _next(store)
        assert event.kind == "quota.threshold_crossed"
        assert event.data == {
            "bucket": "bucket",
            "threshold_percent": 80,
            "used_bytes": 9,
            "max_bytes": 10,
            "used_objects": 1,
            "max_objects": None,
        }
