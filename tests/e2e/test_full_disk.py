"""A disk that is full: writes are refused, deletes go on, and a start still succeeds."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from support.endpoint import Endpoint
from support.photos import ROCKET
from support.tools import missing, need
from vexobj_server.testing import RunningServer, running_server

_ENVIRONMENT = {"VEXOBJ_STORAGE_GC_GRACE": "0s"}
_PIECE = 1024**2
_EXPIRES = {
    "ID": "old",
    "Status": "Enabled",
    "Filter": {"Prefix": "key"},
    "NoncurrentVersionExpiration": {"NoncurrentDays": 1},
}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 MiB: a real one, that says itself when it is full."""
    if os.geteuid() != 0:
        missing("root, who may mount a file system,")
    disk = tmp_path / "data"
    disk.mkdir()
    subprocess.run([need("mount"), "-t", "tmpfs", "-o", "size=64m", "none", disk], check=True)
    yield disk
    subprocess.run([need("umount"), "--lazy", disk], check=True)


def client(server: RunningServer) -> httpx.Client:
    headers = {"authorization": f"Bearer {server.secret_access_key}"}
    return httpx.Client(base_url=server.url, headers=headers, timeout=60, trust_env=False)


def fill_by_putting(api: httpx.Client) -> tuple[list[str], httpx.Response]:
    """The keys of what was stored, and the first refusal."""
    stored: list[str] = []
    while True:
        body = os.urandom(_PIECE)
        answer = api.put(f"/v1/objects/bucket/{len(stored)}", content=body)
        if answer.status_code != httpx.codes.CREATED:
            return stored, answer
        stored.append(f"{len(stored)}")


def fill_beside(path: Path) -> Callable[[], None]:
    """As another program would, to the last byte; what frees it again."""
    with path.open("wb", buffering=0) as file:
        for size in (_PIECE, 4096):
            try:
                while file.write(bytes(size)) == size:
                    continue
            except OSError:
                continue
    assert os.statvfs(path).f_bavail == 0
    return path.unlink


def entries(cache: Path) -> list[Path]:
    return [path for path in cache.rglob("*") if path.is_file() and path.stat().st_size > 1000]


def until(satisfied: Callable[[], bool]) -> None:
    """What happens beside us, in a second or two."""
    for _ in range(600):
        if satisfied():
            return
        os.sched_yield()
        subprocess.run(["/bin/sleep", "0.1"], check=True)
    raise AssertionError("it never happened")


def test_deletes_work_on_a_full_disk(small_disk: Path) -> None:
    with running_server(small_disk, environment=_ENVIRONMENT) as server, client(server) as api:
        assert api.post("/v1/buckets", json={"name": "bucket"}).status_code == 201
        stored, refused = fill_by_putting(api)
        assert len(stored) > 30
        assert (refused.status_code, refused.json()["code"]) == (507, "OutOfSpace")
        s3 = api.put("/bucket/one-more", content=os.urandom(_PIECE))
        assert (s3.status_code, "<Code>StorageFull</Code>" in s3.text) == (507, True)

        fill_beside(small_disk / "log of somebody")
        assert api.get(f"/v1/objects/bucket/{stored[0]}").status_code == 200
        for key in stored:
            assert api.delete(f"/v1/objects/bucket/{key}").status_code == 204, key
        assert api.post("/v1/admin/gc").json()["bytes_freed"] == len(stored) * _PIECE
        until(lambda: api.put("/v1/objects/bucket/new", content=b"x").status_code == 201)


def test_a_start_succeeds_on_a_full_disk(small_disk: Path) -> None:
    with running_server(small_disk, environment=_ENVIRONMENT) as server, client(server) as api:
        api.post("/v1/buckets", json={"name": "bucket"})
        stored, _ = fill_by_putting(api)
    free = fill_beside(small_disk / "log of somebody")
    with running_server(small_disk, environment=_ENVIRONMENT) as server, client(server) as api:
        assert api.get(f"/v1/objects/bucket/{stored[0]}").status_code == 200
        assert api.put("/v1/objects/bucket/new", content=b"x").status_code == 507
        assert api.delete(f"/v1/objects/bucket/{stored[0]}").status_code == 204
        free()
        until(lambda: api.put("/v1/objects/bucket/new", content=b"x").status_code == 201)


def test_the_cache_of_variants_gives_way(small_disk: Path) -> None:
    with running_server(small_disk, environment=_ENVIRONMENT) as server, client(server) as api:
        api.post("/v1/buckets", json={"name": "bucket"})
        jpeg = {"content-type": "image/jpeg"}
        api.put("/v1/objects/bucket/rocket", content=ROCKET.read_bytes(), headers=jpeg)
        for width in range(100, 200, 10):
            assert api.get(f"/v1/objects/bucket/rocket?w={width}").status_code == 200
        variants = small_disk / "cache"
        until(lambda: len(entries(variants)) == 10)
        fill_by_putting(api)
        until(lambda: not entries(variants))
        assert api.get("/v1/objects/bucket/rocket?w=100").status_code == 200


def test_all_features_on_a_full_disk(small_disk: Path) -> None:
    """Sealed versions, locked ones, parts of uploads: what is refused changes nothing."""
    secrets = {"VEXOBJ_SSE_ENABLED": "true", "VEXOBJ_SSE_MASTER_KEY": "6d" * 32}
    environment = _ENVIRONMENT | secrets | {"VEXOBJ_LIFECYCLE_DAY_SECONDS": "1"}
    with running_server(small_disk, environment=environment) as server, client(server) as api:
        s3 = Endpoint.of(server).boto3()
        s3.create_bucket(Bucket="kept", ObjectLockEnabledForBucket=True)
        held = s3.put_object(
            Bucket="kept", Key="held", Body=b"held", ObjectLockLegalHoldStatus="ON"
        )["VersionId"]
        upload = s3.create_multipart_upload(Bucket="kept", Key="parts")["UploadId"]
        part = {"Bucket": "kept", "Key": "parts", "UploadId": upload}
        etag = s3.upload_part(**part, PartNumber=1, Body=b"1" * 5 * _PIECE)["ETag"]
        versions, _ = _fill_with_versions(s3)
        with pytest.raises(ClientError, match="StorageFull"):
            s3.upload_part(**part, PartNumber=2, Body=b"2" * _PIECE)

        fill_beside(small_disk / "log of somebody")
        done = s3.complete_multipart_upload(
            **part, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": etag}]}
        )
        s3.put_bucket_lifecycle_configuration(
            Bucket="kept", LifecycleConfiguration={"Rules": [_EXPIRES]}
        )
        with pytest.raises(ClientError, match="AccessDenied"):
            s3.delete_object(Bucket="kept", Key="held", VersionId=held)
    with running_server(small_disk, environment=environment) as server, client(server) as api:
        s3 = Endpoint.of(server).boto3()
        assert s3.get_object(Bucket="kept", Key="held")["Body"].read() == b"held"
        body = s3.get_object(Bucket="kept", Key="parts", VersionId=done["VersionId"])["Body"]
        assert body.read() == b"1" * 5 * _PIECE
        for version, data in versions.items():
            found = s3.get_object(Bucket="kept", Key="key", VersionId=version)
            assert found["Body"].read() == data
        until(lambda: api.post("/v1/admin/lifecycle/run").is_success and _is_alone(s3))
        assert api.post("/v1/admin/gc").json()["bytes_freed"] >= (len(versions) - 1) * _PIECE
        until(lambda: api.put("/v1/objects/kept/new", content=b"x").status_code == 201)


def _is_alone(s3: Any) -> bool:
    return len(s3.list_object_versions(Bucket="kept", Prefix="key")["Versions"]) == 1


def _fill_with_versions(s3: Any) -> tuple[dict[str, bytes], ClientError]:
    """Of one key: their contents, by version id; and the first refusal."""
    stored: dict[str, bytes] = {}
    while True:
        body = os.urandom(_PIECE)
        try:
            stored[s3.put_object(Bucket="kept", Key="key", Body=body)["VersionId"]] = body
        except ClientError as refused:
            return stored, refused
