"""What a server of two workers counts, read as Prometheus reads it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from io import BytesIO

import httpx
import pytest
from PIL import Image
from prometheus_client.parser import text_string_to_metric_families

from vexobj_s3compat import Signer
from vexobj_s3compat.testing import S3TestClient
from vexobj_server.testing import RunningServer, running_server

TOKEN = "only-for-prometheus"
SMALL, LARGE = b"s" * 1000, b"l" * 300_000


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    data = tmp_path_factory.mktemp("counted") / "data"
    token = {"VEXOBJ_METRICS_TOKEN": TOKEN, "VEXOBJ_STORAGE_GC_GRACE": "0s"}
    with running_server(data, workers=2, environment=token) as running:
        yield running


@pytest.fixture
async def root(counted: RunningServer) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"authorization": f"Bearer {counted.secret_access_key}"}
    async with httpx.AsyncClient(base_url=counted.url, headers=headers, trust_env=False) as client:
        yield client


class Reading:
    """All samples at one moment; `since` another one, what was added."""

    def __init__(self, server: RunningServer) -> None:
        headers = {"authorization": f"Bearer {TOKEN}"}
        text = httpx.get(f"{server.url}/metrics", headers=headers).text
        self._samples = {
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def get(self, name: str, **labels: str) -> float:
        return self._samples.get((name, tuple(sorted(labels.items()))), 0)

    def values(self, name: str, label: str) -> list[str]:
        return [dict(labels)[label] for found, labels in self._samples if found == name]


async def settled(server: RunningServer, name: str, value: float, **labels: str) -> Reading:
    """An answer reaches its client a moment before it is counted."""
    async with asyncio.timeout(60):
        while True:
            reading = await asyncio.to_thread(Reading, server)
            if reading.get(name, **labels) >= value:
                return reading
            await asyncio.sleep(0.02)


def test_the_token_is_asked_for(counted: RunningServer) -> None:
    for headers in ({}, {"authorization": f"Bearer {counted.secret_access_key}"}):
        assert httpx.get(f"{counted.url}/metrics", headers=headers).status_code == 401
    assert httpx.get(f"{counted.url}/health").status_code == 200


async def test_both_apis_count_what_goes_in_and_out(
    counted: RunningServer, root: httpx.AsyncClient
) -> None:
    await root.post("/v1/buckets", json={"name": "traffic"})
    before = Reading(counted)
    await root.put("/v1/objects/traffic/native", content=SMALL)
    await root.get("/v1/objects/traffic/native")
    signer = Signer(counted.access_key_id, counted.secret_access_key)
    async with S3TestClient(counted.url, signer) as s3:
        await s3.put("traffic", b"large", LARGE)
        await s3.get("traffic", b"large")
        await s3.get("traffic", b"large", headers={"range": "bytes=0-99"})
        await s3.get("traffic", b"missing")
        await s3.send("HEAD", s3.path("traffic", b"large"))
    operations = "vexobj_s3_operations_total"
    after = await settled(counted, operations, 1, operation="HeadObject", code="200")
    added = {
        name: after.get(name) - before.get(name)
        for name in (
            "vexobj_objects_uploaded_total",
            "vexobj_bytes_uploaded_total",
            "vexobj_objects_downloaded_total",
            "vexobj_bytes_downloaded_total",
        )
    }
    assert list(added.values()) == [
        2,
        len(SMALL) + len(LARGE),
        3,
        len(SMALL) + len(LARGE) + 100,
    ]
    for operation, code, count in (
        ("PutObject", "200", 1),
        ("GetObject", "200", 1),
        ("GetObject", "206", 1),
        ("GetObject", "404", 1),
    ):
        assert after.get(operations, operation=operation, code=code) == count
    assert {"upload", "download"}.isdisjoint(after.values(operations, "operation"))
    assert after.get("vexobj_bucket_objects", bucket="traffic") == 2
    assert after.get("vexobj_bucket_bytes", bucket="traffic") == len(SMALL) + len(LARGE)


async def test_parts_count_their_bytes_and_completion_an_object(
    counted: RunningServer, root: httpx.AsyncClient
) -> None:
    await root.post("/v1/buckets", json={"name": "parts"})
    before = Reading(counted)
    signer = Signer(counted.access_key_id, counted.secret_access_key)
    async with S3TestClient(counted.url, signer) as s3:
        path = s3.path("parts", b"whole")
        begun = await s3.send("POST", path, "uploads=")
        upload_id = begun.body.decode().split("<UploadId>")[1].split("<")[0]
        query = f"partNumber=1&uploadId={upload_id}"
        etag = (await s3.send("PUT", path, query, body=LARGE)).headers["etag"]
        listed = f"<Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part>"
        done = f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>".encode()
        answer = await s3.send("POST", path, f"uploadId={upload_id}", body=done)
        assert answer.status == 200, answer
    after = await settled(
        counted,
        "vexobj_s3_operations_total",
        1,
        operation="CompleteMultipartUpload",
        code="200",
    )
    uploaded = "vexobj_objects_uploaded_total"
    assert after.get(uploaded) - before.get(uploaded) == 1
    received = "vexobj_bytes_uploaded_total"
    assert after.get(received) - before.get(received) == len(LARGE)


async def test_a_signature_that_is_refused_is_an_operation_too(counted: RunningServer) -> None:
    async with S3TestClient(counted.url, Signer("nobody", "x" * 40)) as s3:
        assert (await s3.get("any", b"thing")).status == 403
    await settled(counted, "vexobj_s3_operations_total", 1, operation="refused", code="403")


async def test_variants_their_caches_and_their_processes(
    counted: RunningServer, root: httpx.AsyncClient
) -> None:
    await root.post("/v1/buckets", json={"name": "pictures"})
    buffer = BytesIO()
    Image.linear_gradient("L").convert("RGB").save(buffer, "JPEG")
    headers = {"content-type": "image/jpeg"}
    await root.put("/v1/objects/pictures/a", content=buffer.getvalue(), headers=headers)
    await root.put("/v1/objects/pictures/broken", content=b"\xff\xd8\xff\xe0 no", headers=headers)
    assert (await root.get("/v1/objects/pictures/broken?w=64")).status_code >= 400
    size = 0
    for _ in range(6):
        # On a connection of its own each, so that both workers are asked.
        async with httpx.AsyncClient(base_url=counted.url, headers=root.headers) as http:
            answer = await http.get("/v1/objects/pictures/a?w=64&format=webp")
        assert answer.status_code == 200
        size = len(answer.content)
    now = await settled(counted, "vexobj_variants_computed_total", 2)
    assert now.get("vexobj_variants_computed_total") == 2
    assert now.get("vexobj_variants_failed_total", reason="failure") == 1
    assert now.get("vexobj_variant_duration_seconds_count") == 2
    cache = "vexobj_cache_requests_total"
    hits = [now.get(cache, tier=tier, result="hit") for tier in ("memory", "disk")]
    assert sum(hits) == 5
    assert now.get(cache, tier="disk", result="miss") == 2
    assert now.get("vexobj_cache_entries", tier="disk") == 1
    assert now.get("vexobj_cache_bytes", tier="disk") == 4096
    assert now.get("vexobj_cache_bytes", tier="memory") > size
    assert now.get("vexobj_media_queue_length") == now.get("vexobj_media_running") == 0
    assert now.get("vexobj_media_children_started_total") >= 1
    resident = "vexobj_process_resident_memory_bytes"
    roles = now.values(resident, "role")
    assert sorted(roles) == ["broker", "decoder", "parent", "worker", "worker"]
    assert now.get(resident, role="decoder", pid="all") > 10_000_000
    assert now.get("vexobj_process_cpu_seconds_total", role="decoder", pid="all") > 0


async def test_garbage_and_the_disk(counted: RunningServer, root: httpx.AsyncClient) -> None:
    await root.post("/v1/buckets", json={"name": "rubbish"})
    await root.put("/v1/objects/rubbish/a", content=LARGE[:-1])
    await root.delete("/v1/objects/rubbish/a")
    for _ in range(2):
        assert (await root.post("/v1/admin/gc")).status_code == 200
    now = await settled(counted, "vexobj_gc_runs_total", 2)
    assert now.get("vexobj_gc_blobs_removed_total") == 1
    assert now.get("vexobj_gc_bytes_freed_total") == len(LARGE) - 1
    assert now.get("vexobj_disk_free_bytes") > 0
    used, size = now.get("vexobj_disk_used_bytes"), now.get("vexobj_disk_size_bytes")
    assert 0 < used < size
