"""What every store must do with content that is sealed."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from vexobj_storage import errors
from vexobj_storage.core import StoreConfig
from vexobj_storage.keyring import KeyRing
from vexobj_storage.metadata.ops import sql
from vexobj_storage.metadata.tx import Tx
from vexobj_storage.sealing.ids import sealing_key
from vexobj_storage.sealing.keys import MasterKey
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
from vexobj_storage.types import ObjectVersion, Versioning

MASTER, OTHER_MASTER = MasterKey(b"m" * 32), MasterKey(b"o" * 32)
CONTENTS = [b"", b"inline", b"frames" * 100_000]


async def with_keys(
    store: ObjectStore, masters: Sequence[MasterKey] = (MASTER,), *, seal: bool = True
) -> ObjectStore:
    """Another process's view of the same metadata and blobs. Raises: KeyUnavailable."""
    metadata, blobs = store._metadata, store._blobs  # noqa: SLF001 - they share what is behind it
    keys = await KeyRing.open(metadata, masters, seal=seal, now_us=0)
    config = StoreConfig(store.config.data_dir, gc_grace=store.config.gc_grace)
    return ObjectStore(config, metadata, blobs, keys=keys)


def key_of(version: ObjectVersion) -> int:
    assert version.blob_id is not None
    return sealing_key(version.blob_id)


class EncryptionContract:
    """`store` seals nothing and has no key."""

    async def test_switching_it_makes_nothing_unreadable(self, store: ObjectStore) -> None:
        bucket = await make_bucket(store)
        sealing = await with_keys(store)
        stopped = await with_keys(store, seal=False)
        for number, data in enumerate(CONTENTS):
            for name, at, key_id in (
                ("off", store, 0),
                ("on", sealing, 1),
                ("off again", stopped, 0),
            ):
                key = f"{name} {number}".encode()
                assert key_of(await put(at, bucket, key, data)) == key_id
                for reader in (sealing, stopped):
                    assert await content(reader, bucket, key) == data
        await invariants(store)

    async def test_equal_content_is_shared_where_it_is_sealed_alike(
        self, store: ObjectStore
    ) -> None:
        bucket = await make_bucket(store)
        sealing = await with_keys(store)
        other = await with_keys(store)
        for data in CONTENTS:
            plain = await put(store, bucket, b"plain", data)
            sealed = await put(sealing, bucket, b"sealed", data)
            again = await put(other, bucket, b"again", data)
            assert plain.blob_id != sealed.blob_id == again.blob_id
            assert plain.sha256 == sealed.sha256
            assert plain.etag == sealed.etag
        await invariants(store)

    async def test_without_the_key_it_is_an_error_that_names_it(self, store: ObjectStore) -> None:
        bucket = await make_bucket(store)
        sealing = await with_keys(store)
        for masters in ((), (OTHER_MASTER,)):
            await with_keys(store, masters, seal=False)  # nothing is sealed under it so far
        for data in (b"inline", b"x" * 100_000):
            await put(sealing, bucket, b"key", data)
            with pytest.raises(errors.KeyUnavailable) as missing:
                await content(store, bucket, b"key")
            assert (missing.value.key_id, missing.value.master_key_id) == (1, MASTER.id)
        for masters in ((), (OTHER_MASTER,)):
            with pytest.raises(errors.KeyUnavailable, match=f"root key 1 .*{MASTER.id}"):
                await with_keys(store, masters, seal=False)
        with pytest.raises(errors.KeyUnavailable):
            await with_keys(store, (OTHER_MASTER,))

    async def test_rotation_wraps_anew_and_moves_no_byte(self, store: ObjectStore) -> None:
        bucket = await make_bucket(store)
        sealing = await with_keys(store)
        written = await put(sealing, bucket, b"key", b"x" * 100_000)
        rotating = await with_keys(store, (OTHER_MASTER, MASTER))
        assert await rotating.rewrap_keys() == 1
        assert await rotating.rewrap_keys() == 0
        after = await with_keys(store, (OTHER_MASTER,))
        assert await content(after, bucket, b"key") == b"x" * 100_000
        assert (await after.get_object(bucket, b"key")).version == written
        with pytest.raises(errors.KeyUnavailable):
            await with_keys(store, (MASTER,))
        with pytest.raises(errors.KeyUnavailable):
            await sealing.rewrap_keys()

    async def test_parts_plain_and_sealed_make_one_object(self, store: ObjectStore) -> None:
        bucket = await make_bucket(store)
        sealing = await with_keys(store)
        source = await put(sealing, bucket, b"source", bytes(range(250)) * 2000)
        upload = await store.create_upload(bucket, b"key", PLAIN)
        data = [b"plain" * 50_000, b"sealed" * 50_000, b"small"]
        parts = [
            await put_part(store, upload, 1, data[0]),
            await put_part(sealing, upload, 2, data[1]),
            await put_part(sealing, upload, 3, data[2]),
            await sealing.copy_part(
                upload, 4, await sealing.get_object(bucket, source.key), 65_530, 70_000
            ),
        ]
        data.append((bytes(range(250)) * 2000)[65_530 : 65_530 + 70_000])
        whole = b"".join(data)
        await complete(sealing, bucket, upload, parts)
        assert await content(sealing, bucket, b"key") == whole
        for start in (0, 249_999, 249_990, 550_003, len(whole) - 70_010):
            assert (
                await content(sealing, bucket, b"key", None, start, 70_000)
                == (whole[start : start + 70_000])
            )
        await invariants(store)

    async def test_what_was_changed_on_its_medium_is_not_told(self, store: ObjectStore) -> None:
        bucket = await make_bucket(store)
        sealing = await with_keys(store)
        first = await put(sealing, bucket, b"first", b"a" * 200_000)
        second = await put(sealing, bucket, b"second", b"b" * 200_000)
        blobs = store._blobs  # noqa: SLF001 - something has to spoil it
        assert first.blob_id is not None
        assert second.blob_id is not None
        stat = await blobs.stat(second.blob_id)
        assert stat is not None
        swapped = b"".join([c async for c in blobs.open(second.blob_id, 0, stat.size)])
        await blobs.delete(first.blob_id)
        writer = blobs.create(first.blob_id)
        await writer.write(swapped)
        await writer.commit()
        with pytest.raises(errors.BlobCorrupt, match="frame 0"):
            await content(sealing, bucket, b"first")
        stored = await sealing.get_object(bucket, b"first")
        with pytest.raises(errors.BlobCorrupt, match="frame 1"):
            await anext(sealing.read(stored, 70_000, 10))

    async def test_two_that_start_at_once_agree_on_a_key(self, store: ObjectStore) -> None:
        bucket = await make_bucket(store)
        stores = await asyncio.gather(*(with_keys(store) for _ in range(3)))
        for number, each in enumerate(stores):
            assert key_of(await put(each, bucket, b"%d" % number, b"data")) == 1
            assert await content(stores[0], bucket, b"%d" % number) == b"data"


class RewritingContract:
    """`store` seals nothing and has no key."""

    async def test_all_that_is_there_comes_under_a_new_key(self, store: ObjectStore) -> None:
        sealing = await with_keys(store)
        expected = await _fill(store, sealing)
        keys_before = await _keys_in_use(store)
        assert keys_before == {0, 1}
        await _rewrite(sealing)
        assert await _keys_in_use(store) == {2}
        reader = await with_keys(store)
        await _check(reader, expected)
        await invariants(store)

    async def test_back_to_plain(self, store: ObjectStore) -> None:
        expected = await _fill(store, await with_keys(store))
        await _rewrite(await with_keys(store, seal=False))
        assert await _keys_in_use(store) == {0}
        await _check(store, expected)
        await with_keys(store, (), seal=False)
        await invariants(store)

    async def test_who_is_reading_goes_on(self, store: ObjectStore) -> None:
        """With the blobs gone, and a manifest in memory that names them."""
        sealing = await with_keys(store)
        bucket = await make_bucket(store)
        upload = await store.create_upload(bucket, b"key", PLAIN)
        data = [bytes([number]) * 300_000 for number in range(4)]
        parts = [await put_part(store, upload, n + 1, part) for n, part in enumerate(data)]
        await complete(store, bucket, upload, parts)
        stored = await sealing.get_object(bucket, b"key")
        reading = sealing.read(stored)
        received = await anext(reading)
        await _rewrite(sealing)
        async for chunk in reading:
            received += chunk
        assert received == b"".join(data)
        assert await content(sealing, bucket, b"key", None, 299_999, 2) == b"\0\1"

    async def test_it_goes_on_where_it_was_cut_off(self, store: ObjectStore) -> None:
        expected = await _fill(store, await with_keys(store))
        begun = await with_keys(store)
        await begun.start_rewriting()
        going_on, more = begun, True
        while more:
            going_on = await with_keys(store)
            going_on._clock = _later  # noqa: SLF001 - as two minutes later
            await going_on.start_rewriting()
            more = await going_on.rewrite_some() is not None
        progress = await going_on.rewriting()
        assert progress is not None
        assert (progress.is_done, progress.key_id, progress.remaining_blobs) == (True, 2, 0)
        assert progress.blobs > len(expected)
        await _check(going_on, expected)

    async def test_what_clients_do_meanwhile_stands(self, store: ObjectStore) -> None:
        sealing = await with_keys(store)
        bucket = await make_bucket(store)
        data = {b"%d" % n: b"%d" % n * (1 + 9_000 * (n % 3)) for n in range(30)}
        for key, value in data.items():
            await put(store, bucket, key, value)
        await sealing.start_rewriting()

        async def rewrite() -> None:
            while await sealing.rewrite_some():
                pass

        async def change() -> None:
            for number, key in enumerate(list(data)):
                if number % 2:
                    data[key] = b"new" + key
                    await put(store, bucket, key, data[key])
                else:
                    await store.delete_object(bucket, key)
                    del data[key]

        await asyncio.gather(rewrite(), change())
        for key, value in data.items():
            assert await content(sealing, bucket, key) == value
        await _rewrite(sealing)
        for key, value in data.items():
            assert await content(sealing, bucket, key) == value
        await store.collect_garbage()
        await invariants(store)

    async def test_a_blob_that_cannot_be_read_is_left_and_counted(self, store: ObjectStore) -> None:
        sealing = await with_keys(store)
        bucket = await make_bucket(store)
        lost = await put(store, bucket, b"lost", b"x" * 100_000)
        await put(store, bucket, b"whole", b"y" * 100_000)
        assert lost.blob_id is not None
        await store._blobs.delete(lost.blob_id)  # noqa: SLF001 - something has to spoil it
        await _rewrite(sealing)
        progress = await sealing.rewriting()
        assert progress is not None
        assert progress.is_done
        assert progress.remaining_blobs == 1
        assert progress.failed >= 1
        assert await content(sealing, bucket, b"whole") == b"y" * 100_000


Expected = dict[tuple[bytes, str | None], bytes]


async def _fill(store: ObjectStore, sealing: ObjectStore) -> Expected:
    """Versions, copies, twins and parts, plain and sealed; an open upload beside them."""
    expected: Expected = {}
    bucket = await make_bucket(store, Versioning.ENABLED)
    for number, data in enumerate(CONTENTS):
        for at in (store, sealing):
            for key in (b"key", b"%d" % number):
                version = await put(at, bucket, key, data)
                expected[key, version.version_id] = data
    source = await sealing.get_object(bucket, b"2")
    await store.copy_object(source, bucket, b"copy", PLAIN)
    expected[b"copy", None] = CONTENTS[2]
    for name in (b"parts", b"other parts"):
        upload = await store.create_upload(bucket, name, PLAIN)
        pieces = [b"p" * 70_000, b"small", b"", b"", b"q" * 70_000]
        stores = (store, sealing, store, sealing, sealing)
        parts = [
            await put_part(at, upload, n + 1, part)
            for n, (at, part) in enumerate(zip(stores, pieces, strict=True))
        ]
        parts.append(await sealing.copy_part(upload, 9, source, 65_530, 10))
        await complete(store, bucket, upload, parts)
        expected[name, None] = b"".join(pieces) + CONTENTS[2][65_530:65_540]
    unfinished = await store.create_upload(bucket, b"unfinished", PLAIN)
    await put_part(store, unfinished, 1, b"u" * 70_000)
    return expected


async def _check(store: ObjectStore, expected: Expected) -> None:
    bucket = await store.bucket("bucket")
    for (key, version_id), data in expected.items():
        assert await content(store, bucket, key, version_id) == data


async def _rewrite(store: ObjectStore) -> None:
    await store.start_rewriting()
    while await store.rewrite_some():
        pass
    store._clock = _later  # noqa: SLF001 - as two minutes later
    for _ in range(10):
        while await store.rewrite_some():
            pass
    await store.collect_garbage()


def _later() -> datetime:
    return datetime.now(UTC) + timedelta(minutes=10)


async def _keys_in_use(store: ObjectStore) -> set[int]:
    await store.collect_garbage()
    blobs, inline = store._blobs, sql.query(select(sql.INLINE_BLOBS.c.blob_id))  # noqa: SLF001

    async def ids(tx: Tx) -> set[bytes]:
        return {row[0] for row in await tx.all(inline)}

    stored = {stat.blob_id async for stat in blobs.iterate()}
    return {sealing_key(each) for each in stored | await store._metadata.scan(ids)}  # noqa: SLF001
