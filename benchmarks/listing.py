"""What a page of 1,000 entries among 1,000,000 keys costs: in the store, and over HTTP.

A thousand prefixes of a thousand keys each. CPU is that of the whole process, of the server's
processes over HTTP: there the request, its signature and the XML of the answer are in it.
"""

import asyncio
import http.client
import os
import random
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import uvloop
from figures import Figure, figure, publish

from support.endpoint import Endpoint
from support.processes import cpu_seconds
from support.s3 import signed_headers
from vexobj_server.testing import RunningServer, running_server
from vexobj_storage import Bucket, ObjectStore, StoreConfig
from vexobj_storage.metadata.connections import SqliteFiles, connect, open_lock, write_lock
from vexobj_storage.metadata.ops import sql

PREFIXES = KEYS_EACH = 1_000
RUNS = 9
ROUNDS = 100
YEAR_US = 365 * 24 * 3600 * 1_000_000


def prefix(number: int) -> bytes:
    return b"cache/media_attachments/%03d/" % number


def rows(bucket: Bucket) -> Iterator[dict[str, Any]]:
    """A million objects in key order, each of content that nobody will read."""
    common = {column.name: None for column in sql.OBJECTS.c} | {
        "bucket_id": bucket.id, "is_null": 1, "size": 48_213, "owner_id": bucket.owner_id,
        "content_type": "image/jpeg", "legal_hold": 0,
        "headers_metadata": '{"h":{"cache-control":"public, max-age=315576000, immutable"}}',
    }  # fmt: skip
    now_us = time.time_ns() // 1000
    for number in range(PREFIXES * KEYS_EACH):
        at, key = divmod(number, KEYS_EACH)
        written_us = now_us - random.randrange(YEAR_US)
        yield common | {
            "key": prefix(at) + b"%06d/original/%s.jpg" % (key, random.randbytes(8).hex().encode()),
            "uid": os.urandom(16), "etag": random.randbytes(16).hex(),
            "sha256": random.randbytes(32), "blob_id": os.urandom(16),
            "sequence": written_us, "created_us": written_us, "modified_us": written_us,
        }  # fmt: skip


def fill(directory: Path, bucket: Bucket) -> None:
    files = SqliteFiles(directory)
    insert = sql.insert(sql.OBJECTS).compiled("sqlite")
    lock = open_lock(files)
    with write_lock(lock):
        connection = connect(files, cache_bytes=64 * 1024 * 1024)
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(insert.sql, map(insert.bind, rows(bucket)))
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
    os.close(lock)


async def in_store(directory: Path, name: str) -> list[Figure]:
    store = await ObjectStore.open(StoreConfig(directory))
    bucket = await store.bucket(name)

    async def measured(title: str, work: Callable[[bytes], Awaitable[object]]) -> Figure:
        spent = []
        for _ in range(RUNS):
            began = time.process_time()
            for _ in range(ROUNDS):
                await work(prefix(random.randrange(PREFIXES - 2)))
            spent.append((time.process_time() - began) / ROUNDS * 1e3)
        return figure(f"store: {title}", "ms", spent)

    level = b"cache/media_attachments/"
    figures = [
        await measured("1,000 keys", lambda at: store.list_objects(bucket, after=at)),
        await measured("1,000 keys of a prefix", lambda at: store.list_objects(bucket, prefix=at)),
        await measured(
            "1,000 keys with details", lambda at: store.list_object_details(bucket, after=at)
        ),
        await measured(
            "1,000 common prefixes of 1,000 keys each",
            lambda _: store.list_objects(bucket, prefix=level, delimiter=b"/"),
        ),
        await measured(
            "1,000 common prefixes of one key each",
            lambda at: store.list_objects(bucket, prefix=at, delimiter=b"/"),
        ),
        await measured("1,000 versions", lambda at: store.list_versions(bucket, key_marker=at)),
    ]
    await store.close()
    return figures


def over_http(server: RunningServer, endpoint: Endpoint, name: str) -> list[Figure]:
    def measured(title: str, query: str) -> Figure:
        url = f"{endpoint.url}/{name}?{query}"
        connection = http.client.HTTPConnection(endpoint.host)
        spent = []
        for _ in range(RUNS):
            began = cpu_seconds(server.pid)
            for _ in range(ROUNDS):
                path = url.removeprefix(endpoint.url)
                connection.request("GET", path, headers=signed_headers(endpoint, "GET", url))
                response = connection.getresponse()
                answer = response.read()
                assert response.status == http.client.OK, answer
            spent.append((cpu_seconds(server.pid) - began) / ROUNDS * 1e3)
        connection.close()
        return figure(f"server: {title}", "ms", spent)

    level = "cache%2Fmedia_attachments%2F"
    return [
        measured("1,000 keys", f"list-type=2&start-after={level}500"),
        measured("1,000 keys, url", f"encoding-type=url&list-type=2&start-after={level}500"),
        measured("1,000 keys and their owner, v1", f"marker={level}500"),
        measured(
            "1,000 common prefixes of 1,000 keys each", f"delimiter=%2F&list-type=2&prefix={level}"
        ),
        measured("1,000 versions", f"key-marker={level}500&versions"),
    ]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        directory, name = Path(folder), "bench"
        with running_server(directory) as server:
            endpoint = Endpoint(server.url, server.access_key_id, server.secret_access_key)
            endpoint.boto3().create_bucket(Bucket=name)
            bucket = asyncio.run(found(directory, name))
            fill(directory, bucket)
            figures = over_http(server, endpoint, name)
        figures += uvloop.run(in_store(directory, name))
    publish("listing", figures)


async def found(directory: Path, name: str) -> Bucket:
    store = await ObjectStore.open(StoreConfig(directory))
    bucket = await store.bucket(name)
    await store.close()
    return bucket


if __name__ == "__main__":
    main()
