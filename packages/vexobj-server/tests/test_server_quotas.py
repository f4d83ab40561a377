"""Quotas on both APIs, and what explains the disk."""

import hashlib
import secrets
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from vexobj_s3compat import Signer
from vexobj_server.testing import RunningServer, running_server


def _client(server: RunningServer) -> httpx.Client:
    headers = {"authorization": f"Bearer {server.secret_access_key}"}
    return httpx.Client(base_url=server.url, headers=headers, trust_env=False)


def _signed(server: RunningServer, method: str, path: str, data: bytes = b"") -> httpx.Response:
    signer = Signer(server.access_key_id, server.secret_access_key)
    headers = signer.sign(
        method,
        path.encode(),
        b"",
        {"host": server.url.removeprefix("http://")},
        now=time.time(),
        payload_hash=hashlib.sha256(data).hexdigest(),
    )
    return httpx.request(method, server.url + path, headers=headers, content=data)


def test_a_quota_from_its_setting_to_its_end(api: httpx.Client, bucket: str) -> None:
    path = f"/v1/admin/quota/{bucket}"
    none = {"max_bytes": None, "max_objects": None, "is_default": True}
    used = {"bucket": bucket, "used_bytes": 0, "used_objects": 0}
    assert api.get(path).json() == none | used
    set_ = api.put(path, json={"max_bytes": 10})
    assert set_.json() == none | used | {"max_bytes": 10, "is_default": False}
    assert api.put(f"/v1/objects/{bucket}/a", content=b"12345").status_code == 201
    refused = api.put(f"/v1/objects/{bucket}/b", content=b"123456")
    assert refused.status_code == 507
    problem = refused.json()
    assert (problem["code"], problem["error"]) == ("QuotaExceeded", "quota exceeded")
    assert problem["reason"] == "the bucket may hold 10 bytes"
    assert api.put(f"/v1/objects/{bucket}/a", content=b"1234567890").status_code == 201
    assert api.get(path).json()["used_bytes"] == 10
    assert api.delete(path).json() == none | used | {"used_bytes": 10, "used_objects": 1}
    assert api.put(f"/v1/objects/{bucket}/b", content=b"123456").status_code == 201


@pytest.mark.parametrize("body", [{"max_bytes": -1}, {"max_bytes": "many"}, {"bytes": 1}])
def test_quotas_that_cannot_be(api: httpx.Client, bucket: str, body: dict[str, object]) -> None:
    assert api.put(f"/v1/admin/quota/{bucket}", json=body).json()["code"] == "InvalidRequest"
    assert api.put("/v1/admin/quota/missing-one", json={}).json()["code"] == "NoSuchBucket"


@pytest.mark.parametrize("size", [20, 200_000], ids=["inline", "stored"])
def test_s3_says_quota_exceeded(
    server: RunningServer, api: httpx.Client, bucket: str, size: int
) -> None:
    api.put(f"/v1/admin/quota/{bucket}", json={"max_bytes": size, "max_objects": 1})
    assert _signed(server, "PUT", f"/{bucket}/key", bytes(size)).status_code == 200
    for path, data in ((f"/{bucket}/key", bytes(size + 1)), (f"/{bucket}/other", b"")):
        refused = _signed(server, "PUT", path, data)
        assert refused.status_code == 403
        assert "<Code>QuotaExceeded</Code>" in refused.text
    assert _signed(server, "DELETE", f"/{bucket}/key").status_code == 204
    assert _signed(server, "PUT", f"/{bucket}/other", b"").status_code == 200


def test_a_default_holds_from_the_start_on(tmp_path: Path) -> None:
    data, name = tmp_path / "data", f"bucket-{secrets.token_hex(4)}"
    limits = {"VEXOBJ_QUOTAS_ENABLED": "true", "VEXOBJ_QUOTAS_MAX_STORAGE": "100"}
    with running_server(data) as server, _client(server) as api:
        api.post("/v1/buckets", json={"name": name})
    with running_server(data, environment=limits, workers=2) as server, _client(server) as api:
        api.post("/v1/buckets", json={"name": "new-one"})
        for bucket in (name, "new-one"):
            quota = api.get(f"/v1/admin/quota/{bucket}").json()
            assert (quota["max_bytes"], quota["max_objects"], quota["is_default"]) == (
                100,
                100_000,
                True,
            )
        assert api.put(f"/v1/objects/{name}/key", content=bytes(101)).status_code == 507
        assert f'vexobj_bucket_quota_bytes{{bucket="{name}"}} 100.0' in api.get("/metrics").text
    with running_server(data) as server, _client(server) as api:
        assert api.put(f"/v1/objects/{name}/key", content=bytes(101)).status_code == 201


def test_the_disk_is_explained(tmp_path: Path) -> None:
    with running_server(tmp_path / "data") as server, _client(server) as api:
        api.post("/v1/buckets", json={"name": "photos"})
        api.put("/v1/admin/quota/photos", json={"max_bytes": 1_000_000})
        for key in ("gone", "kept"):
            api.put(f"/v1/objects/photos/{key}", content=secrets.token_bytes(900_000 // 2))
        api.delete("/v1/objects/photos/gone")
        api.put("/v1/objects/photos/small", content=bytes(400_000))
        usage = api.get("/v1/admin/usage").json()
        (photos,) = usage["buckets"]
        assert (photos["name"], photos["objects"], photos["size"]) == ("photos", 2, 850_000)
        assert (usage["stored_blobs"], usage["stored_bytes"]) == (2, 850_000)
        assert (usage["waiting_blobs"], usage["waiting_bytes"]) == (1, 450_000)
        assert usage["last_due_at"] is not None
        assert usage["metadata_bytes"] > 0
        assert usage["disk_usage"] >= 850_000
        assert usage["disk_free"] > 0
        doctor = subprocess.run(
            [sys.executable, "-m", "vexobj_server", "doctor"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    assert "Bucket photos: 2 objects, 830.1 KiB. That is 80 % of its quota or more." in doctor
    assert "In use are 830.1 KiB in the blob store" in doctor
    assert "439.5 KiB were deleted and wait for garbage collection, the last until" in doctor
