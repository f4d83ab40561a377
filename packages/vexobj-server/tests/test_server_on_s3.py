"""A server whose blobs are in an S3 service, from its start to their way back home."""

import asyncio
import contextlib
import hashlib
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

import httpx
import pytest

from support.endpoint import Endpoint
from support.faulty import Refuse, faulty_proxy
from support.metrics import metric
from support.photos import ROCKET
from support.processes import PeakMemory
from support.s3services import BUCKET, SERVICES, vexobj_service
from vexobj_server.testing import RunningServer, running_server
from vexobj_storage import ObjectAttributes, ObjectStore, StoreConfig

_MIB = 1024**2


def settings(service: Endpoint, **others: str) -> dict[str, str]:
    return {
        "VEXOBJ_STORAGE_BACKEND": "s3",
        "VEXOBJ_S3_ENDPOINT": service.url,
        "VEXOBJ_S3_BUCKET": BUCKET,
        "VEXOBJ_S3_ACCESS_KEY": service.access_key_id,
        "VEXOBJ_S3_SECRET_KEY": service.secret_access_key,
        "VEXOBJ_S3_PREFIX": "server/",
        **others,
    }


@pytest.fixture(scope="module", params=SERVICES)
def service(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Endpoint]:
    with SERVICES[request.param](tmp_path_factory.mktemp(request.param)) as endpoint:
        yield endpoint


@pytest.fixture(scope="module")
def other_vexobj(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    with vexobj_service(tmp_path_factory.mktemp("other")) as endpoint:
        yield endpoint


def clients(server: RunningServer) -> tuple[httpx.Client, "Endpoint"]:
    headers = {"authorization": f"Bearer {server.secret_access_key}"}
    api = httpx.Client(base_url=server.url, headers=headers, trust_env=False, timeout=60)
    return api, Endpoint(server.url, server.access_key_id, server.secret_access_key)


def vexobj(
    directory: Path, environment: Mapping[str, str], *arguments: str
) -> "subprocess.CompletedProcess[str]":
    inherited = {name: value for name, value in os.environ.items() if "VEXOBJ" not in name}
    return subprocess.run(
        [sys.executable, "-m", "vexobj_server", *arguments],
        env={**inherited, "VEXOBJ_DATA_DIR": str(directory), **environment},
        cwd=directory.parent,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def test_objects_and_variants(tmp_path: Path, service: Endpoint) -> None:
    data = tmp_path / "data"
    with running_server(data, workers=2, environment=settings(service)) as server:
        api, endpoint = clients(server)
        with api:
            api.post("/v1/buckets", json={"name": "media", "public": True}).raise_for_status()
            photo = ROCKET.read_bytes()
            api.put("/v1/objects/media/rocket.jpg", content=photo).raise_for_status()
            assert api.get("/v1/objects/media/rocket.jpg").content == photo
            small = api.get("/v1/objects/media/rocket.jpg", params={"w": "64", "format": "webp"})
            assert (small.status_code, small.headers["content-type"]) == (200, "image/webp")
            s3 = endpoint.boto3()
            body = os.urandom(20 * _MIB)
            s3.put_object(Bucket="media", Key="large", Body=body)
            part = s3.get_object(Bucket="media", Key="large", Range="bytes=9000000-12000000")
            assert part["Body"].read() == body[9_000_000:12_000_001]
            s3.copy_object(Bucket="media", Key="copy", CopySource="media/large")
            whole = hashlib.sha256(s3.get_object(Bucket="media", Key="copy")["Body"].read())
            assert whole.digest() == hashlib.sha256(body).digest()
            assert metric(server, "vexobj_blob_service_requests_total") > 5
        assert not any(path.is_file() for path in (data / "blobs").rglob("*"))
    listed = service.boto3().list_objects_v2(Bucket=BUCKET, Prefix="server/")["Contents"]
    assert sum(entry["Size"] for entry in listed) >= len(body) + len(photo)


def test_memory_is_bounded(tmp_path: Path, other_vexobj: Endpoint) -> None:
    environment = settings(other_vexobj, VEXOBJ_S3_PREFIX="memory/")
    with running_server(tmp_path / "data", environment=environment) as server:
        api, _ = clients(server)
        with api:
            api.post("/v1/buckets", json={"name": "big"}).raise_for_status()
            block = os.urandom(_MIB)
            api.put("/v1/objects/big/first", content=iter([block] * 20)).raise_for_status()
            with PeakMemory(server.pid) as memory:
                api.put("/v1/objects/big/key", content=iter([block] * 200)).raise_for_status()
                with api.stream("GET", "/v1/objects/big/key") as answer:
                    assert sum(map(len, answer.iter_raw())) == 200 * _MIB
    assert memory.growth < 64 * _MIB, "two parts of 8 MiB, and what the allocator keeps"


async def test_a_service_that_fails_is_503_and_heals(
    tmp_path: Path, other_vexobj: Endpoint
) -> None:
    async with faulty_proxy(other_vexobj.url) as proxy:
        environment = settings(
            other_vexobj,
            VEXOBJ_S3_ENDPOINT=proxy.url,
            VEXOBJ_S3_PREFIX="weak/",
            VEXOBJ_STORAGE_S3_MAX_ATTEMPTS="2",
        )
        with contextlib.ExitStack() as stack:
            started = running_server(tmp_path / "data", environment=environment)
            server = await asyncio.to_thread(stack.enter_context, started)
            headers = {"authorization": f"Bearer {server.secret_access_key}"}
            async with httpx.AsyncClient(
                base_url=server.url, headers=headers, trust_env=False, timeout=60
            ) as api:
                assert (await api.post("/v1/buckets", json={"name": "media"})).status_code == 201
                body = os.urandom(100_000)
                proxy.plan = lambda _method, _target: Refuse(503, "SlowDown")
                refused = await api.put("/v1/objects/media/key", content=body)
                assert (refused.status_code, refused.json()["code"]) == (503, "Busy")
                assert int(refused.headers["retry-after"]) > 0
                proxy.plan = lambda _method, _target: None
                assert (await api.put("/v1/objects/media/key", content=body)).is_success
                assert (await api.get("/v1/objects/media/key")).content == body
            await asyncio.to_thread(stack.close)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"VEXOBJ_S3_BUCKET": "nowhere"}, "storage.s3.bucket: there is no bucket nowhere at "),
        ({"VEXOBJ_S3_SECRET_KEY": "x" * 40}, "storage.s3.secret_key: it is not the one of access"),
        ({"VEXOBJ_S3_ACCESS_KEY": "X" * 20}, "storage.s3.access_key: the service does not know X"),
        ({"VEXOBJ_S3_ENDPOINT": "http://127.0.0.1:9"}, "http://127.0.0.1:9 cannot be reached"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_start_says_what_is_wrong(
    tmp_path: Path, other_vexobj: Endpoint, change: dict[str, str], sentence: str
) -> None:
    environment = settings(other_vexobj, **change)
    start = vexobj(tmp_path / "data", environment, "serve")
    assert start.returncode == 2
    assert sentence in start.stderr
    assert "Traceback" not in start.stderr


def test_the_doctor_looks_at_the_service(tmp_path: Path, other_vexobj: Endpoint) -> None:
    fine = vexobj(tmp_path / "data", settings(other_vexobj), "doctor")
    assert f"{other_vexobj.url} keeps blobs in bucket {BUCKET}." in fine.stdout
    wrong = settings(other_vexobj, VEXOBJ_S3_BUCKET="nowhere")
    doctor = vexobj(tmp_path / "data", wrong, "doctor")
    assert doctor.returncode == 1
    assert "storage.s3.bucket: there is no bucket nowhere at " in doctor.stdout


def test_another_stores_prefix_is_refused(tmp_path: Path, other_vexobj: Endpoint) -> None:
    environment = settings(other_vexobj, VEXOBJ_S3_PREFIX="owned/")
    with running_server(tmp_path / "one", environment=environment):
        pass
    start = vexobj(tmp_path / "two", environment, "serve")
    assert start.returncode == 2
    assert "storage.s3.prefix: blobs/owned/ holds the blobs of another store" in start.stderr


async def test_blobs_follow_beside_a_running_server(tmp_path: Path, service: Endpoint) -> None:
    data, bodies = tmp_path / "data", {f"key-{n}": os.urandom(50_000 + n) for n in range(20)}
    await _store_at_home(data, bodies)
    environment = settings(service, VEXOBJ_S3_PREFIX="moved/")
    early = await asyncio.to_thread(vexobj, data, environment, "blobs", "move")
    assert early.returncode == 2
    assert "Restart the server with storage.backend = s3 first" in early.stderr
    with running_server(data, environment=environment) as server:
        api, _ = clients(server)
        with api:
            bodies["new"] = os.urandom(60_000)
            api.put("/v1/objects/media/new", content=bodies["new"]).raise_for_status()
            _all_are_there(api, bodies)
            moved = await asyncio.to_thread(vexobj, data, environment, "blobs", "move")
            assert moved.returncode == 0, moved.stderr
            assert "20 blobs of 0.00 GiB moved." in moved.stderr
            assert "All blobs are in s3 now." in moved.stderr
            _all_are_there(api, bodies)
    assert not any(path.is_file() for path in (data / "blobs").rglob("*"))


async def _store_at_home(data: Path, bodies: Mapping[str, bytes]) -> None:
    async def once(body: bytes) -> AsyncIterator[bytes]:
        yield body

    store = await ObjectStore.open(StoreConfig(data))
    bucket = await store.create_bucket("media", "somebody")
    for key, body in bodies.items():
        staged = await store.stage(once(body))
        await store.put_object(bucket, key.encode(), staged, ObjectAttributes(owner_id="somebody"))
    await store.close()


def _all_are_there(api: httpx.Client, bodies: Mapping[str, bytes]) -> None:
    for key, body in bodies.items():
        assert api.get(f"/v1/objects/media/{key}").content == body, key
