"""What every store must do with multipart uploads."""

import asyncio
import hashlib
from datetime import timedelta

import pytest

from vexobj_storage import errors
from vexobj_storage.store import ObjectStore
from vexobj_storage.testing.helpers import (
    PLAIN,
    complete,
    content,
    make_bucket,
    put,
    put_part,
)
from vexobj_storage.testing.invariants import invariants
from vexobj_storage.types import Checksum, CompletedPart, Versioning, WriteCondition

_A, _B, _C = b"a" * 300_000, b"b" * 200_000, b"c"


class MultipartContract:
    async def test_parts_become_an_object(self, store: ObjectStore) -> None:
        bucket = await make_bucket(store)
        upload = await store.create_upload(bucket, b"key", PLAIN, checksum_algorithm="CRC32")
        assert await store.upload(bucket, b"key", upload.upload_id) == upload
        last = await put_part(store, upload, 7, _C)
        parts = [await put_part(store, upload, 2, _A), await put_part(store, upload, 5, _B), last]
        await put_part(store, upload, 6, b"never named")
        version = await complete(store, bucket, upload, parts)
        digests = b"".join(hashlib.md5(d, usedforsecurity=False).digest() for d in (_A, _B, _C))
        etag = hashlib.md5(digests, usedforsecurity=False).hexdigest()
        assert (version.etag, version.parts_count) == (f"{etag}-3", 3)
        stored = await store.get_object(bucket, b"key")
        assert stored.version == version
        assert await content(store, bucket, b"key") == _A + _B + _C
        assert await content(store, bucket, b"key", None, 299_999, 200_002) == b"a" + _B + _C
        assert store.read_now(stored, 300_000, 10) in (_B[:10], None)
        assert await store.parts(stored) == parts
        assert await store.part_range(stored, 5) == (300_000, 200_000)
        assert await store.part_range(stored, 6) is None
        await invariants(store)
        await store.collect_garbage()
        assert await store.parts(stored) == parts
        assert (await store.usage(bucket)).upload_bytes == 0
        assert await invariants(store) == set()

    async def test_parts_of_another_size_than_announced_stay_parts(
        self, store: ObjectStore
    ) -> None:
        bucket = await make_bucket(store)
        upload = await store.create_upload(bucket, b"key", PLAIN)
        part = await put_part(store, upload, 1, _A)
        named = [CompletedPart(part.number, part.etag)]
        with pytest.raises(errors.SizeMismatch) as mismatch:
            await store.complete_upload(bucket, b"key", upload.upload_id, named, size=1)
        assert (mismatch.value.expected, mismatch.value.received) == (1, len(_A))
        assert (await store.list_parts(upload)).parts == [part]
        done = await store.complete_upload(bucket, b"key", upload.upload_id, named, size=len(_A))
        assert done.size == len(_A)

    async def test_a_part_sent_again_replaces_the_first(self, store: ObjectStore) -> None:
        bucket = await make_bucket(store)
        upload = await store.create_upload(bucket, b"key", PLAIN)
        for data in (_A, _B, _B):
            await put_part(store, upload, 1, data)
        part = await put_part(store, upload, 1, _C)
        assert (await store.list_parts(upload)).parts == [part]
        assert (await store.usage(bucket)).upload_bytes == 1
        await store.collect_garbage()
        await complete(store, bucket, upload, [part])
        assert await content(store, bucket, b"key") == _C
        assert await invariants(store) == set()

    async def test_what_a_completion_must_be(self, store: ObjectStore) -> None:
        bucket = await make_bucket(store)
        upload = await store.create_upload(bucket, b"key", PLAIN)
        checksum = Checksum("CRC32", "AAAAAA==")
        one = await store.put_part(upload, 1, store.stage_bytes(b"1"), checksum)
        two = await store.put_part(upload, 2, store.stage_bytes(b"2"))
        first, second = CompletedPart(1, one.etag), CompletedPart(2, two.etag)
        for parts, error in (
            ([], errors.InvalidPart),
            ([second, first], errors.InvalidPartOrder),
            ([first, first], errors.InvalidPartOrder),
            ([first, CompletedPart(3, two.etag)], errors.InvalidPart),
            ([CompletedPart(1, two.etag)], errors.InvalidPart),
            ([CompletedPart(1, one.etag, "BBBBBB==")], errors.InvalidPart),
            ([first, second], errors.EntityTooSmall),
        ):
            with pytest.raises(error):
                await store.complete_upload(bucket, b"key", upload.upload_id, parts)
        with pytest.raises(errors.NoSuchKey):
            await store.complete_upload(
                bucket, b"key", upload.upload_id, [second], WriteCondition(if_match="*")
            )
        named = [CompletedPart(1, one.etag, checksum.value)]
        version = await store.complete_upload(
            bucket, b"key", upload.upload_id, named, checksum=checksum
        )
        assert version.attributes.checksum == checksum
        await invariants(store)

    async def test_a_completion_repeated_answers_the_same(self, store: ObjectStore) -> None:
        bucket = await make_bucket(store)
        upload = await store.create_upload(bucket, b"key", PLAIN)
        parts = [await put_part(store, upload, n, b"%d" % n) for n in (1, 2)]
        version = await complete(store, bucket, upload, parts)
        assert await complete(store, bucket, upload, parts) == version
        with pytest.raises(errors.NoSuchUpload):
            await complete(store, bucket, upload, parts[:1])
        await store.delete_object(bucket, b"key")
        again = await complete(store, bucket, upload, parts)
        assert (again.uid, again.etag) == (version.uid, version.etag)
        for call in (store.upload, store.abort_upload):
            with pytest.raises(errors.NoSuchUpload):
                await call(bucket, b"key", upload.upload_id)
        with pytest.raises(errors.NoSuchUpload):
            await put_part(store, upload, 3, _A)
        await store.collect_garbage()
        assert await invariants(store) == set()

    async def test_an_aborted_upload_leaves_nothing(self, store: ObjectStore) -> None:
        bucket = await make_bucket(store)
        upload = await store.create_upload(bucket, b"key", PLAIN)
        parts = [await put_part(store, upload, n, _A + b"%d" % n) for n in range(1, 4)]
        for other in ("", "zz", "0" * 32, upload.upload_id.upper()):
            with pytest.raises(errors.NoSuchUpload):
                await store.abort_upload(bucket, b"key", other)
        await store.abort_upload(bucket, b"key", upload.upload_id)
        with pytest.raises(errors.NoSuchUpload):
            await complete(store, bucket, upload, parts)
        with pytest.raises(errors.NoSuchUpload):
            await store.list_parts(upload)
        assert (await store.usage(bucket)).upload_bytes == 0
        assert (await store.collect_garbage()).removed == 3
        assert await invariants(store) == set()

    async def test_parts_of_other_objects(self, store: ObjectStore) -> None:
        bucket = await make_bucket(store)
        await put(store, bucket, b"single", _A)
        upload = await store.create_upload(bucket, b"multi", PLAIN)
        parts = [await put_part(store, upload, n, d) for n, d in ((1, _B), (2, _C), (3, _A))]
        await complete(store, bucket, upload, parts)
        single = await store.get_object(bucket, b"single")
        multi = await store.get_object(bucket, b"multi")
        target = await store.create_upload(bucket, b"target", PLAIN)
        copied = [
            await store.copy_part(target, 1, multi, 100_000, 100_002),
            await store.copy_part(target, 2, single, 0, len(_A)),
            await store.copy_part(target, 3, single, 5, 0),
        ]
        whole = (_B + _C + _A)[100_000:200_002]
        assert copied[0].etag == hashlib.md5(whole, usedforsecurity=False).hexdigest()
        assert copied[1].etag == hashlib.md5(_A, usedforsecurity=False).hexdigest()
        for key in (b"single", b"multi"):
            await store.delete_object(bucket, key)
        await store.collect_garbage()
        await complete(store, bucket, target, copied[:2])
        assert await content(store, bucket, b"target") == whole + _A
        assert await invariants(store) == set()

    async def test_copies_share_parts_until_the_last_is_gone(self, store: ObjectStore) -> None:
        bucket = await make_bucket(store, Versioning.ENABLED)
        upload = await store.create_upload(bucket, b"key", PLAIN)
        parts = [await put_part(store, upload, n, d) for n, d in ((1, _A), (2, _B))]
        version = await complete(store, bucket, upload, parts)
        stored = await store.get_object(bucket, b"key")
        copied = await store.copy_object(stored, bucket, b"copy", PLAIN)
        assert (copied.etag, copied.parts_count) == (version.etag, 2)
        await store.delete_object(bucket, b"key", version.version_id)
        assert (await store.collect_garbage()).removed == 0
        assert await content(store, bucket, b"copy") == _A + _B
        assert await store.parts(await store.get_object(bucket, b"copy")) == parts
        await store.delete_object(bucket, b"copy", copied.version_id)
        assert (await store.collect_garbage()).removed == 2
        assert await invariants(store) == set()
        with pytest.raises(errors.NoSuchVersion):
            await store.copy_object(stored, bucket, b"copy", PLAIN)

    async def test_many_parts(self, store: ObjectStore) -> None:
        """More than one piece of garbage collection, and pages of parts."""
        bucket = await make_bucket(store)
        upload = await store.create_upload(bucket, b"key", PLAIN)
        puts = (store.put_part(upload, n, store.stage_bytes(b"%04d" % n)) for n in range(1, 531))
        parts = await asyncio.gather(*puts)
        page = await store.list_parts(upload, after=10, limit=20)
        assert (page.parts, page.next_number) == (parts[10:30], 30)
        assert (await store.list_parts(upload, after=530)).next_number is None
        await complete(store, bucket, upload, parts)
        assert await content(store, bucket, b"key", None, 4 * 300, 8) == b"03010302"
        await store.delete_object(bucket, b"key")
        assert (await store.collect_garbage()).removed == len(parts)
        assert await store.sweep_orphans(timedelta(0)) == 0
        await invariants(store)
