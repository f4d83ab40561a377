"""Short ways to do in a test what a caller does at length."""

from collections.abc import AsyncIterator, Sequence

from vexobj_storage.locks import ObjectLock
from vexobj_storage.store import ObjectStore
from vexobj_storage.types import (
    Bucket,
    BucketChange,
    CompletedPart,
    ObjectAttributes,
    ObjectVersion,
    Part,
    Upload,
    Versioning,
    WriteCondition,
)

PLAIN = ObjectAttributes(owner_id="owner")


async def make_bucket(
    store: ObjectStore, versioning: Versioning = Versioning.OFF, name: str = "bucket"
) -> Bucket:
    await store.create_bucket(name, "owner")
    if versioning is not Versioning.OFF:
        await store.update_bucket(name, BucketChange(versioning=versioning))
    return await store.bucket(name)


async def chunks(data: bytes, size: int = 64 * 1024) -> AsyncIterator[bytes]:
    for at in range(0, len(data), size):
        yield data[at : at + size]


async def put(
    store: ObjectStore,
    bucket: Bucket,
    key: bytes,
    data: bytes,
    condition: WriteCondition | None = None,
) -> ObjectVersion:
    staged = await store.stage(chunks(data))
    return await store.put_object(bucket, key, staged, PLAIN, condition or WriteCondition())


async def put_locked(
    store: ObjectStore, bucket: Bucket, key: bytes, data: bytes, lock: ObjectLock
) -> ObjectVersion:
    staged = await store.stage(chunks(data))
    return await store.put_object(bucket, key, staged, PLAIN, lock=lock)


async def put_part(store: ObjectStore, upload: Upload, number: int, data: bytes) -> Part:
    return await store.put_part(upload, number, await store.stage(chunks(data)))


async def complete(
    store: ObjectStore, bucket: Bucket, upload: Upload, parts: Sequence[Part]
) -> ObjectVersion:
    named = [CompletedPart(part.number, part.etag) for part in parts]
    return await store.complete_upload(
        bucket, upload.key, upload.upload_id, named, minimum_part_bytes=0
    )


async def content(
    store: ObjectStore,
    bucket: Bucket,
    key: bytes,
    version_id: str | None = None,
    start: int = 0,
    length: int | None = None,
) -> bytes:
    stored = await store.get_object(bucket, key, version_id)
    return b"".join([chunk async for chunk in store.read(stored, start, length)])
