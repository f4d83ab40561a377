"""A connection lost in COMMIT: what was written is answered as written, and never written twice.

A proxy before the PostgreSQL server cuts the connection before the server hears COMMIT, between
COMMIT and its answer, or has the server hear it only when the next transaction is under way.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Self

import pytest

from vexobj_storage import (
    CommitUncertain,
    MemoryBlobStore,
    ObjectStore,
    PreconditionFailed,
    StoreConfig,
    Versioning,
    WriteCondition,
    open_metadata,
)
from vexobj_storage.testing.helpers import (
    PLAIN,
    complete,
    content,
    make_bucket,
    put,
    put_part,
)
from vexobj_storage.testing.invariants import invariants
from vexobj_storage.testing_postgres import PostgresServer

_COMMIT = b"COMMIT\x00"
_LARGE = b"large enough for a blob of its own" * 1000
CUTS = ["before", "after", "late"]


class Proxy:
    """Between clients and the server; `cut` says how the next COMMIT is lost, once."""

    def __init__(self, port: int) -> None:
        self._server_port = port
        self._listener: asyncio.Server | None = None
        self._late: asyncio.Event | None = None
        self._deferred: list[asyncio.Future[None]] = []
        self.cut: str | None = None
        self.cuts = 0
        self.meanwhile: Callable[[], Awaitable[object]] = _nothing

    async def __aenter__(self) -> Self:
        self._listener = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port: int = self._listener.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._listener is not None
        self._listener.close()

    async def _serve(self, client: asyncio.StreamReader, answer: asyncio.StreamWriter) -> None:
        server, ask = await asyncio.open_connection("127.0.0.1", self._server_port)
        answers = asyncio.ensure_future(_pump(server, answer))
        kept = False
        try:
            while data := await client.read(65536):
                if self.cut is not None and data.endswith(_COMMIT):
                    answers.cancel()
                    await asyncio.wait([answers])
                    kept = await self._lose(data, server, ask)
                    return
                if self._late is not None and b"BEGIN" in data:
                    self._late.set()
                ask.write(data)
        except OSError:
            return
        finally:
            answers.cancel()
            answer.close()
            if not kept:
                ask.close()

    async def _lose(
        self, data: bytes, server: asyncio.StreamReader, ask: asyncio.StreamWriter
    ) -> bool:
        """Whether the connection to the server is still needed."""
        cut, self.cut = self.cut, None
        self.cuts += 1
        if cut == "before":
            ask.close()
            await self.meanwhile()
        if cut == "after":
            ask.write(data)
            await server.readuntil(_COMMIT)
            await self.meanwhile()
        if cut == "late":
            self._late = asyncio.Event()
            self._deferred.append(asyncio.ensure_future(_send(self._late, data, server, ask)))
        return cut == "late"


async def _send(
    when: asyncio.Event, data: bytes, server: asyncio.StreamReader, ask: asyncio.StreamWriter
) -> None:
    await when.wait()
    ask.write(data)
    await server.readuntil(_COMMIT)
    ask.close()


async def _pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await source.read(65536):
            target.write(data)
    target.close()


async def _nothing() -> None:
    return


@pytest.fixture
async def proxy(postgres: PostgresServer) -> AsyncIterator[Proxy]:
    async with Proxy(postgres.port) as proxy:
        yield proxy


@pytest.fixture
async def pair(
    tmp_path: Path, postgres: PostgresServer, postgres_url: str, proxy: Proxy
) -> AsyncIterator[tuple[ObjectStore, ObjectStore]]:
    """A store behind the proxy, and one of the same data beside it."""
    behind = postgres_url.replace(f":{postgres.port}/", f":{proxy.port}/")
    blobs, config = MemoryBlobStore(), StoreConfig(tmp_path, gc_grace=timedelta(minutes=10))
    stores = [
        ObjectStore(config, await open_metadata(tmp_path, url), blobs)
        for url in (behind, postgres_url)
    ]
    yield stores[0], stores[1]
    for store in stores:
        await store.close()


@pytest.fixture
def store(pair: tuple[ObjectStore, ObjectStore]) -> ObjectStore:
    return pair[0]


async def versions(store: ObjectStore, bucket_name: str = "bucket") -> list[tuple[bytes, str]]:
    page = await store.list_versions(await store.bucket(bucket_name))
    return [(entry.key, entry.version_id) for entry in page.versions]


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("versioning", list(Versioning))
@pytest.mark.parametrize("data", [b"small", _LARGE], ids=["inline", "blob"])
async def test_a_put_happens_once(
    store: ObjectStore, proxy: Proxy, cut: str, versioning: Versioning, data: bytes
) -> None:
    bucket = await make_bucket(store, versioning)
    for condition in (WriteCondition(if_none_match_any=True), WriteCondition(if_match="*")):
        proxy.cut, cuts = cut, proxy.cuts
        written = await put(store, bucket, b"key", data, condition)
        assert proxy.cuts == cuts + 1
        assert (await store.get_object(bucket, b"key")).version == written
        assert await content(store, bucket, b"key") == data
    kept = 2 if versioning is Versioning.ENABLED else 1
    assert len(await versions(store)) == len(set(await versions(store))) == kept
    assert (await store.usage(bucket)).objects == 1
    assert await invariants(store) == set()


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("versioning", list(Versioning))
async def test_a_copy_happens_once(
    store: ObjectStore, proxy: Proxy, cut: str, versioning: Versioning
) -> None:
    bucket = await make_bucket(store, versioning)
    await put(store, bucket, b"source", _LARGE)
    source = await store.get_object(bucket, b"source")
    proxy.cut = cut
    written = await store.copy_object(source, bucket, b"key", PLAIN)
    assert (await store.get_object(bucket, b"key")).version == written
    assert len(await versions(store)) == 2
    assert await content(store, bucket, b"key") == _LARGE
    assert await invariants(store) == set()


@pytest.mark.parametrize("cut", CUTS)
async def test_an_upload_happens_once(store: ObjectStore, proxy: Proxy, cut: str) -> None:
    bucket = await make_bucket(store)
    proxy.cut = cut
    upload = await store.create_upload(bucket, b"key", PLAIN)
    proxy.cut = cut
    first = await put_part(store, upload, 1, _LARGE)
    proxy.cut = cut
    await put(store, bucket, b"source", b"x" * 10)
    stored = await store.get_object(bucket, b"source")
    proxy.cut = cut
    second = await store.copy_part(upload, 2, stored, 2, 5)
    proxy.cut = cut
    await complete(store, bucket, upload, [first, second])
    assert proxy.cuts == 5
    assert await content(store, bucket, b"key") == _LARGE + b"x" * 5
    assert await invariants(store) == set()


@pytest.mark.parametrize("versioning", list(Versioning))
@pytest.mark.parametrize("data", [b"small", _LARGE], ids=["inline", "blob"])
async def test_what_replaced_a_put_meanwhile_stays(
    pair: tuple[ObjectStore, ObjectStore], proxy: Proxy, versioning: Versioning, data: bytes
) -> None:
    store, other = pair
    bucket = await make_bucket(store, versioning)

    async def replace() -> None:
        await put(other, bucket, b"key", b"newer")
        await other.collect_garbage()

    proxy.cut, proxy.meanwhile = "after", replace
    written = await put(store, bucket, b"key", data, WriteCondition(if_none_match_any=True))
    assert await content(store, bucket, b"key") == b"newer"
    if versioning is Versioning.ENABLED:
        assert await content(store, bucket, b"key", written.version_id) == data
    assert await invariants(store) == set()


async def test_what_replaced_a_copy_meanwhile_stays(
    pair: tuple[ObjectStore, ObjectStore], proxy: Proxy
) -> None:
    store, other = pair
    bucket = await make_bucket(store)
    await put(store, bucket, b"source", b"copied")
    source = await store.get_object(bucket, b"source")
    proxy.cut, proxy.meanwhile = "after", lambda: put(other, bucket, b"key", b"newer")
    await store.copy_object(source, bucket, b"key", PLAIN)
    assert await content(store, bucket, b"key") == b"newer"
    assert await invariants(store) == set()


async def test_a_put_that_another_forestalled_is_refused(
    pair: tuple[ObjectStore, ObjectStore], proxy: Proxy
) -> None:
    store, other = pair
    bucket = await make_bucket(store)
    proxy.cut, proxy.meanwhile = "before", lambda: put(other, bucket, b"key", b"theirs")
    with pytest.raises(PreconditionFailed):
        await put(store, bucket, b"key", _LARGE, WriteCondition(if_none_match_any=True))
    assert await content(store, bucket, b"key") == b"theirs"
    assert await invariants(store) == set()


async def test_what_cannot_be_settled_is_uncertain(
    store: ObjectStore, proxy: Proxy, postgres: PostgresServer
) -> None:
    bucket = await make_bucket(store)
    proxy.cut, proxy.meanwhile = "after", lambda: asyncio.to_thread(postgres.stop)
    with pytest.raises(CommitUncertain):
        await put(store, bucket, b"key", _LARGE)
    await asyncio.to_thread(postgres.start)
    assert await content(store, bucket, b"key") == _LARGE
