"""What every store must do with content that is sealed."""

import asyncio
from collections.abc import Sequence

import pytest

from vexobj_storage import errors
from vexobj_storage.core import StoreConfig
from vexobj_storage.keyring import KeyRing
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
from vexobj_storage.types import ObjectVersion

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
