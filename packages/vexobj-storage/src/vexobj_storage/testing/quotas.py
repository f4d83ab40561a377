"""What every store must do with quotas."""

import asyncio
from collections.abc import Awaitable, Sequence

import pytest

from vexobj_storage import errors
from vexobj_storage.store import ObjectStore
from vexobj_storage.testing.helpers import PLAIN, complete, content, make_bucket, put, put_part
from vexobj_storage.testing.invariants import invariants
from vexobj_storage.types import Bucket, BucketChange, ObjectName, Quota, Versioning

_KIB = 1024
_BIG = bytes(20 * _KIB)


async def _limited(
    store: ObjectStore, quota: Quota, versioning: Versioning = Versioning.OFF
) -> Bucket:
    bucket = await make_bucket(store, versioning)
    return await store.set_quota(bucket.name, quota)


async def _all(calls: Sequence[Awaitable[object]]) -> list[BaseException]:
    answers = await asyncio.gather(*calls, return_exceptions=True)
    return [answer for answer in answers if isinstance(answer, BaseException)]


class QuotaContract:
    async def test_bytes_up_to_the_limit(self, store: ObjectStore) -> None:
        bucket = await _limited(store, Quota(max_bytes=30 * _KIB))
        assert await store.bucket("bucket") == bucket
        assert (bucket.quota, bucket.own_quota) == (Quota(max_bytes=30 * _KIB), True)
        await put(store, bucket, b"a", _BIG)
        with pytest.raises(errors.QuotaExceeded) as refused:
            await put(store, bucket, b"b", _BIG)
        told = refused.value
        assert (told.resource, told.needed, told.maximum) == ("bytes", 40 * _KIB, 30 * _KIB)
        await put(store, bucket, b"b", bytes(10 * _KIB))
        assert (await store.usage(bucket)).all_bytes == 30 * _KIB
        assert await invariants(store) == set()

    async def test_what_is_replaced_is_not_counted(self, store: ObjectStore) -> None:
        bucket = await _limited(store, Quota(max_bytes=20 * _KIB, max_objects=1))
        for byte in (b"1", b"2"):
            await put(store, bucket, b"key", byte * 20 * _KIB)
        with pytest.raises(errors.QuotaExceeded):
            await put(store, bucket, b"key", bytes(20 * _KIB + 1))
        assert await content(store, bucket, b"key") == b"2" * 20 * _KIB
        await invariants(store)

    async def test_objects_are_counted_with_their_versions(self, store: ObjectStore) -> None:
        bucket = await _limited(store, Quota(max_objects=2), Versioning.ENABLED)
        first = await put(store, bucket, b"key", b"1")
        await put(store, bucket, b"key", b"2")
        source = await store.get_object(bucket, b"key")
        for call in (
            put(store, bucket, b"key", b"3"),
            store.copy_object(source, bucket, b"copy", PLAIN),
        ):
            with pytest.raises(errors.QuotaExceeded):
                await call
        marker = await store.delete_object(bucket, b"key")
        assert marker.is_delete_marker
        await store.delete_object(bucket, b"key", first.version_id)
        await store.copy_object(source, bucket, b"copy", PLAIN)
        await invariants(store)

    async def test_unfinished_parts_are_counted(self, store: ObjectStore) -> None:
        bucket = await _limited(store, Quota(max_bytes=50 * _KIB))
        upload = await store.create_upload(bucket, b"key", PLAIN)
        parts = [await put_part(store, upload, n, _BIG) for n in (1, 2)]
        for call in (put_part(store, upload, 3, _BIG), put(store, bucket, b"other", _BIG)):
            with pytest.raises(errors.QuotaExceeded):
                await call
        await put_part(store, upload, 2, _BIG)
        await complete(store, bucket, upload, parts)
        assert (await store.usage(bucket)).all_bytes == 40 * _KIB
        source = await store.get_object(bucket, b"key")
        upload = await store.create_upload(bucket, b"copy", PLAIN)
        with pytest.raises(errors.QuotaExceeded):
            await store.copy_part(upload, 1, source, 0, 11 * _KIB)
        await store.copy_part(upload, 1, source, 0, 10 * _KIB)
        await store.abort_upload(bucket, b"copy", upload.upload_id)
        await put(store, bucket, b"other", bytes(10 * _KIB))
        await invariants(store)

    async def test_a_bucket_above_its_quota_may_shrink(self, store: ObjectStore) -> None:
        bucket = await make_bucket(store)
        for key in (b"a", b"b"):
            await put(store, bucket, key, _BIG)
        bucket = await store.set_quota("bucket", Quota(max_bytes=_KIB, max_objects=1))
        with pytest.raises(errors.QuotaExceeded):
            await put(store, bucket, b"c", b"1")
        await put(store, bucket, b"a", bytes(19 * _KIB))
        await store.delete_objects(bucket, [ObjectName(b"a"), ObjectName(b"b")])
        await put(store, bucket, b"c", b"1")
        bucket = await store.set_quota("bucket", Quota())
        assert (bucket.quota, bucket.own_quota) == (None, True)
        await put(store, bucket, b"d", _BIG)
        await invariants(store)

    async def test_the_default_holds_where_no_other_is_set(self, store: ObjectStore) -> None:
        for name in ("old", "own"):
            await make_bucket(store, name=name)
        await store.set_quota("own", Quota(max_objects=5))
        assert await store.set_default_quota(Quota(max_objects=1))
        assert not await store.set_default_quota(Quota(max_objects=1))
        await make_bucket(store, name="new")
        quotas = {b.name: b.quota for b in (await store.list_buckets()).items}
        default = Quota(max_objects=1)
        assert quotas == {"old": default, "own": Quota(max_objects=5), "new": default}
        assert await store.set_quota("own", None) == await store.bucket("own")
        assert (await store.bucket("own")).quota == default
        await store.update_bucket("own", BucketChange(public=True))
        assert (await store.bucket("own")).quota == default
        assert await store.set_default_quota(None)
        assert (await store.bucket("old")).quota is None
        with pytest.raises(errors.NoSuchBucket):
            await store.set_quota("none", None)

    async def test_what_cannot_be_written_is_refused_beforehand(self, store: ObjectStore) -> None:
        bucket = await _limited(store, Quota(max_bytes=30 * _KIB, max_objects=1))
        await store.admit(bucket, b"key", 30 * _KIB)
        with pytest.raises(errors.QuotaExceeded):
            await store.admit(bucket, b"key", 30 * _KIB + 1)
        await put(store, bucket, b"key", _BIG)
        await store.admit(bucket, b"key", 30 * _KIB)
        with pytest.raises(errors.QuotaExceeded):
            await store.admit(bucket, b"other", 1)
        upload = await store.create_upload(bucket, b"other", PLAIN)
        await put_part(store, upload, 1, bytes(10 * _KIB))
        await store.admit_part(bucket, upload, 1, 10 * _KIB)
        with pytest.raises(errors.QuotaExceeded):
            await store.admit_part(bucket, upload, 2, 1)

    async def test_a_threshold_is_told_once(self, store: ObjectStore) -> None:
        bucket = await _limited(store, Quota(max_bytes=100, max_objects=10))
        await make_bucket(store, name="without")
        assert await store.notice_quotas() == []
        await put(store, bucket, b"a", bytes(80))
        (reached,) = await store.notice_quotas()
        assert (reached.bucket, reached.percent, reached.usage.bytes) == ("bucket", 80, 80)
        assert await store.notice_quotas() == []
        await put(store, bucket, b"b", bytes(20))
        assert [each.percent for each in await store.notice_quotas()] == [95]
        await store.delete_object(bucket, b"a")
        assert await store.notice_quotas() == []
        for n in range(8):
            await put(store, bucket, b"%d" % n, b"")
        told = await asyncio.gather(*(store.notice_quotas() for _ in range(4)))
        assert [[each.percent for each in some] for some in told if some] == [[80]]

    async def test_many_writers_at_the_limit(self, store: ObjectStore) -> None:
        bucket = await _limited(store, Quota(max_bytes=100, max_objects=15))
        lost = await _all([put(store, bucket, b"%d" % n, bytes(10)) for n in range(40)])
        assert [type(error) for error in lost] == [errors.QuotaExceeded] * 30
        used = await store.usage(bucket)
        assert (used.objects, used.all_bytes) == (10, 100)
        await invariants(store)

    async def test_two_writers_at_the_limit(self, store: ObjectStore) -> None:
        bucket = await _limited(store, Quota(max_objects=3, max_bytes=30))
        for key in (b"a", b"b"):
            await put(store, bucket, key, bytes(10))
        for n in range(25):
            upload = await store.create_upload(bucket, b"parts", PLAIN)
            rivals = [
                put(store, bucket, b"c", bytes(10)),
                put(store, bucket, b"d", bytes(10)),
                put_part(store, upload, 1, bytes(10)),
            ]
            lost = await _all(rivals[n % 3 :] + rivals[: n % 3])
            assert [type(error) for error in lost] == [errors.QuotaExceeded] * 2
            assert (await store.usage(bucket)).all_bytes == 30
            await store.abort_upload(bucket, b"parts", upload.upload_id)
            await store.delete_objects(bucket, [ObjectName(b"c"), ObjectName(b"d")])
        await invariants(store)

    async def test_a_quota_that_is_set_between_writes(self, store: ObjectStore) -> None:
        for n in range(6):
            bucket = await make_bucket(store, name=f"bucket-{n}")
            upload = await store.create_upload(bucket, b"parts", PLAIN)

            async def write(bucket: Bucket = bucket) -> None:
                for i in range(3):
                    await store.fold_usage()
                    await _all([put(store, bucket, b"%d-%d" % (i, k), b"1") for k in range(10)])

            calls: list[Awaitable[object]] = [
                write(),
                store.set_quota(bucket.name, Quota(max_bytes=12)),
                *(put_part(store, upload, i, b"1") for i in range(1, 11)),
                write(),
            ]
            lost = await _all(calls)
            assert {type(error) for error in lost} <= {errors.QuotaExceeded}
            before = (await store.usage(bucket)).all_bytes
            grown = await _all([put(store, bucket, b"late-%d" % k, b"1") for k in range(15)])
            assert (await store.usage(bucket)).all_bytes == max(before, 12)
            assert len(grown) == 15 - max(0, 12 - before)
            await invariants(store)
