"""What must hold when many do at once what only some of them can have done."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta
from functools import partial
from typing import TypeVar

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
from vexobj_storage.types import (
    Bucket,
    BucketChange,
    ObjectName,
    ObjectVersion,
    Versioning,
    WriteCondition,
)

_BIG = b"same bytes " * 4096

T = TypeVar("T")


async def _all(calls: Iterable[Awaitable[object]]) -> tuple[list[object], list[BaseException]]:
    """Run all at once; what they answered, and the conditions that they met."""
    answers = await asyncio.gather(*calls, return_exceptions=True)
    met = [a for a in answers if isinstance(a, BaseException)]
    for error in met:
        if not isinstance(error, errors.StorageError):
            raise error
    return [a for a in answers if not isinstance(a, BaseException)], met


async def _until_done(call: Callable[[], Awaitable[T]]) -> T:
    """As a client does that is told to try again."""
    while True:
        try:
            return await call()
        except errors.StoreBusy:
            await asyncio.sleep(0)


class RaceContract:
    @pytest.mark.parametrize("versioning", list(Versioning))
    async def test_one_of_many_creates(self, store: ObjectStore, versioning: Versioning) -> None:
        bucket = await make_bucket(store, versioning)
        condition = WriteCondition(if_none_match_any=True)
        won, lost = await _all(put(store, bucket, b"key", b"%d" % n, condition) for n in range(100))
        assert len(won) == 1
        assert {type(error) for error in lost} == {errors.PreconditionFailed}
        (winner,) = won
        assert isinstance(winner, ObjectVersion)
        assert (await store.get_object(bucket, b"key")).version == winner
        await invariants(store)

    async def test_each_compare_and_set_builds_on_the_last(self, store: ObjectStore) -> None:
        bucket = await make_bucket(store)
        await put(store, bucket, b"key", b"0")

        async def add() -> None:
            while True:
                stored = await store.get_object(bucket, b"key")
                assert stored.inline is not None
                data = b"%d" % (int(stored.inline) + 1)
                try:
                    condition = WriteCondition(if_match=stored.version.etag)
                    await put(store, bucket, b"key", data, condition)
                except errors.PreconditionFailed:
                    continue
                return

        await asyncio.gather(*(add() for _ in range(12)))
        assert await content(store, bucket, b"key") == b"12"
        await invariants(store)

    @pytest.mark.parametrize("versioning", list(Versioning))
    async def test_many_writers_of_one_key(
        self, store: ObjectStore, versioning: Versioning
    ) -> None:
        bucket = await make_bucket(store, versioning)
        count = 500 if versioning is Versioning.OFF else 100
        won, lost = await _all(put(store, bucket, b"key", b"%d" % (n % 7)) for n in range(count))
        assert (len(won), lost) == (count, [])
        page = await store.list_versions(bucket)
        assert len(page.versions) == (count if versioning is Versioning.ENABLED else 1)
        assert (await store.usage(bucket)).objects == 1
        await invariants(store)
        await store.collect_garbage()
        await invariants(store)

    @pytest.mark.parametrize("versioning", list(Versioning))
    async def test_deletes_against_puts(self, store: ObjectStore, versioning: Versioning) -> None:
        bucket = await make_bucket(store, versioning)

        async def remove_all() -> None:
            page = await store.list_versions(bucket)
            await store.delete_objects(
                bucket, [ObjectName(v.key, v.version_id) for v in reversed(page.versions)]
            )

        calls: list[Awaitable[object]] = []
        for n in range(40):
            key = b"key%d" % (n % 3)
            calls += [
                put(store, bucket, key, b"%d" % (n % 5)),
                store.delete_object(bucket, key),
                remove_all(),
                store.update_object(bucket, key, tags={"n": str(n)}),
            ]
        _, lost = await _all(calls)
        assert {type(error) for error in lost} <= {errors.NoSuchKey, errors.NoSuchVersion}
        await invariants(store)
        await remove_all()
        await store.collect_garbage()
        assert await invariants(store) == set()
        await store.delete_bucket("bucket")

    async def test_an_upload_ends_once(self, store: ObjectStore) -> None:
        bucket = await make_bucket(store)
        for n in range(12):
            key = b"key%d" % n
            upload = await store.create_upload(bucket, key, PLAIN)
            parts = [await put_part(store, upload, i, b"%d-%d" % (n, i)) for i in (1, 2)]
            calls: list[Awaitable[object]] = [
                complete(store, bucket, upload, parts),
                complete(store, bucket, upload, parts),
                store.abort_upload(bucket, key, upload.upload_id),
                put_part(store, upload, 3, b"late"),
                put_part(store, upload, 2, b"%d-2" % n),
            ]
            _, lost = await _all(calls[n % 5 :] + calls[: n % 5])
            assert {type(e) for e in lost} <= {errors.NoSuchUpload, errors.InvalidPart}
            ended = (await store.list_objects(bucket, prefix=key, limit=1)).objects
            opened = (await store.list_uploads(bucket)).uploads
            assert not (ended and opened)
            for left in opened:
                await store.abort_upload(bucket, left.key, left.upload_id)
            await invariants(store)
        await store.collect_garbage()
        assert await invariants(store) == set()

    async def test_one_part_sent_many_times(self, store: ObjectStore) -> None:
        bucket = await make_bucket(store)
        upload = await store.create_upload(bucket, b"key", PLAIN)
        _, lost = await _all(put_part(store, upload, 1, b"%d" % (n % 5)) for n in range(60))
        assert lost == []
        assert len((await store.list_parts(upload)).parts) == 1
        await store.collect_garbage()
        assert await invariants(store) == set()

    async def test_a_bucket_is_deleted_or_written_to(self, store: ObjectStore) -> None:
        for n in range(10):
            bucket = await make_bucket(store, name=f"bucket-{n}")
            calls: list[Awaitable[object]] = [
                put(store, bucket, b"key", b"data"),
                store.delete_bucket(bucket.name),
                store.create_upload(bucket, b"key", PLAIN),
            ]
            _, lost = await _all(calls[n % 3 :] + calls[: n % 3])
            assert {type(e) for e in lost} <= {errors.NoSuchBucket, errors.BucketNotEmpty}
            await invariants(store)

    async def test_versioning_is_switched_between_writes(self, store: ObjectStore) -> None:
        bucket = await make_bucket(store)
        calls: list[Awaitable[object]] = [
            put(store, bucket, b"key%d" % (n % 2), b"%d" % n) for n in range(60)
        ]
        calls.insert(30, store.update_bucket("bucket", BucketChange(versioning=Versioning.ENABLED)))
        _, lost = await _all(calls)
        assert lost == []
        await invariants(store)

    async def test_one_bucket_of_one_name(self, store: ObjectStore) -> None:
        won, lost = await _all(store.create_bucket("bucket", str(n)) for n in range(20))
        assert len(won) == 1
        assert {type(error) for error in lost} == {errors.BucketAlreadyExists}

    async def test_one_bucket_of_one_host(self, store: ObjectStore) -> None:
        names = [f"bucket-{number}" for number in range(12)]
        for name in names:
            await make_bucket(store, name=name)
        for host in ("files.example.com", "media.example.com"):
            claim = BucketChange(settings={"host_aliases": [host]})
            won, lost = await _all(store.update_bucket(name, claim) for name in names)
            assert len(won) == 1
            assert {type(error) for error in lost} == {errors.HostAliasTaken}
            (winner,) = won
            assert isinstance(winner, Bucket)
            assert (await store.host_aliases())[host] == winner.name
            names.remove(winner.name)

    async def test_hosts_change_hands_crosswise(self, store: ObjectStore) -> None:
        hosts = {"bucket-a": "a.example.com", "bucket-b": "b.example.com"}
        for name, host in hosts.items():
            await make_bucket(store, name=name)
            await store.update_bucket(name, BucketChange(settings={"host_aliases": [host]}))
        swapped = zip(hosts, reversed(hosts.values()), strict=True)
        await _all(
            store.update_bucket(name, BucketChange(settings={"host_aliases": [host]}))
            for name, host in swapped
        )
        told = {
            host: name
            for name in hosts
            for host in (await store.bucket(name)).settings["host_aliases"]
        }
        assert await store.host_aliases() == told

    async def test_settings_of_many_writers_are_all_kept(self, store: ObjectStore) -> None:
        await make_bucket(store)
        names = [f"setting-{number}" for number in range(20)]
        _, errors = await _all(
            store.update_bucket("bucket", BucketChange(settings={name: True})) for name in names
        )
        assert not errors
        assert (await store.bucket("bucket")).settings == dict.fromkeys(names, True)

    async def test_sharing_against_collecting(self, store: ObjectStore) -> None:
        """References to one content come and go while it is collected; no bytes are lost."""
        bucket = await make_bucket(store)

        async def write(n: int) -> None:
            key = b"key%d" % n
            for _ in range(4):
                await put(store, bucket, key, _BIG)
                stored = await store.get_object(bucket, key)
                try:
                    await store.copy_object(stored, bucket, key + b"-copy", PLAIN)
                except errors.NoSuchVersion:
                    raise AssertionError("a blob in use was condemned") from None
                assert await content(store, bucket, key) == _BIG
                await store.delete_objects(bucket, [ObjectName(key), ObjectName(key + b"-copy")])

        async def collect() -> None:
            for _ in range(15):
                await store.collect_garbage()

        await asyncio.gather(*(write(n) for n in range(6)), collect(), collect())
        await put(store, bucket, b"last", _BIG)
        await store.collect_garbage()
        assert await content(store, bucket, b"last") == _BIG
        assert await invariants(store) == set()

    async def test_collecting_and_sweeping_beside_everything(self, store: ObjectStore) -> None:
        """Copies, completions and reads while collectors and sweepers take all for old."""
        bucket = await make_bucket(store, Versioning.ENABLED)

        async def write(n: int) -> None:
            key, data = b"key%d" % n, _BIG + b"%d" % (n % 2)
            for _ in range(3):
                await _until_done(partial(put, store, bucket, key, data))
                upload = await store.create_upload(bucket, key + b"-parts", PLAIN)
                source = await store.get_object(bucket, key)
                parts = [
                    await _until_done(partial(put_part, store, upload, 1, data)),
                    await store.copy_part(upload, 2, source, 1, len(data) - 1),
                ]
                await complete(store, bucket, upload, parts)
                assert await content(store, bucket, key + b"-parts") == data + data[1:]
                await store.purge(bucket, key)
                await store.purge(bucket, key + b"-parts")

        async def collect() -> None:
            for _ in range(10):
                await store.sweep_orphans(timedelta(seconds=-10))
                await store.collect_garbage()

        await asyncio.gather(*(write(n) for n in range(4)), collect(), collect())
        await put(store, bucket, b"last", _BIG)
        for _ in range(2):
            await store.sweep_orphans(timedelta(seconds=-10))
            await store.collect_garbage()
        assert await content(store, bucket, b"last") == _BIG
        assert await invariants(store) == set()

    async def test_usage_folds_while_it_changes(self, store: ObjectStore) -> None:
        bucket = await make_bucket(store)

        async def fold() -> None:
            for _ in range(5):
                await store.fold_usage()

        writes = (put(store, bucket, b"key%d" % n, b"x" * n) for n in range(60))
        await asyncio.gather(*writes, fold(), fold())
        assert (await store.usage(bucket)).bytes == sum(range(60))
        await invariants(store)
