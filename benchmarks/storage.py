"""What the store itself costs, without HTTP: small puts and gets, and completing a large upload.

Puts come from 16 tasks of one event loop and are durable when they return; their CPU is told for
the loop's thread and for the writer's apart.
"""

import asyncio
import os
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import uvloop
from figures import Figure, figure, publish

from vexobj_storage import (
    Bucket,
    CompletedPart,
    ObjectAttributes,
    ObjectStore,
    StoreConfig,
)

TASKS = 16
RUNS = 5
PUTS = 4000
GETS = 10_000
PARTS = 10_000
ATTRIBUTES = ObjectAttributes("image/jpeg", {"cache-control": "max-age=60"}, {"a": "b"}, "o" * 64)

Work = Callable[[int], Awaitable[object]]


def writer_seconds() -> float:
    """CPU that the writer's thread used so far."""
    (writer,) = (thread for thread in threading.enumerate() if thread.name == "metadata-writer")
    assert writer.ident is not None
    return time.clock_gettime(time.pthread_getcpuclockid(writer.ident))


async def crowd(work: Work, count: int) -> None:
    numbers = iter(range(count))

    async def client() -> None:
        for number in numbers:
            await work(number)

    await asyncio.gather(*(client() for _ in range(TASKS)))


async def puts(name: str, work: Work) -> list[Figure]:
    rates, loop, writer = [], [], []
    await crowd(work, PUTS)
    for _ in range(RUNS):
        began, own, other = time.perf_counter(), time.thread_time(), writer_seconds()
        await crowd(work, PUTS)
        rates.append(PUTS / (time.perf_counter() - began))
        loop.append((time.thread_time() - own) / PUTS * 1e6)
        writer.append((writer_seconds() - other) / PUTS * 1e6)
    return [
        figure(f"{name}, {TASKS} tasks", "1/s", rates),
        figure(f"{name}, CPU of the loop", "us", loop),
        figure(f"{name}, CPU of the writer", "us", writer),
    ]


async def gets(name: str, work: Work) -> Figure:
    spent = []
    for _ in range(RUNS):
        began = time.thread_time()
        for number in range(GETS):
            await work(number)
        spent.append((time.thread_time() - began) / GETS * 1e6)
    return figure(name, "us", spent)


async def completion(store: ObjectStore, bucket: Bucket) -> list[Figure]:
    """An upload of 10,000 parts, and how long another writer waits meanwhile."""
    upload = await store.create_upload(bucket, b"large", ATTRIBUTES)
    content = os.urandom(1024)

    async def put_part(number: int) -> CompletedPart:
        part = await store.put_part(upload, number, store.stage_bytes(content))
        return CompletedPart(number, part.etag)

    numbers = range(1, PARTS + 1)
    parts = [await put_part(number) for number in numbers[:1]]
    parts += await asyncio.gather(*map(put_part, numbers[1:]))
    began = time.perf_counter()
    whole = asyncio.create_task(
        store.complete_upload(bucket, b"large", upload.upload_id, parts, minimum_part_bytes=1)
    )
    await asyncio.sleep(0)
    meanwhile = time.perf_counter()
    await store.put_object(bucket, b"other", store.stage_bytes(b"small"), ATTRIBUTES)
    waited = time.perf_counter() - meanwhile
    await whole
    return [
        figure(f"complete of {PARTS:,} parts", "ms", [(time.perf_counter() - began) * 1e3]),
        figure("a put that waits for it", "ms", [waited * 1e3]),
    ]


async def measure(directory: Path) -> list[Figure]:
    store = await ObjectStore.open(StoreConfig(directory))
    bucket = await store.create_bucket("bench", "o" * 64)
    serial = iter(range(1 << 40))

    async def put(size: int, key: bytes) -> None:
        staged = store.stage_bytes(os.urandom(size))
        await store.put_object(bucket, key, staged, ATTRIBUTES)

    async def new(_: int) -> None:
        await put(4096, b"cache/accounts/%012d.jpg" % next(serial))

    async def same(number: int) -> None:
        await put(4096, b"same/%d" % (number % 1000))

    async def new_16(_: int) -> None:
        await put(16384, b"cache/larger/%012d.jpg" % next(serial))

    twin = os.urandom(4096)

    async def known(_: int) -> None:
        key = b"cache/twins/%012d.jpg" % next(serial)
        await store.put_object(bucket, key, store.stage_bytes(twin), ATTRIBUTES)

    async def get(number: int) -> None:
        await store.get_object(bucket, b"cache/accounts/%012d.jpg" % (number % PUTS))

    async def get_16(number: int) -> None:
        await store.get_object(bucket, larger[number % len(larger)])

    rows = await puts("put of 4 KiB, new key", new)
    rows += await puts("put of 4 KiB over another", same)
    rows += await puts("put of known content", known)
    rows += await puts("put of 16 KiB, new key", new_16)
    page = await store.list_objects(bucket, prefix=b"cache/larger/")
    larger = [entry.key for entry in page.objects]
    rows.append(await gets("get of 4 KiB", get))
    rows.append(await gets("get of 16 KiB", get_16))
    rows += await completion(store, bucket)
    await store.close()
    return rows


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        publish("storage", uvloop.run(measure(Path(directory))))


if __name__ == "__main__":
    main()
