"""Pictures made to hurt: others are served meanwhile, and nothing is left behind."""

import asyncio
import io
import itertools
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from PIL import Image

from support.endpoint import Endpoint
from support.metrics import metric
from support.photos import ROCKET
from support.processes import PeakMemory, family
from vexobj_server.testing import RunningServer, running_server

CACHE_BYTES = 2 * 1024**2
GROWTH_BYTES = 900 * 1024**2
"""Two decoders of large pictures at once; one of these bombs unbounded takes 760 MB."""


def png(side: int) -> bytes:
    """One bit a pixel, all black."""
    rows = zlib.compress(bytes((side // 8 + 1) * side), 9)
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)),
        (b"IDAT", rows),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


def flat(image_format: str, width: int, height: int, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height)).save(buffer, image_format, **options)
    return buffer.getvalue()


def many_scans() -> bytes:
    data = flat("JPEG", 5000, 5000, progressive=True, quality=1)
    scan = data[data.rindex(b"\xff\xda") : -2]
    return data[:-2] + scan * 800 + data[-2:]


def bombs() -> dict[str, tuple[str, bytes, int]]:
    """Name to content type, bytes and the status of their transformation."""
    return {
        "png-13000": ("image/png", png(13_000), 422),
        "png-7000": ("image/png", png(7_000), 200),
        "webp-7000": ("image/webp", flat("WEBP", 7_000, 7_000, lossless=True, method=0), 422),
        "avif-16000": ("image/avif", flat("AVIF", 16_000, 3_000, speed=10), 422),
        "jpeg-scans": ("image/jpeg", many_scans(), 422),
        "jpeg-7000": ("image/jpeg", flat("JPEG", 7_000, 7_000, progressive=True), 200),
    }


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    environment = {
        "VEXOBJ_CACHE_DISK_SIZE": str(CACHE_BYTES),
        "VEXOBJ_CACHE_MEMORY_SIZE": str(CACHE_BYTES),
        "VEXOBJ_IMAGES_WORKERS": "2",
    }
    with running_server(tmp_path / "data", workers=2, environment=environment) as running:
        s3 = Endpoint(running.url, running.access_key_id, running.secret_access_key).boto3()
        s3.create_bucket(Bucket="images")
        pictures = bombs() | {"photo": ("image/jpeg", ROCKET.read_bytes(), 200)}
        for name, (content_type, data, _) in pictures.items():
            s3.put_object(
                Bucket="images", Key=name, Body=data, ContentType=content_type, ACL="public-read"
            )
        yield running


async def test_thirty_bombs_at_once(server: RunningServer) -> None:
    wanted = {name: status for name, (_, _, status) in bombs().items()}
    done = asyncio.Event()
    async with httpx.AsyncClient(base_url=f"{server.url}/images", timeout=120) as http:
        cached = "/photo?w=100&format=webp"
        variant = (await http.get(cached)).content

        async def others() -> int:
            count = 0
            while not done.is_set():
                assert (await http.get("/photo")).content == ROCKET.read_bytes()
                assert (await http.get(cached)).content == variant
                count += 1
            return count

        beside = asyncio.create_task(others())
        with PeakMemory(server.pid) as memory:
            names = list(itertools.islice(itertools.cycle(wanted), 30))
            answers = await asyncio.gather(
                *(http.get(f"/{name}?w={200 + n}") for n, name in enumerate(names))
            )
        done.set()
        assert await beside > 1
    for name, answer in zip(names, answers, strict=True):
        assert answer.status_code == wanted[name], (name, answer.text)
    assert memory.growth < GROWTH_BYTES
    assert not [p for p in family(server.pid) if p.status() == psutil.STATUS_ZOMBIE]


async def test_a_thousand_variants_take_no_more_than_the_cache_may(server: RunningServer) -> None:
    turns = asyncio.Semaphore(16)

    async def ask(http: httpx.AsyncClient, number: int) -> int:
        async with turns:
            query = f"w={1 + number % 200}&h={1 + number // 200}&format=jpeg"
            return (await http.get(f"/photo?{query}")).status_code

    async with httpx.AsyncClient(base_url=f"{server.url}/images", timeout=60) as http:
        assert {await ask(http, 0)} == {200}
        before = sum(process.num_fds() for process in family(server.pid))
        statuses = await asyncio.gather(*(ask(http, number) for number in range(1000)))
    assert set(statuses) == {200}
    assert metric(server, "vexobj_variants_computed_total") == 1000
    kept = [path for path in (server.data_dir / "cache").rglob("*") if path.is_file()]
    assert sum(path.stat().st_blocks * 512 for path in kept) <= CACHE_BYTES
    # A connection for each turn, and what a second decoder takes.
    assert sum(process.num_fds() for process in family(server.pid)) <= before + 40
