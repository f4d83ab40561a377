"""What upkeep takes: scrub of plain and of sealed content, and deleting 10,000 keys for good.

Scrub is compared, in turn in one run, with SHA-256 alone over the same bytes in memory: what it
has to do at least. Keys are deleted a thousand at a time through S3 by a client that sends no more
than one request at a time, then collected without a grace; the like of it through purge.
"""

import asyncio
import hashlib
import os
import tempfile
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import uvloop
from figures import Figure, figure, publish

from support.endpoint import Endpoint
from vexobj_server.testing import running_server
from vexobj_storage import (
    BucketChange,
    MasterKey,
    ObjectAttributes,
    ObjectStore,
    StoreConfig,
    Versioning,
)

_RUNS = 7
_CHUNK = 320 * 1024
_BLOB = 4 * 1024**2
_BLOBS = 32
_KEYS = 10_000
_BATCH = 1000
_DATA = b"x" * 1000
_ATTRIBUTES = ObjectAttributes(owner_id="o" * 64)
_ZERO = timedelta(0)

Pair = tuple[float, float]
"""Seconds that passed, and seconds of CPU of the whole process."""


async def _chunks(data: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(data), _CHUNK):
        yield data[at : at + _CHUNK]


async def _filled(config: StoreConfig) -> ObjectStore:
    store = await ObjectStore.open(config)
    bucket = await store.create_bucket("bucket", "o" * 64)
    for number in range(_BLOBS):
        data = os.urandom(_BLOB)
        staged = await store.stage(_chunks(data), size=len(data))
        await store.put_object(bucket, b"%d" % number, staged, _ATTRIBUTES)
    return store


async def _scrubbed(store: ObjectStore) -> Pair:
    await store.start_scrub()
    began, cpu = time.perf_counter(), time.process_time()
    while await store.scrub_some() is not None:
        pass
    spent = time.perf_counter() - began, time.process_time() - cpu
    state = await store.scrub_state()
    assert state.current is not None
    assert (state.current.blobs, state.findings) == (_BLOBS, {})
    return spent


def _hashed() -> Pair:
    data = os.urandom(_BLOB)
    began, cpu = time.perf_counter(), time.process_time()
    for _ in range(_BLOBS):
        hashlib.sha256(data).digest()
    return time.perf_counter() - began, time.process_time() - cpu


async def _scrub(directory: Path) -> list[Figure]:
    keys = (MasterKey(os.urandom(32)),)
    plain = await _filled(StoreConfig(directory / "plain"))
    sealed = await _filled(StoreConfig(directory / "sealed", master_keys=keys, encrypt=True))
    spent: dict[str, list[Pair]] = {"SHA-256 alone": [], "plain": [], "sealed": []}
    for _ in range(_RUNS):
        spent["SHA-256 alone"].append(_hashed())
        spent["plain"].append(await _scrubbed(plain))
        spent["sealed"].append(await _scrubbed(sealed))
    for store in (plain, sealed):
        await store.close()
    size = _BLOB * _BLOBS / 1e6
    rows = [
        figure(f"scrub: {name}", "MB/s", [size / seconds for seconds, _ in found])
        for name, found in spent.items()
    ]
    for name in ("plain", "sealed"):
        pairs = zip(spent[name], spent["SHA-256 alone"], strict=True)
        shares = [ours[1] / alone[1] * 100 for ours, alone in pairs]
        rows.append(figure(f"scrub: {name}, CPU to that of SHA-256 alone", "%", shares))
    return rows


async def _collected(data_dir: Path) -> float:
    """Keys a second, from the first look to the last row."""
    store = await ObjectStore.open(StoreConfig(data_dir, gc_grace=_ZERO))
    began = time.perf_counter()
    removed = 0
    while (report := await store.collect_garbage()).removed or report.condemned:
        removed += report.removed
    passed = time.perf_counter() - began
    await store.close()
    assert removed >= _KEYS
    return removed / passed


async def _put_keys(data_dir: Path, *, versioned: bool) -> None:
    """Each with a content of its own."""
    store = await ObjectStore.open(StoreConfig(data_dir))
    name = "versioned" if versioned else "plain"
    await store.create_bucket(name, "o" * 64)
    if versioned:
        await store.update_bucket(name, BucketChange(versioning=Versioning.ENABLED))
    bucket = await store.bucket(name)

    async def put(number: int) -> None:
        staged = store.stage_bytes(b"%s %d" % (name.encode(), number) + _DATA)
        await store.put_object(bucket, b"%d" % number, staged, _ATTRIBUTES)

    for at in range(0, _KEYS, 100):
        await asyncio.gather(*(put(number) for number in range(at, at + 100)))
    await store.close()


async def _purged(data_dir: Path) -> float:
    store = await ObjectStore.open(StoreConfig(data_dir))
    bucket = await store.bucket("versioned")
    began = time.perf_counter()
    for at in range(0, _KEYS, 64):
        numbers = range(at, min(at + 64, _KEYS))
        await asyncio.gather(*(store.purge(bucket, b"%d" % number) for number in numbers))
    rate = _KEYS / (time.perf_counter() - began)
    await store.close()
    return rate


def _deleted(data_dir: Path) -> float:
    """Through a server and an S3 client, keys a second."""
    environment = {"VEXOBJ_STORAGE_GC_INTERVAL": "1h"}
    with running_server(data_dir, environment=environment) as server:
        s3 = Endpoint.of(server).boto3()
        began = time.perf_counter()
        for at in range(0, _KEYS, _BATCH):
            named = [{"Key": str(number)} for number in range(at, at + _BATCH)]
            s3.delete_objects(Bucket="plain", Delete={"Objects": named, "Quiet": True})
        return _KEYS / (time.perf_counter() - began)


def _deletions(directory: Path) -> list[Figure]:
    asyncio.run(_put_keys(directory, versioned=False))
    asyncio.run(_put_keys(directory, versioned=True))
    deleted = _deleted(directory)
    collected = asyncio.run(_collected(directory))
    purged = asyncio.run(_purged(directory))
    collected_too = asyncio.run(_collected(directory))
    return [
        figure("10,000 keys: deleted through S3, 1000 at a time", "keys/s", [deleted]),
        figure("10,000 keys: purged, 64 at a time", "keys/s", [purged]),
        figure("10,000 keys: collected for good", "keys/s", [collected, collected_too]),
    ]


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        scrubbed = uvloop.run(_scrub(Path(directory) / "scrub"))
        publish("upkeep", [*scrubbed, *_deletions(Path(directory) / "deletions")])


if __name__ == "__main__":
    main()
