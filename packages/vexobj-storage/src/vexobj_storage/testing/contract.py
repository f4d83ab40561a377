"""What every store must do with buckets, objects and accounts."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from vexobj_storage import errors
from vexobj_storage.store import ObjectStore
from vexobj_storage.testing.helpers import (
    PLAIN,
    chunks,
    complete,
    content,
    make_bucket,
    put,
    put_part,
)
from vexobj_storage.testing.invariants import invariants
from vexobj_storage.types import (
    AccessKeyRecord,
    BucketChange,
    BucketUsage,
    Checksum,
    Identity,
    ObjectAttributes,
    ObjectName,
    Versioning,
    WriteCondition,
)

_BIG = bytes(range(256)) * 8192


class BucketContract:
    async def test_a_bucket_is_found_as_it_was_made(self, store: ObjectStore) -> None:
        made = await store.create_bucket("photos", "owner", public=True, acl="{}")
        assert await store.bucket("photos") == made
        assert (made.owner_id, made.public, made.acl) == ("owner", True, "{}")
        with pytest.raises(errors.BucketAlreadyExists) as taken:
            await store.create_bucket("photos", "other")
        assert taken.value.owner_id == "owner"
        with pytest.raises(errors.InvalidBucketName):
            await store.create_bucket("Photos", "owner")

    async def test_what_is_changed_is_seen_at_once(self, store: ObjectStore) -> None:
        await make_bucket(store)
        changed = await store.update_bucket(
            "bucket", BucketChange(public=True, settings={"cors": [1, "é"]})
        )
        assert await store.bucket("bucket") == changed
        assert changed.settings == {"cors": [1, "é"]}
        await store.update_bucket("bucket", BucketChange(versioning=Versioning.ENABLED))
        with pytest.raises(ValueError, match="suspended"):
            await store.update_bucket("bucket", BucketChange(versioning=Versioning.OFF))
        await store.delete_bucket("bucket")
        for call in (store.bucket, store.delete_bucket):
            with pytest.raises(errors.NoSuchBucket):
                await call("bucket")
        with pytest.raises(errors.NoSuchBucket):
            await store.update_bucket("bucket", BucketChange(public=True))

    async def test_a_host_leads_to_one_bucket(self, store: ObjectStore) -> None:
        def claim(*hosts: str) -> BucketChange:
            return BucketChange(settings={"host_aliases": list(hosts)})

        for name in ("first", "second"):
            await make_bucket(store, name=name)
        await store.update_bucket("first", claim("a.example.com", "b.example.com"))
        with pytest.raises(errors.HostAliasTaken) as taken:
            await store.update_bucket("second", claim("b.example.com", "c.example.com"))
        assert taken.value.host == "b.example.com"
        assert (await store.bucket("second")).settings == {}
        await store.update_bucket("first", claim("a.example.com"))
        await store.update_bucket("second", claim("b.example.com"))
        assert await store.host_aliases() == {"a.example.com": "first", "b.example.com": "second"}
        await store.delete_bucket("first")
        assert await store.host_aliases() == {"b.example.com": "second"}

    async def test_buckets_are_listed_by_name(self, store: ObjectStore) -> None:
        names = ["a-1", "a.1", "a1b", "ab1", "b-1"]
        for name in names:
            await store.create_bucket(name, "odd" if name.endswith("1b") else "even")
        page = await store.list_buckets(limit=2)
        assert [b.name for b in page.items] == names[:2]
        assert page.after == names[1]
        page = await store.list_buckets(after=names[1])
        assert [b.name for b in page.items] == names[2:]
        assert page.after is None
        assert [b.name for b in (await store.list_buckets(owner_id="odd")).items] == ["a1b"]
        assert [b.name for b in (await store.list_buckets(prefix="a.")).items] == ["a.1"]

    async def test_a_bucket_that_holds_something_stays(self, store: ObjectStore) -> None:
        bucket = await make_bucket(store, Versioning.ENABLED)
        deleted = await store.delete_object(bucket, b"key")
        with pytest.raises(errors.BucketNotEmpty):
            await store.delete_bucket("bucket")
        await store.delete_object(bucket, b"key", deleted.version_id)
        await store.create_upload(bucket, b"key", PLAIN)
        await store.delete_bucket("bucket")
        again = await make_bucket(store)
        assert again.id != bucket.id
        with pytest.raises(errors.NoSuchBucket):
            await put(store, bucket, b"key", b"data")
        await store.collect_garbage()
        await invariants(store)


class ObjectContract:
    @pytest.mark.parametrize("data", [b"", b"small", _BIG], ids=["empty", "inline", "stored"])
    async def test_bytes_come_back(self, store: ObjectStore, data: bytes) -> None:
        bucket = await make_bucket(store)
        version = await put(store, bucket, b"a//b/../\xc3\xa9 +", data)
        assert version.etag == hashlib.md5(data, usedforsecurity=False).hexdigest()
        assert version.sha256 == hashlib.sha256(data).digest()
        stored = await store.get_object(bucket, version.key)
        assert stored.version == version
        assert version.version_id == "null"
        for start, length in ((0, len(data)), (1, 3), (len(data) // 2, 300_000)):
            expected = data[start : start + length]
            read = store.read(stored, start, len(expected))
            assert b"".join([chunk async for chunk in read]) == expected
            assert store.read_now(stored, start, len(expected)) in (expected, None)
        await invariants(store)

    async def test_what_is_said_about_an_object_is_kept(self, store: ObjectStore) -> None:
        bucket = await make_bucket(store)
        attributes = ObjectAttributes(
            "image/png",
            {"cache-control": "max-age=1"},
            {"author": "é"},
            "owner",
            '{"acl": 1}',
            {"tag": "value"},
            Checksum("CRC32", "AAAAAA=="),
        )
        await store.put_object(bucket, b"key", store.stage_bytes(b"data"), attributes)
        assert (await store.get_object(bucket, b"key")).version.attributes == attributes
        changed = await store.update_object(bucket, b"key", acl="{}")
        assert changed.attributes == replace(attributes, acl="{}")
        changed = await store.update_object(bucket, b"key", "null", tags={})
        assert changed.attributes == replace(attributes, acl="{}", tags={})
        with pytest.raises(errors.NoSuchKey):
            await store.update_object(bucket, b"other", acl="{}")

    @pytest.mark.parametrize("key", [b"", b"a\0b", b"\xff", b"k" * 1025])
    async def test_keys_that_cannot_be(self, store: ObjectStore, key: bytes) -> None:
        bucket = await make_bucket(store)
        with pytest.raises(errors.InvalidKey):
            await put(store, bucket, key, _BIG)
        assert await invariants(store) == set()

    async def test_conditions_are_decided_in_the_transaction(self, store: ObjectStore) -> None:
        bucket = await make_bucket(store)
        absent = WriteCondition(if_none_match_any=True)
        with pytest.raises(errors.NoSuchKey):
            await put(store, bucket, b"key", _BIG, WriteCondition(if_match="*"))
        first = await put(store, bucket, b"key", _BIG, absent)
        for condition in (absent, WriteCondition(if_match="0" * 32)):
            with pytest.raises(errors.PreconditionFailed):
                await put(store, bucket, b"key", b"other" * 9999, condition)
        second = await put(store, bucket, b"key", b"new", WriteCondition(if_match=first.etag))
        assert second.created_at == first.created_at
        assert second.sequence > first.sequence
        await put(store, bucket, b"key", b"newer", WriteCondition(if_match="*"))
        assert await invariants(store) == set()

    async def test_deleting_is_idempotent(self, store: ObjectStore) -> None:
        bucket = await make_bucket(store)
        await put(store, bucket, b"key", b"data")
        deleted = await store.delete_object(bucket, b"key")
        assert (deleted.existed, deleted.version_id, deleted.is_delete_marker) == (
            True,
            None,
            False,
        )
        assert not (await store.delete_object(bucket, b"key")).existed
        with pytest.raises(errors.NoSuchKey):
            await store.get_object(bucket, b"key")
        for name in ("null", "nonsense", "00000000-0000-0000-0000-000000000000"):
            with pytest.raises(errors.NoSuchVersion):
                await store.get_object(bucket, b"key", name)

    async def test_a_batch_is_answered_in_its_order(self, store: ObjectStore) -> None:
        bucket = await make_bucket(store)
        for key in (b"a", b"b", b"c"):
            await put(store, bucket, key, key)
        names = [ObjectName(b"c"), ObjectName(b"x"), ObjectName(b"a"), ObjectName(b"c")]
        deleted = await store.delete_objects(bucket, names)
        assert [d.key for d in deleted] == [b"c", b"x", b"a", b"c"]
        assert [d.existed for d in deleted] == [True, False, True, False]
        assert (await store.usage(bucket)).objects == 1
        await invariants(store)

    async def test_equal_content_is_kept_once(self, store: ObjectStore) -> None:
        bucket = await make_bucket(store)
        first = await put(store, bucket, b"a", _BIG)
        second = await put(store, bucket, b"b", _BIG)
        copied = await store.copy_object(await store.get_object(bucket, b"a"), bucket, b"c", PLAIN)
        assert first.blob_id == second.blob_id == copied.blob_id
        assert await invariants(store) == set()
        for key in (b"a", b"b"):
            await store.delete_object(bucket, key)
        assert (await store.collect_garbage()).removed == 0
        assert await content(store, bucket, b"c") == _BIG
        await store.delete_object(bucket, b"c")
        taken = sum([stat.size async for stat in store._blobs.iterate()])  # noqa: SLF001 - on its medium
        report = await store.collect_garbage()
        assert (report.removed, report.bytes_freed, report.waiting) == (1, taken, 0)
        assert await invariants(store) == set()
        assert await store.usage(bucket) == BucketUsage(bucket.id, 0, 0)

    async def test_a_condemned_blob_is_not_revived(self, store: ObjectStore) -> None:
        store.config = replace(store.config, gc_grace=timedelta(minutes=10))
        bucket = await make_bucket(store)
        first = await put(store, bucket, b"key", _BIG)
        source = await store.get_object(bucket, b"key")
        await store.delete_object(bucket, b"key")
        report = await store.collect_garbage()
        assert (report.condemned, report.removed, report.waiting) == (1, 0, 1)
        assert report.due_at is not None
        assert b"".join([chunk async for chunk in store.read(source)]) == _BIG
        with pytest.raises(errors.NoSuchVersion):
            await store.copy_object(source, bucket, b"copy", PLAIN)
        second = await put(store, bucket, b"key", _BIG)
        assert second.blob_id != first.blob_id
        assert await content(store, bucket, b"key") == _BIG
        await invariants(store)

    async def test_orphans_are_swept(self, store: ObjectStore) -> None:
        bucket = await make_bucket(store)
        await put(store, bucket, b"key", _BIG)
        staged = await store.stage(chunks(_BIG))
        assert await invariants(store) == {staged.blob_id}
        assert await store.sweep_orphans() == 0
        assert await store.sweep_orphans(timedelta(seconds=-10)) == 1
        assert await store.sweep_orphans(timedelta(seconds=-10)) == 0
        assert (await store.collect_garbage()).removed == 1
        assert [s.blob_id async for s in store._blobs.iterate()] != [staged.blob_id]  # noqa: SLF001
        assert await invariants(store) == set()
        assert await content(store, bucket, b"key") == _BIG

    async def test_what_was_taken_for_an_orphan_is_not_acknowledged(
        self, store: ObjectStore
    ) -> None:
        """A stream may be staged for so long that a sweep, or a wrong clock, takes it for one."""
        store.config = replace(store.config, gc_grace=timedelta(minutes=10))
        bucket = await make_bucket(store)
        staged = await store.stage(chunks(_BIG))
        part = await store.stage(chunks(_BIG))
        upload = await store.create_upload(bucket, b"upload", PLAIN)
        assert await store.sweep_orphans(timedelta(seconds=-10)) == 2
        with pytest.raises(errors.StoreBusy):
            await store.put_object(bucket, b"key", staged, PLAIN)
        with pytest.raises(errors.StoreBusy):
            await store.put_part(upload, 1, part)
        with pytest.raises(errors.NoSuchKey):
            await store.get_object(bucket, b"key")
        await put(store, bucket, b"key", _BIG)
        store.config = replace(store.config, gc_grace=timedelta(0))
        await store.collect_garbage()
        assert await content(store, bucket, b"key") == _BIG
        assert await invariants(store) == set()

    async def test_usage_is_exact_and_folds(self, store: ObjectStore) -> None:
        bucket = await make_bucket(store)
        for number in range(5):
            await put(store, bucket, b"key%d" % (number % 3), b"x" * number)
        expected = BucketUsage(bucket.id, 3, 2 + 3 + 4)
        assert await store.usage(bucket) == expected
        assert await store.fold_usage() == 5
        assert await store.fold_usage() == 0
        assert await store.all_usage() == [expected]
        await invariants(store)

    async def test_the_room_that_is_taken(self, store: ObjectStore) -> None:
        store.config = replace(store.config, gc_grace=timedelta(minutes=10))
        bucket = await make_bucket(store)
        for key, data in ((b"big", _BIG), (b"same", _BIG), (b"small", b"small")):
            await put(store, bucket, key, data)
        used = await store.stored_bytes()
        assert (used.live_blobs, used.waiting_blobs, used.unused_bytes) == (2, 0, 0)
        assert len(_BIG) <= used.live_bytes < 2 * len(_BIG)
        assert len(b"small") <= used.inline_bytes
        await store.delete_object(bucket, b"big")
        assert await store.stored_bytes() == used
        await store.delete_object(bucket, b"same")
        dropped = await store.stored_bytes()
        await store.collect_garbage()
        condemned = await store.stored_bytes()
        for found in (dropped, condemned):
            assert (found.live_blobs, found.live_bytes) == (1, 0)
            assert found.inline_bytes == used.inline_bytes
            assert (found.waiting_blobs, found.waiting_bytes) == (1, used.live_bytes)
            assert found.first_due_at is not None
            assert found.first_due_at == found.last_due_at
        assert (await store.collect_garbage()).due_at == condemned.last_due_at

    async def test_the_room_of_an_object_of_parts(self, store: ObjectStore) -> None:
        store.config = replace(store.config, gc_grace=timedelta(minutes=10))
        bucket = await make_bucket(store)
        upload = await store.create_upload(bucket, b"key", PLAIN)
        await complete(store, bucket, upload, [await put_part(store, upload, 1, _BIG)])
        await store.delete_object(bucket, b"key")
        for _ in range(2):
            found = await store.stored_bytes()
            assert (found.live_blobs, found.unused_bytes) == (1, len(_BIG))
            assert found.last_due_at is not None
            await store.collect_garbage()


class AccountContract:
    async def test_identities_and_keys(self, store: ObjectStore) -> None:
        now = datetime(2026, 1, 2, 3, 4, 5, 678901, UTC)
        identity = Identity("1" * 64, "Zoé", None, now)
        await store.add_identity(identity)
        await store.add_identity(replace(identity, display_name="other"))
        assert await store.identity(identity.id) == identity
        assert await store.identities() == [identity]
        key = AccessKeyRecord(
            "VEX1", identity.id, "cli", b"sealed", b"lookup", 7, ("a", "b"), now, expires_at=now
        )
        await store.add_access_key(key)
        assert await store.access_key("VEX1") == key
        assert await store.access_key_by_lookup(b"lookup") == key
        for taken in (replace(key, secret_lookup=b"2"), replace(key, access_key_id="VEX2")):
            with pytest.raises(errors.AccessKeyAlreadyExists):
                await store.add_access_key(taken)
        with pytest.raises(errors.NoSuchIdentity):
            await store.add_access_key(replace(key, identity_id="2" * 64))
        await store.touch_access_key("VEX1", now)
        await store.touch_access_key("VEX1", now - timedelta(days=1))
        assert await store.access_keys(identity.id) == [replace(key, last_used_at=now)]
        assert await store.access_keys("other") == []

    async def test_a_change_moves_the_epoch(self, store: ObjectStore) -> None:
        now = datetime(2026, 1, 1, tzinfo=UTC)
        seen = {await store.epoch()}
        await store.add_identity(Identity("1" * 64, "name", None, now))
        seen.add(await store.epoch())
        key = AccessKeyRecord("VEX1", "1" * 64, "", b"", b"lookup", 1, None, now)
        await store.add_access_key(key)
        seen.add(await store.epoch())
        await store.remove_access_key("VEX1")
        seen.add(await store.epoch())
        assert len(seen) == 4
        with pytest.raises(errors.NoSuchAccessKey):
            await store.access_key("VEX1")
        with pytest.raises(errors.NoSuchAccessKey):
            await store.access_key_by_lookup(b"lookup")
        with pytest.raises(errors.NoSuchAccessKey):
            await store.remove_access_key("VEX1")
        with pytest.raises(errors.NoSuchIdentity):
            await store.identity("2" * 64)
