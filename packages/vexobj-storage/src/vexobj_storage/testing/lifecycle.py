"""What every store must do by itself as time goes by. The `store` lives on the `clock` fixture."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from vexobj_storage import errors
from vexobj_storage.lifecycle import LifecycleRule, load
from vexobj_storage.locks import UNLOCKED, ObjectLock, Retention, RetentionMode
from vexobj_storage.store import ObjectStore
from vexobj_storage.testing.clocks import ManualClock
from vexobj_storage.testing.helpers import PLAIN, content, make_bucket, put, put_locked, put_part
from vexobj_storage.testing.invariants import invariants
from vexobj_storage.types import Bucket, BucketChange, LifecycleReport, Versioning

_DAY = timedelta(days=1)


def _rule(store: ObjectStore, name: str = "", **said: Any) -> LifecycleRule:
    return LifecycleRule(name, store._clock(), **said)  # noqa: SLF001 - the clock of the test


async def _keys(store: ObjectStore, bucket: Bucket) -> list[bytes]:
    return [each.key for each in (await store.list_objects(bucket)).objects]


async def _history(store: ObjectStore, bucket: Bucket) -> list[tuple[bytes, bool]]:
    """Of every version, newest first: its key, and whether it is a marker."""
    page = await store.list_versions(bucket)
    return [(each.key, each.is_delete_marker) for each in page.versions]


class LifecycleContract:
    async def test_rules_are_kept_with_the_bucket(
        self, store: ObjectStore, clock: ManualClock
    ) -> None:
        await make_bucket(store)
        first = await store.add_lifecycle_rule("bucket", _rule(store, expire_days=1))
        assert first.id
        with pytest.raises(errors.InvalidLifecycleRule, match="same id"):
            await store.add_lifecycle_rule("bucket", replace(first, expire_days=2))
        clock.advance(_DAY)
        new = _rule(store, prefix="é/", noncurrent_days=2, keep_noncurrent=3)
        again = _rule(store, first.id, expire_days=5, tags={"a": "é"})
        kept = await store.set_lifecycle("bucket", [new, again])
        assert load((await store.bucket("bucket")).settings) == kept
        assert [rule.created_at for rule in kept] == [new.created_at, first.created_at]
        await store.update_bucket("bucket", BucketChange(settings={"other": 1}))
        await store.remove_lifecycle_rule(first.id)
        assert load((await store.bucket("bucket")).settings) == [kept[0]]
        with pytest.raises(errors.NoSuchLifecycleRule):
            await store.remove_lifecycle_rule(first.id)
        with pytest.raises(errors.NoSuchBucket):
            await store.add_lifecycle_rule("missing", first)

    async def test_an_id_of_several_buckets_needs_the_bucket(self, store: ObjectStore) -> None:
        for name in ("first", "second"):
            await make_bucket(store, name=name)
            await store.add_lifecycle_rule(name, _rule(store, "same", expire_days=1))
        with pytest.raises(errors.InvalidLifecycleRule, match="several"):
            await store.remove_lifecycle_rule("same")
        await store.remove_lifecycle_rule("same", "second")
        await store.remove_lifecycle_rule("same")

    async def test_current_versions_expire(self, store: ObjectStore, clock: ManualClock) -> None:
        bucket = await make_bucket(store)
        for key in (b"logs/1", b"logs/2", b"logs_2", b"other"):
            await put(store, bucket, key, b"x" * 100)
        await store.add_lifecycle_rule("bucket", _rule(store, prefix="logs/", expire_days=2))
        clock.advance(2 * _DAY)
        assert await store.sweep_lifecycle() == LifecycleReport()
        await put(store, bucket, b"logs/2", b"y")  # its age begins anew
        clock.advance(_DAY)
        assert await store.sweep_lifecycle() == LifecycleReport(expired=1, bytes=100)
        assert await _keys(store, bucket) == [b"logs/2", b"logs_2", b"other"]
        await store.collect_garbage()
        assert await invariants(store) == set()

    async def test_locked_versions_do_not_expire(
        self, store: ObjectStore, clock: ManualClock
    ) -> None:
        for versioning in (Versioning.OFF, Versioning.SUSPENDED):
            bucket = await make_bucket(store, versioning, versioning.name.lower())
            until = Retention(RetentionMode.GOVERNANCE, clock.now() + 3 * _DAY)
            await put_locked(store, bucket, b"key", b"data", ObjectLock(until))
            await store.add_lifecycle_rule(bucket.name, _rule(store, expire_days=1))
        clock.advance(2 * _DAY)
        assert await store.sweep_lifecycle() == LifecycleReport(locked=2)
        clock.advance(2 * _DAY)
        assert (await store.sweep_lifecycle()).expired == 2
        await invariants(store)

    async def test_a_clock_that_jumps_unlocks_nothing(
        self, store: ObjectStore, clock: ManualClock
    ) -> None:
        bucket = await make_bucket(store)
        await store.clock_guard.state()
        until = Retention(RetentionMode.COMPLIANCE, clock.now() + 3 * _DAY)
        await put_locked(store, bucket, b"key", b"data", ObjectLock(until))
        clock.jump(30 * _DAY)
        with pytest.raises(errors.ObjectLocked):
            await put(store, bucket, b"key", b"other")
        with pytest.raises(errors.ObjectLocked):
            await store.delete_object(bucket, b"key")
        with pytest.raises(errors.ObjectLocked):
            await store.purge(bucket, b"key")
        with pytest.raises(errors.RetentionActive):
            await store.update_lock(bucket, b"key", None, lambda _: ObjectLock())
        await store.clock_guard.accept()
        await put(store, bucket, b"key", b"other")
        await invariants(store)

    async def test_tags_and_size_decide(self, store: ObjectStore, clock: ManualClock) -> None:
        bucket = await make_bucket(store)
        for key, size in ((b"big", 30_000), (b"small", 10), (b"tagged", 30_000)):
            await put(store, bucket, key, b"x" * size)
        await store.update_object(bucket, b"tagged", tags={"keep": "no", "a": "b"})
        await store.set_lifecycle(
            "bucket",
            [
                _rule(store, expire_days=1, size_less_than=100),
                _rule(store, expire_days=1, size_greater_than=100, tags={"keep": "no"}),
            ],
        )
        clock.advance(2 * _DAY)
        assert (await store.sweep_lifecycle()).expired == 2
        assert await _keys(store, bucket) == [b"big"]

    async def test_with_versions_a_marker_hides_and_nothing_is_lost(
        self, store: ObjectStore, clock: ManualClock
    ) -> None:
        bucket = await make_bucket(store, Versioning.ENABLED)
        version = await put(store, bucket, b"key", b"data")
        await store.add_lifecycle_rule("bucket", _rule(store, expire_days=1))
        clock.advance(2 * _DAY)
        assert await store.sweep_lifecycle() == LifecycleReport(expired=1)
        assert await _history(store, bucket) == [(b"key", True), (b"key", False)]
        marker = (await store.list_versions(bucket)).versions[0]
        assert (marker.owner_id, marker.modified_at) == ("owner", clock.now())
        assert await content(store, bucket, b"key", version.version_id) == b"data"
        clock.advance(30 * _DAY)
        assert await store.sweep_lifecycle() == LifecycleReport()
        await store.delete_object(bucket, b"key", version.version_id)
        assert await store.sweep_lifecycle() == LifecycleReport(markers_removed=1)
        assert await _history(store, bucket) == []
        assert await invariants(store) == set()

    async def test_suspended_the_null_version_goes(
        self, store: ObjectStore, clock: ManualClock
    ) -> None:
        bucket = await make_bucket(store, Versioning.ENABLED)
        await put(store, bucket, b"key", b"kept")
        bucket = await store.update_bucket("bucket", BucketChange(versioning=Versioning.SUSPENDED))
        await put(store, bucket, b"key", b"null")
        await store.add_lifecycle_rule("bucket", _rule(store, expire_days=1))
        clock.advance(2 * _DAY)
        assert (await store.sweep_lifecycle()).expired == 1
        assert await _history(store, bucket) == [(b"key", True), (b"key", False)]
        await invariants(store)

    async def test_noncurrent_versions_go_by_age_and_number(
        self, store: ObjectStore, clock: ManualClock
    ) -> None:
        bucket = await make_bucket(store, Versioning.ENABLED)
        for number in range(5):
            await put(store, bucket, b"key", b"%d" % number)
            await put(store, bucket, b"other", b"%d" % number)
            clock.advance(_DAY)
        rule = _rule(store, prefix="key", noncurrent_days=2, keep_noncurrent=1)
        await store.add_lifecycle_rule("bucket", rule)
        assert await store.sweep_lifecycle() == LifecycleReport(versions_removed=2, bytes=2)
        page = await store.list_versions(bucket, prefix=b"key")
        contents = [await content(store, bucket, b"key", each.version_id) for each in page.versions]
        assert contents == [b"4", b"3", b"2"]
        clock.advance(30 * _DAY)
        assert (await store.sweep_lifecycle()).versions_removed == 1
        assert len((await store.list_versions(bucket, prefix=b"other")).versions) == 5
        await store.collect_garbage()
        assert await invariants(store) == set()

    async def test_markers_that_hide_nothing_go(
        self, store: ObjectStore, clock: ManualClock
    ) -> None:
        bucket = await make_bucket(store, Versioning.ENABLED)
        for key in (b"alone", b"twice", b"hiding"):
            await store.delete_object(bucket, key)
        await store.delete_object(bucket, b"twice")
        await put(store, bucket, b"hiding", b"x")
        await store.delete_object(bucket, b"hiding")
        await store.add_lifecycle_rule("bucket", _rule(store, expire_delete_markers=True))
        assert await store.sweep_lifecycle() == LifecycleReport(markers_removed=1)
        await store.add_lifecycle_rule("bucket", _rule(store, noncurrent_days=1))
        clock.advance(2 * _DAY)
        swept = await store.sweep_lifecycle()
        assert (swept.versions_removed, swept.markers_removed) == (1, 2)
        assert (await store.sweep_lifecycle()).markers_removed == 2
        assert await _history(store, bucket) == []
        await store.delete_bucket("bucket")
        assert await invariants(store) == set()

    async def test_a_history_longer_than_a_page(
        self, store: ObjectStore, clock: ManualClock
    ) -> None:
        bucket = await make_bucket(store, Versioning.ENABLED)
        for _ in range(1_100):
            await store.delete_object(bucket, b"deep")
        await put(store, bucket, b"deep", b"current")
        await put(store, bucket, b"last", b"x")
        await store.set_lifecycle("bucket", [_rule(store, noncurrent_days=1)])
        clock.advance(2 * _DAY)
        swept = await store.sweep_lifecycle()
        assert (swept.markers_removed, swept.versions_removed) == (1_100, 0)
        assert await _history(store, bucket) == [(b"deep", False), (b"last", False)]
        await invariants(store)

    async def test_uploads_are_aborted(self, store: ObjectStore, clock: ManualClock) -> None:
        bucket = await make_bucket(store)
        upload = await store.create_upload(bucket, b"big/file", PLAIN)
        await put_part(store, upload, 1, b"x" * 20_000)
        await store.create_upload(bucket, b"other", PLAIN)
        rule = _rule(store, prefix="big/", abort_upload_days=3)
        await store.add_lifecycle_rule("bucket", rule)
        clock.advance(3 * _DAY)
        assert (await store.sweep_lifecycle()).uploads_aborted == 0
        clock.advance(_DAY)
        assert await store.sweep_lifecycle() == LifecycleReport(uploads_aborted=1)
        assert [u.key for u in (await store.list_uploads(bucket)).uploads] == [b"other"]
        assert (await store.usage(bucket)).upload_bytes == 0
        await store.collect_garbage()
        assert await invariants(store) == set()

    async def test_uploads_that_rest_are_stale(
        self, store: ObjectStore, clock: ManualClock
    ) -> None:
        bucket = await make_bucket(store)
        active = await store.create_upload(bucket, b"active", PLAIN)
        rests = await store.create_upload(bucket, b"rests", PLAIN)
        await put_part(store, rests, 1, b"x")
        clock.advance(5 * _DAY)
        await put_part(store, active, 1, b"x")
        clock.advance(3 * _DAY)
        assert await store.abort_stale_uploads(7 * _DAY) == 1
        assert [u.key for u in (await store.list_uploads(bucket)).uploads] == [b"active"]
        assert await store.abort_stale_uploads(7 * _DAY) == 0
        await store.collect_garbage()
        await invariants(store)

    async def test_a_clock_that_jumped_expires_nothing(
        self, store: ObjectStore, clock: ManualClock
    ) -> None:
        bucket = await make_bucket(store)
        await put(store, bucket, b"key", b"data")
        await store.create_upload(bucket, b"upload", PLAIN)
        await store.add_lifecycle_rule("bucket", _rule(store, expire_days=1))
        await store.clock_guard.record()
        clock.jump(40 * _DAY)
        assert await store.sweep_lifecycle() == LifecycleReport(held=True)
        assert await store.abort_stale_uploads(_DAY) == 0
        assert await _keys(store, bucket) == [b"key"]
        await store.clock_guard.accept()
        assert (await store.sweep_lifecycle()).expired == 1
        assert await store.abort_stale_uploads(_DAY) == 1

    async def test_locked_noncurrent_versions_stay(
        self, store: ObjectStore, clock: ManualClock
    ) -> None:
        bucket = await make_bucket(store, Versioning.ENABLED)
        retained = ObjectLock(Retention(RetentionMode.GOVERNANCE, clock.now() + 10 * _DAY))
        for lock in (retained, ObjectLock(legal_hold=True), UNLOCKED):
            await put_locked(store, bucket, b"key", b"old", lock)
        await put(store, bucket, b"key", b"current")
        await store.add_lifecycle_rule("bucket", _rule(store, noncurrent_days=1))
        clock.advance(3 * _DAY)
        swept = await store.sweep_lifecycle()
        assert (swept.versions_removed, swept.bytes, swept.locked) == (1, 3, 2)
        clock.advance(10 * _DAY)
        swept = await store.sweep_lifecycle()
        assert (swept.versions_removed, swept.bytes, swept.locked) == (1, 3, 1)
        await invariants(store)

    async def test_a_clock_that_jumped_ends_no_retention(
        self, store: ObjectStore, clock: ManualClock
    ) -> None:
        bucket = await make_bucket(store, Versioning.ENABLED)
        lock = ObjectLock(Retention(RetentionMode.COMPLIANCE, clock.now() + 10 * _DAY))
        version = await put_locked(store, bucket, b"key", b"data", lock)
        await store.clock_guard.record()
        clock.jump(40 * _DAY)
        with pytest.raises(errors.ObjectLocked):
            await store.delete_object(bucket, b"key", version.version_id)
        clock.advance(11 * _DAY)
        assert (await store.delete_object(bucket, b"key", version.version_id)).existed

    async def test_days_may_be_short(self, store: ObjectStore, clock: ManualClock) -> None:
        bucket = await make_bucket(store)
        await put(store, bucket, b"key", b"data")
        await store.add_lifecycle_rule("bucket", _rule(store, expire_days=2))
        second = timedelta(seconds=1)
        clock.advance(second)
        assert (await store.sweep_lifecycle(day=second)).expired == 0
        clock.advance(second)
        assert (await store.sweep_lifecycle(day=second)).expired == 1
