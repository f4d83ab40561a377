"""Variants as a worker offers them: from memory, from disk, or rendered by a real broker."""

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image

from vexobj_cache import DiskCacheReader, MemoryCache
from vexobj_processing import (
    DEFAULT_LIMITS,
    Encoding,
    Format,
    ImageUnreadable,
    LimitExceeded,
    Limits,
    Transform,
)
from vexobj_processing.testing import decoded, encoded, photo
from vexobj_server.media.client import MediaClient
from vexobj_server.media.config import BrokerConfig
from vexobj_server.media.errors import MediaBusy, MediaUnavailable, MediaUnsupported
from vexobj_server.media.protocol import MediaFile
from vexobj_server.media.supervisor import BrokerHandle, start_broker
from vexobj_server.media.variantcache import VariantCache, cache_directory
from vexobj_server.services.variants import Variant, Variants
from vexobj_storage import ObjectAttributes, ObjectVersion, StoredObject

ASKED = Transform(100, 80)
PHOTO = encoded(photo(), "JPEG")
CHROME = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"


@dataclass
class Files:
    """Originals in a directory; those under `remote` have no path."""

    directory: Path
    remote: set[bytes] = field(default_factory=set)
    reads: int = 0

    def put(
        self, data: bytes, content_type: str = "image/jpeg", *, remote: bool = False
    ) -> StoredObject:
        sha256 = hashlib.sha256(data).digest()
        (self.directory / sha256.hex()).write_bytes(data)
        if remote:
            self.remote.add(sha256)
        now = datetime.now(UTC)
        version = ObjectVersion(
            bucket_id=1,
            key=b"key",
            uid=sha256[:16],
            version_id="null",
            sequence=1,
            is_latest=True,
            is_delete_marker=False,
            size=len(data),
            etag="e" * 32,
            sha256=sha256,
            created_at=now,
            modified_at=now,
            attributes=ObjectAttributes(content_type=content_type),
            blob_id=sha256[:16],
        )
        return StoredObject(version)

    def path(self, stored: StoredObject) -> Path | None:
        sha256 = stored.version.sha256 or b""
        return None if sha256 in self.remote else self.directory / sha256.hex()

    async def read(
        self, stored: StoredObject, start: int = 0, length: int | None = None
    ) -> AsyncGenerator[bytes, None]:
        self.reads += 1
        data = (self.directory / (stored.version.sha256 or b"").hex()).read_bytes()
        end = len(data) if length is None else start + length
        for position in range(start, end, 10_000):
            await asyncio.sleep(0)
            yield data[position : min(end, position + 10_000)]


@dataclass
class Server:
    directory: Path
    handle: BrokerHandle
    client: MediaClient
    files: Files

    def worker(
        self,
        memory_bytes: int = 10**7,
        limits: Limits = DEFAULT_LIMITS,
        key: bytes | None = None,
    ) -> Variants:
        return Variants(
            self.client,
            MemoryCache(memory_bytes),
            VariantCache(DiskCacheReader(cache_directory(self.directory / "cache", key)), key),
            self.files,
            limits=limits,
        )


@pytest.fixture
def directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="vx-") as path:
        yield Path(path)


@asynccontextmanager
async def running(
    directory: Path, queue_size: int = 64, cache_key: bytes | None = None
) -> AsyncIterator[Server]:
    config = BrokerConfig(
        socket_path=directory / "m.sock",
        workers=1,
        cache_dir=directory / "cache",
        cache_bytes=10**8,
        cache_key=cache_key,
        queue_size=queue_size,
    )
    handle = await asyncio.to_thread(start_broker, config)
    client = MediaClient(config.socket_path)
    originals = directory / "originals"
    originals.mkdir(exist_ok=True)
    try:
        yield Server(directory, handle, client, Files(originals))
    finally:
        await client.close()
        await asyncio.to_thread(handle.stop)


async def body(variant: Variant, start: int = 0, length: int | None = None) -> bytes:
    payload = await variant.open(start, variant.size - start if length is None else length)
    if isinstance(payload, bytes):
        return payload
    assert not isinstance(payload, Path)
    return b"".join([chunk async for chunk in payload])


async def test_rendered_once_then_from_memory_then_from_disk(directory: Path) -> None:
    async with running(directory) as server:
        stored = server.files.put(PHOTO)
        worker = server.worker()
        first = await worker.variant(stored, ASKED, CHROME)
        again = await worker.variant(stored, ASKED, CHROME)
        other = await server.worker().variant(stored, ASKED, CHROME)
        assert [found.cache for found in (first, again, other)] == ["miss", "hit", "hit"]
        assert first.content == again.content == other.content
        assert first.content_type == other.content_type == "image/avif"
        assert first.negotiated
        assert decoded(await body(first)).size == (100, 80)
        assert (await server.client.stats()).computations == 1


async def test_the_etag_is_known_without_the_variant(directory: Path) -> None:
    async with running(directory) as server:
        stored = server.files.put(PHOTO)
        worker = server.worker()
        etag = worker.etag(stored, ASKED, CHROME)
        assert (await server.client.stats()).computations == 0
        assert (await worker.variant(stored, ASKED, CHROME)).etag == etag
        assert worker.etag(stored, ASKED, "image/avif,image/webp,*/*") == etag
        assert worker.etag(stored, ASKED, "*/*") != etag
        assert worker.etag(server.files.put(PHOTO + b"\0"), ASKED, CHROME) != etag


async def test_an_explicit_format_is_the_same_for_all_clients(directory: Path) -> None:
    async with running(directory) as server:
        stored = server.files.put(PHOTO)
        asked = replace(ASKED, format=Format.PNG)
        worker = server.worker()
        found = [await worker.variant(stored, asked, accept) for accept in (CHROME, None)]
        assert [(one.content_type, one.negotiated, one.cache) for one in found] == [
            ("image/png", False, "miss"),
            ("image/png", False, "hit"),
        ]


async def test_originals_that_are_no_file_are_read(directory: Path) -> None:
    async with running(directory) as server:
        local = await server.worker().variant(server.files.put(PHOTO), ASKED, None)
        remote = server.files.put(encoded(photo(), "PNG"), "image/png", remote=True)
        worker = server.worker()
        found = await asyncio.gather(*(worker.variant(remote, ASKED, None) for _ in range(20)))
        assert server.files.reads == 1
        assert len({one.content for one in found}) == 1
        assert decoded(await body(found[0])).size == decoded(await body(local)).size


@pytest.mark.parametrize("size", [(40, 30), (400, 300)])
async def test_who_waits_too_long_in_line_is_told(directory: Path, size: tuple[int, int]) -> None:
    async with running(directory, queue_size=2) as server:
        worker = server.worker()
        noise = Image.effect_noise(size, 80).convert("RGB")
        stored = server.files.put(encoded(noise, "PNG"), "image/png", remote=True)
        asked = (Transform(1 + n, 1) for n in range(30))
        answers = await asyncio.gather(
            *(worker.variant(stored, each, None) for each in asked), return_exceptions=True
        )
        busy = [answer for answer in answers if isinstance(answer, MediaBusy)]
        assert busy
        assert len(busy) + sum(isinstance(answer, Variant) for answer in answers) == 30


async def test_an_object_of_several_segments_is_named_by_its_manifest(directory: Path) -> None:
    async with running(directory) as server:
        worker = server.worker()
        stored = server.files.put(PHOTO)
        version = replace(stored.version, sha256=None, blob_id=None)
        one, other = (
            StoredObject(replace(version, manifest_id=manifest)) for manifest in (b"1", b"2")
        )
        assert worker.etag(one, ASKED, None) != worker.etag(other, ASKED, None)


@pytest.mark.parametrize(
    ("data", "content_type"),
    [
        (b"hello", "text/plain"),
        (PHOTO, "application/octet-stream"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/SVG+xml; charset=utf-8"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/png"),
        (b"\0\0\0\x18ftypheic" + b"\0" * 99, "image/heic"),
    ],
)
async def test_what_is_no_image_is_left_to_its_original(
    directory: Path, data: bytes, content_type: str
) -> None:
    async with running(directory) as server:
        with pytest.raises(MediaUnsupported):
            await server.worker().variant(server.files.put(data, content_type), ASKED, None)


async def test_broken_and_too_large_originals(directory: Path) -> None:
    async with running(directory) as server:
        worker = server.worker(limits=Limits(max_source_bytes=len(PHOTO)))
        with pytest.raises(ImageUnreadable):
            await worker.variant(server.files.put(PHOTO[:5000]), ASKED, None)
        remote = server.files.put(PHOTO + b"\0", remote=True)
        with pytest.raises(LimitExceeded):
            await worker.variant(remote, ASKED, None)
        assert server.files.reads == 0


async def test_a_large_variant_is_never_held_in_memory(directory: Path) -> None:
    async with running(directory) as server:
        noise = Image.effect_noise((1300, 1300), 90)
        stored = server.files.put(encoded(noise, "PNG"), "image/png")
        worker = server.worker()
        asked = Transform(1300, format=Format.PNG)
        for expected in ("miss", "hit"):
            found = await worker.variant(stored, asked, None)
            assert isinstance(found.content, MediaFile)
            assert (found.cache, found.size > 1024**2) == (expected, True)
            whole = await body(found)
            assert decoded(whole).size == (1300, 1300)
            assert await body(found, 7, 300_000) == whole[7:300_007]
            part = await found.part(1)
            assert part
            assert (part.length, await found.part(2)) == (found.size, None)


async def test_a_caller_who_leaves_does_not_fail_the_others(directory: Path) -> None:
    async with running(directory) as server:
        stored = server.files.put(PHOTO)
        worker = server.worker()
        callers = [asyncio.create_task(worker.variant(stored, ASKED, None)) for _ in range(5)]
        await asyncio.sleep(0)
        callers[0].cancel()
        results = await asyncio.gather(*callers, return_exceptions=True)
        assert isinstance(results[0], asyncio.CancelledError)
        assert all(isinstance(result, Variant) for result in results[1:])
        assert (await server.client.stats()).computations == 1


async def test_without_a_broker_what_is_cached_is_served(directory: Path) -> None:
    async with running(directory) as server:
        stored = server.files.put(PHOTO)
        await server.worker().variant(stored, ASKED, None)
        await asyncio.to_thread(server.handle.stop)
        assert (await server.worker().variant(stored, ASKED, None)).cache == "hit"
        with pytest.raises(MediaUnavailable):
            await server.worker().variant(stored, replace(ASKED, width=7), None)


def kept(directory: Path) -> list[bytes]:
    return [path.read_bytes() for path in (directory / "cache").rglob("entries/*/*")]


async def test_variants_on_disk_are_sealed_where_there_is_a_key(directory: Path) -> None:
    key = b"k" * 32
    async with running(directory) as server:
        stored = server.files.put(PHOTO)
        plain = await server.worker().variant(stored, ASKED, None)
        assert isinstance(plain.content, bytes)
        assert any(plain.content in entry for entry in kept(directory))
    async with running(directory, cache_key=key) as server:
        await server.client.stats()
        stored = server.files.put(PHOTO)
        assert kept(directory) == []
        first = await server.worker(key=key).variant(stored, ASKED, None)
        again = await server.worker(key=key).variant(stored, ASKED, None)
        other = await server.worker(key=b"o" * 32).variant(stored, ASKED, None)
        assert (first.cache, again.cache, other.cache) == ("miss", "hit", "hit")
        assert plain.content == first.content == again.content == other.content
        assert len(kept(directory)) == 1
        assert not any(plain.content[9:99] in entry for entry in kept(directory))
        assert (await server.client.stats()).computations == 1
    async with running(directory) as server:
        await server.client.stats()
        assert kept(directory) == []


def test_configuration_survives_the_pipe(tmp_path: Path) -> None:
    config = BrokerConfig(
        socket_path=tmp_path / "m.sock",
        workers=3,
        cache_dir=tmp_path / "cache",
        cache_key=b"k" * 32,
        limits=Limits(max_source_pixels=5),
        encoding=Encoding(jpeg_quality=1),
    )
    assert BrokerConfig.from_json(config.to_json()) == config
    assert BrokerConfig.from_json(replace(config, cache_dir=None).to_json()).cache_dir is None
