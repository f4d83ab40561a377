"""What a store remembers of objects is never older than the last commit of any process."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from vexobj_storage import (
    Bucket,
    BucketChange,
    NoSuchKey,
    ObjectAttributes,
    ObjectName,
    ObjectStore,
    StoreConfig,
    Versioning,
)
from vexobj_storage.recent import Recent
from vexobj_storage.testing.helpers import complete, make_bucket, put, put_part

KEY = b"key"
Change = Callable[[ObjectStore, Bucket], Awaitable[object]]


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[tuple[ObjectStore, ObjectStore]]:
    """Two stores on one data directory, as two processes have them."""
    first, second = [await ObjectStore.open(StoreConfig(tmp_path)) for _ in range(2)]
    yield first, second
    await first.close()
    await second.close()


async def seen(store: ObjectStore, bucket: Bucket) -> object:
    """All that a reader can tell of the key."""
    try:
        stored = await store.get_object(bucket, KEY)
    except NoSuchKey as absence:
        return absence.marker_version_id
    version = stored.version
    return version.uid, stored.inline, version.attributes.acl, version.attributes.tags


async def _copy(store: ObjectStore, bucket: Bucket) -> None:
    await put(store, bucket, b"source", b"copied")
    source = await store.get_object(bucket, b"source")
    await store.copy_object(source, bucket, KEY, ObjectAttributes())


async def _complete(store: ObjectStore, bucket: Bucket) -> None:
    upload = await store.create_upload(bucket, KEY, ObjectAttributes())
    await complete(store, bucket, upload, [await put_part(store, upload, 1, b"part")])


async def _undelete(store: ObjectStore, bucket: Bucket) -> None:
    marker = await store.delete_object(bucket, KEY)
    await store.delete_object(bucket, KEY, marker.version_id)
    await store.delete_object(bucket, KEY, (await store.get_object(bucket, KEY)).version.version_id)


CHANGES: dict[str, Change] = {
    "overwrite": lambda store, bucket: put(store, bucket, KEY, b"other"),
    "delete": lambda store, bucket: store.delete_object(bucket, KEY),
    "batch": lambda store, bucket: store.delete_objects(bucket, [ObjectName(KEY)]),
    "copy over it": _copy,
    "complete": _complete,
    "acl": lambda store, bucket: store.update_object(bucket, KEY, acl="public"),
    "tags": lambda store, bucket: store.update_object(bucket, KEY, tags={"a": "b"}),
    "undelete and promote": _undelete,
}


@pytest.mark.parametrize("versioning", [Versioning.OFF, Versioning.ENABLED])
@pytest.mark.parametrize("change", CHANGES)
async def test_another_process_changes_it(
    pair: tuple[ObjectStore, ObjectStore], change: str, versioning: Versioning
) -> None:
    if change == "undelete and promote" and versioning is Versioning.OFF:
        return
    reader, writer = pair
    bucket = await make_bucket(writer)
    if versioning:
        bucket = await writer.update_bucket(bucket.name, BucketChange(versioning=versioning))
    await put(writer, bucket, KEY, b"first")
    await put(writer, bucket, KEY, b"second")
    before = await seen(reader, bucket)
    assert await seen(reader, bucket) == before
    await CHANGES[change](writer, bucket)
    after = await seen(reader, bucket)
    assert after != before
    assert after == await seen(writer, bucket)


async def test_a_reader_never_falls_behind_an_acknowledgement(
    pair: tuple[ObjectStore, ObjectStore],
) -> None:
    reader, writer = pair
    bucket = await make_bucket(writer)
    await put(writer, bucket, KEY, b"0")
    acknowledged, done = 0, False

    async def read() -> int:
        looks = 0
        while not done:
            least = acknowledged
            stored = await reader.get_object(bucket, KEY)
            assert stored.inline is not None
            assert int(stored.inline) >= least
            looks += 1
            await asyncio.sleep(0)
        return looks

    readers = [asyncio.create_task(read()) for _ in range(3)]
    for number in range(1, 301):
        await put(writer, bucket, KEY, str(number).encode())
        acknowledged = number
    done = True
    assert min(await asyncio.gather(*readers)) > 0


def test_recent_is_bounded_by_bytes() -> None:
    recent: Recent[int, str] = Recent(80)
    for number in range(100):
        recent.put(number, str(number), 10)
    assert [number for number in range(100) if recent.get(number)] == list(range(92, 100))
    recent.get(92)
    recent.put(100, "100", 10)
    assert recent.get(92) == "92"
    assert recent.get(93) is None
    recent.put(92, "again", 10)
    assert recent.get(92) == "again"
    recent.put(92, "too large", 11)
    assert recent.get(92) is None
