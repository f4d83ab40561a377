"""What a relaxed store gains over a strict one: the same puts in both, in turn in one run.

Small content is kept with the metadata; larger content is a file, which both sync. PostgreSQL is a
server of the benchmark's own on this machine, left out where none is installed.
"""

import asyncio
import itertools
import os
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

import uvloop
from figures import Figure, figure, publish

from vexobj_storage import Bucket, Durability, ObjectAttributes, ObjectStore, StoreConfig
from vexobj_storage.testing_postgres import PostgresServer, postgres_binaries

RUNS = 5
SECONDS = 0.5
CASES = (("4 KiB", 4096, 1), ("4 KiB", 4096, 16), ("4 KiB", 4096, 64), ("64 KiB", 65536, 16))
ATTRIBUTES = ObjectAttributes(owner_id="o" * 64)
NUMBERS = itertools.count()


async def chunks(data: bytes) -> AsyncIterator[bytes]:
    yield data


async def rate(store: ObjectStore, bucket: Bucket, size: int, clients: int) -> float:
    """Puts per second."""
    end = time.perf_counter() + SECONDS

    async def client() -> int:
        count = 0
        while time.perf_counter() < end:
            staged = await store.stage(chunks(os.urandom(size)), size=size)
            key = b"key-%d" % (next(NUMBERS) % 2000)
            await store.put_object(bucket, key, staged, ATTRIBUTES)
            count += 1
        return count

    began = time.perf_counter()
    counts = await asyncio.gather(*(client() for _ in range(clients)))
    return sum(counts) / (time.perf_counter() - began)


async def measure(directory: Path, engine: str, urls: list[str | None]) -> list[Figure]:
    stores = []
    for durability, url in zip((Durability.RELAXED, Durability.STRICT), urls, strict=True):
        config = StoreConfig(directory / f"{engine}-{durability}", url, durability=durability)
        store = await ObjectStore.open(config)
        stores.append((store, await store.create_bucket("bucket", "o" * 64)))
    rows = []
    for name, size, clients in CASES:
        pairs = [[await rate(*each, size, clients) for each in stores] for _ in range(RUNS)]
        relaxed, strict = zip(*pairs, strict=True)
        title = f"{engine}: puts of {name}, {clients} clients"
        rows += [
            figure(f"{title}, strict", "1/s", strict),
            figure(f"{title}, relaxed", "1/s", relaxed),
            figure(f"{title}, relaxed to strict", "times", [a / b for a, b in pairs]),
        ]
    for store, _ in stores:
        await store.close()
    return rows


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        figures = uvloop.run(measure(directory, "sqlite", [None, None]))
        binaries = postgres_binaries()
        if binaries is not None:
            with PostgresServer(binaries, durable=True) as server:
                urls: list[str | None] = [server.url(server.create_database()) for _ in range(2)]
                figures += uvloop.run(measure(directory, "postgresql", urls))
    publish("durability", figures)


if __name__ == "__main__":
    main()
