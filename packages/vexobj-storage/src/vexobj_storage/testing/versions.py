"""What every store must do with versions: enabled, suspended, marked, undeleted, promoted."""

import pytest

from vexobj_storage import errors
from vexobj_storage.store import ObjectStore
from vexobj_storage.testing.helpers import PLAIN, content, make_bucket, put
from vexobj_storage.testing.invariants import invariants
from vexobj_storage.types import Bucket, BucketChange, ObjectVersion, PurgeReport, Versioning


async def _history(store: ObjectStore, bucket: Bucket) -> list[tuple[str, bool, bool]]:
    page = await store.list_versions(bucket)
    return [(v.version_id, v.is_latest, v.is_delete_marker) for v in page.versions]


async def _suspend(store: ObjectStore) -> Bucket:
    await store.update_bucket("bucket", BucketChange(versioning=Versioning.SUSPENDED))
    return await store.bucket("bucket")


class VersionContract:
    async def test_every_version_can_be_had(self, store: ObjectStore) -> None:
        bucket = await make_bucket(store)
        before = await put(store, bucket, b"key", b"zero")
        await store.update_bucket("bucket", BucketChange(versioning=Versioning.ENABLED))
        bucket = await store.bucket("bucket")
        first = await put(store, bucket, b"key", b"first")
        second = await put(store, bucket, b"key", b"second")
        assert before.version_id == "null"
        assert await _history(store, bucket) == [
            (second.version_id, True, False),
            (first.version_id, False, False),
            ("null", False, False),
        ]
        for version_id, data in (
            ("null", b"zero"),
            (first.version_id, b"first"),
            (second.version_id, b"second"),
            (None, b"second"),
        ):
            assert await content(store, bucket, b"key", version_id) == data
        usage = await store.usage(bucket)
        assert (usage.objects, usage.bytes) == (1, 6)
        assert (usage.noncurrent_objects, usage.noncurrent_bytes) == (2, 9)
        await invariants(store)

    async def test_a_marker_hides_and_its_removal_undeletes(self, store: ObjectStore) -> None:
        bucket = await make_bucket(store, Versioning.ENABLED)
        version = await put(store, bucket, b"key", b"data")
        marker = await store.delete_object(bucket, b"key", owner_id="owner")
        assert marker.is_delete_marker
        assert marker.version_id is not None
        with pytest.raises(errors.NoSuchKey) as missing:
            await store.get_object(bucket, b"key")
        assert missing.value.marker_version_id == marker.version_id
        found = (await store.get_object(bucket, b"key", marker.version_id)).version
        assert (found.is_delete_marker, found.is_latest) == (True, True)
        assert found.attributes.owner_id == "owner"
        with pytest.raises(errors.NoSuchVersion):
            await store.update_object(bucket, b"key", marker.version_id, acl="{}")
        assert not (await store.list_objects(bucket)).objects
        removed = await store.delete_object(bucket, b"key", marker.version_id)
        assert (removed.existed, removed.is_delete_marker) == (True, True)
        assert (await store.get_object(bucket, b"key")).version.uid == version.uid
        await invariants(store)

    async def test_removing_the_current_promotes_the_newest(self, store: ObjectStore) -> None:
        bucket = await make_bucket(store, Versioning.ENABLED)
        versions = [await put(store, bucket, b"key", b"data%d" % n) for n in range(3)]
        await store.delete_object(bucket, b"key", versions[2].version_id)
        assert await content(store, bucket, b"key") == b"data1"
        await store.delete_object(bucket, b"key", versions[0].version_id)
        assert await content(store, bucket, b"key") == b"data1"
        marker = await store.delete_object(bucket, b"key")
        await store.delete_object(bucket, b"key", versions[1].version_id)
        assert await _history(store, bucket) == [(marker.version_id, True, True)]
        await store.delete_object(bucket, b"key", marker.version_id)
        assert await _history(store, bucket) == []
        assert not (await store.delete_object(bucket, b"key", marker.version_id)).existed
        await store.delete_bucket("bucket")
        await store.collect_garbage()
        assert await invariants(store) == set()

    async def test_suspended_there_is_one_null_version(self, store: ObjectStore) -> None:
        bucket = await make_bucket(store, Versioning.ENABLED)
        kept = await put(store, bucket, b"key", b"kept")
        bucket = await _suspend(store)
        for data in (b"null1", b"null2"):
            assert (await put(store, bucket, b"key", data)).version_id == "null"
        assert await _history(store, bucket) == [
            ("null", True, False),
            (kept.version_id, False, False),
        ]
        marker = await store.delete_object(bucket, b"key")
        assert (marker.version_id, marker.is_delete_marker) == ("null", True)
        assert await _history(store, bucket) == [
            ("null", True, True),
            (kept.version_id, False, False),
        ]
        await store.delete_object(bucket, b"key")
        await put(store, bucket, b"key", b"null3")
        assert await content(store, bucket, b"key", "null") == b"null3"
        await store.delete_object(bucket, b"key", "null")
        assert await content(store, bucket, b"key") == b"kept"
        await invariants(store)

    async def test_a_null_version_below_is_replaced(self, store: ObjectStore) -> None:
        bucket = await make_bucket(store)
        await put(store, bucket, b"key", b"null")
        await store.update_bucket("bucket", BucketChange(versioning=Versioning.ENABLED))
        current = await put(store, bucket, b"key", b"current")
        bucket = await _suspend(store)
        marker = await store.delete_object(bucket, b"key")
        assert await _history(store, bucket) == [
            (marker.version_id, True, True),
            (current.version_id, False, False),
        ]
        await invariants(store)

    @pytest.mark.parametrize("versioning", list(Versioning))
    async def test_a_purge_leaves_nothing(self, store: ObjectStore, versioning: Versioning) -> None:
        bucket = await make_bucket(store)
        kept = await put(store, bucket, b"key2", b"kept")
        await put(store, bucket, b"key", b"null")
        total = 4
        if versioning is not Versioning.OFF:
            await store.update_bucket("bucket", BucketChange(versioning=Versioning.ENABLED))
            for number in range(1100):
                await put(store, bucket, b"key", b"%04d" % number)
            await store.delete_object(bucket, b"key")
            await put(store, bucket, b"key", b"last")
            total = 1102 * 4
        if versioning is Versioning.SUSPENDED:
            bucket = await _suspend(store)
        purged = await store.purge(bucket, b"key")
        markers = 0 if versioning is Versioning.OFF else 1
        assert purged == PurgeReport(total // 4 + markers, total // 4, total)
        assert await store.purge(bucket, b"key") == PurgeReport()
        assert [v.key for v in (await store.list_versions(bucket)).versions] == [kept.key]
        usage = await store.usage(bucket)
        assert (usage.objects, usage.bytes, usage.noncurrent_objects) == (1, 4, 0)
        await store.collect_garbage()
        assert await invariants(store) == set()

    async def test_versions_of_one_key_in_pages(self, store: ObjectStore) -> None:
        bucket = await make_bucket(store, Versioning.ENABLED)
        for key in (b"key", b"key/below", b"key0"):
            for number in range(3):
                await put(store, bucket, key, b"%d" % number)
        await store.delete_object(bucket, b"key")
        whole = (await store.key_versions(bucket, b"key")).items
        assert [v.key for v in whole] == [b"key"] * 4
        assert [v.is_latest for v in whole] == [True, False, False, False]
        assert [v.is_delete_marker for v in whole] == [True, False, False, False]
        paged: list[ObjectVersion] = []
        after: str | None = None
        while True:
            page = await store.key_versions(bucket, b"key", after=after, limit=1)
            paged += page.items
            if page.after is None:
                break
            after = str(page.after)
        assert paged == whole
        assert (await store.key_versions(bucket, b"ke")).items == []

    async def test_an_old_version_can_be_copied_and_changed(self, store: ObjectStore) -> None:
        bucket = await make_bucket(store, Versioning.ENABLED)
        old = await put(store, bucket, b"key", b"old")
        await put(store, bucket, b"key", b"new")
        changed = await store.update_object(bucket, b"key", old.version_id, tags={"a": "b"})
        assert changed.uid == old.uid
        assert changed.attributes.tags == {"a": "b"}
        source = await store.get_object(bucket, b"key", old.version_id)
        assert not source.version.is_latest
        restored = await store.copy_object(source, bucket, b"key", PLAIN)
        assert restored.etag == old.etag
        assert await content(store, bucket, b"key") == b"old"
        await invariants(store)
