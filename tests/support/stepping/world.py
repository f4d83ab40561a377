"""A store in which there is something of everything, and all that a client can see of it."""

import hashlib
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from support.stepping.shim import Shim
from vexobj_storage import (
    BlobCorrupt,
    BlobStore,
    KeyRing,
    LifecycleRule,
    LocalBlobStore,
    MasterKey,
    MetaStore,
    MovingBlobStore,
    ObjectLock,
    ObjectStore,
    StoreConfig,
    Versioning,
    open_blobs,
    open_metadata,
)
from vexobj_storage.ids import new_id
from vexobj_storage.metadata.tx import Operation, P, R
from vexobj_storage.testing.helpers import (
    PLAIN,
    complete,
    content,
    make_bucket,
    put,
    put_locked,
    put_part,
)
from vexobj_storage.types import Bucket

AFTERWARDS = "afterwards"
"""The bucket that a store is given to show that it still works; no part of what is compared."""

BIG = b"as much as is worth a file of its own " * 3000
OTHER = b"another content of that kind " * 4000
SMALL = b"a few bytes"
LAST = b"what is written when all is over " * 1000
PART = b"a part of an upload " * 5000

MASTER, NEXT_MASTER = MasterKey(b"m" * 32), MasterKey(b"n" * 32)
_LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Setup:
    """How a store is opened.

    `seals`: new content is encrypted. `moves`: blobs are written to `moved`, and read from where
    they were too.
    """

    directory: Path
    seals: bool = False
    moves: bool = False
    masters: tuple[MasterKey, ...] = (NEXT_MASTER, MASTER)

    async def open(self, shim: Shim) -> ObjectStore:
        """As `ObjectStore.open`, but that transactions are named in the record of steps."""
        config = StoreConfig(
            self.directory, gc_grace=timedelta(0), master_keys=self.masters, encrypt=self.seals
        )
        metadata: MetaStore = Named(await open_metadata(self.directory), shim)
        keys = await KeyRing.open(metadata, self.masters, seal=self.seals, now_us=0)
        blobs: BlobStore = await open_blobs(config, metadata)
        if self.moves:
            blobs = MovingBlobStore(LocalBlobStore(self.directory / "moved"), blobs)
        return ObjectStore(config, metadata, blobs, keys=keys)


class Named:
    """A MetaStore whose transactions are named in the record of steps."""

    def __init__(self, metadata: MetaStore, shim: Shim) -> None:
        self._metadata, self._shim = metadata, shim
        self.dialect = metadata.dialect
        self.read = metadata.read
        self.scan = metadata.scan
        self.epoch = metadata.epoch
        self.stamp = metadata.stamp
        self.snapshot = metadata.snapshot
        self.close = metadata.close

    async def write(self, operation: Operation[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        with self._named(getattr(operation, "__name__", "?")):
            return await self._metadata.write(operation, *args, **kwargs)

    @contextmanager
    def _named(self, name: str) -> Iterator[None]:
        self._shim.mark(name)
        try:
            yield
        finally:
            self._shim.mark("")


async def build(store: ObjectStore) -> None:
    """Something of everything, garbage of each kind included; a root key even if it is not used."""
    await KeyRing.open(store._metadata, (MASTER,), seal=True, now_us=0)
    await _plain(store, await make_bucket(store, name="plain"))
    await _kept(store, await make_bucket(store, Versioning.ENABLED, name="kept"))
    await _fading(store, await make_bucket(store, Versioning.ENABLED, name="fading"))
    await make_bucket(store, name="empty")
    await _orphans(store)


async def _plain(store: ObjectStore, bucket: Bucket) -> None:
    for key, data in ((b"big", BIG), (b"same", BIG), (b"other", OTHER), (b"small", SMALL)):
        await put(store, bucket, key, data)
    for key in (b"parts", b"gone parts"):
        upload = await store.create_upload(bucket, key, PLAIN)
        parts = [await put_part(store, upload, n, d) for n, d in ((1, PART), (2, SMALL))]
        await complete(store, bucket, upload, parts)
    for key in (b"upload", b"another upload"):
        upload = await store.create_upload(bucket, key, PLAIN)
        await put_part(store, upload, 1, PART[1:])
        await put_part(store, upload, 2, SMALL)
    # What is to be collected: a file, bytes in the metadata, a manifest, an upload's parts.
    await put(store, bucket, b"gone", BIG[1:])
    await put(store, bucket, b"gone small", SMALL[1:])
    for key in (b"gone", b"gone small", b"gone parts"):
        await store.delete_object(bucket, key)
    aborted = await store.create_upload(bucket, b"aborted", PLAIN)
    await put_part(store, aborted, 1, PART[2:])
    await store.abort_upload(bucket, b"aborted", aborted.upload_id)


async def _kept(store: ObjectStore, bucket: Bucket) -> None:
    for data in (SMALL, BIG[2:], OTHER[2:]):
        await put(store, bucket, b"document", data)
    await put(store, bucket, b"free", SMALL)
    await put(store, bucket, b"hidden", BIG[3:])
    await store.delete_object(bucket, b"hidden")
    await put_locked(store, bucket, b"held", SMALL, ObjectLock(legal_hold=True))


async def _fading(store: ObjectStore, bucket: Bucket) -> None:
    for key in (b"old", b"older"):
        await put(store, bucket, key, SMALL)
        await put(store, bucket, key, OTHER[3:])
    upload = await store.create_upload(bucket, b"never ended", PLAIN)
    await put_part(store, upload, 1, PART[3:])
    rule = LifecycleRule("", _LONG_AGO, expire_days=1, noncurrent_days=1, abort_upload_days=1)
    await store.add_lifecycle_rule(bucket.name, rule)


async def _orphans(store: ObjectStore) -> None:
    """What a process that died has left: a blob without a row, and one that was not finished."""
    for commits in (True, False):
        writer = store._blobs.create(new_id())
        await writer.write(SMALL)
        if commits:
            await writer.commit()


async def rot(store: ObjectStore) -> None:
    """A bit of a blob turns over."""
    found = await store.get_object(await store.bucket("plain"), b"other")
    assert found.version.blob_id is not None
    path = store._blobs.path(found.version.blob_id)
    assert path is not None
    data = bytearray(path.read_bytes())
    data[1000] ^= 1
    path.write_bytes(data)


async def observe(store: ObjectStore) -> list[str]:
    """Each thing that a client can see, in words that do not depend on ids and times."""
    seen: list[str] = []
    for listed in (await store.list_buckets()).items:
        if listed.name == AFTERWARDS:
            continue
        bucket = await store.bucket(listed.name)
        seen.append(f"bucket {bucket.name} {bucket.versioning.name} {bucket.settings.keys()}")
        page = await store.list_versions(bucket)
        for key, versions in itertools.groupby(page.versions, lambda each: each.key):
            told = [await _version(store, bucket, each) for each in versions]
            seen += [f"{bucket.name}/{key!r} {each}" for each in told]
        for upload in (await store.list_uploads(bucket)).uploads:
            parts = (await store.list_parts(upload)).parts
            told = [f"{part.number} {part.size} {part.etag}" for part in parts]
            seen.append(f"{bucket.name}/{upload.key!r} upload of {told}")
    return seen


async def _version(store: ObjectStore, bucket: Bucket, listed: Any) -> str:
    if listed.is_delete_marker:
        return f"marker latest={listed.is_latest}"
    try:
        data = await content(store, bucket, listed.key, listed.version_id)
    except BlobCorrupt:
        return "corrupt"
    found = await store.get_object(bucket, listed.key, listed.version_id)
    version = found.version
    digest = hashlib.sha256(data).hexdigest()[:12]
    return (
        f"{len(data)} {digest} {version.etag} {version.size} latest={listed.is_latest} "
        f"{'null' if version.version_id == 'null' else ''} {version.lock}"
    )
