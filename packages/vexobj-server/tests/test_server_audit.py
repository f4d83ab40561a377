"""The audit log: every write of both APIs leaves its entry, and nothing else does."""

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.endpoint import Endpoint
from vexobj_s3compat.operations import OPERATIONS
from vexobj_server.rest.app import openapi_document
from vexobj_server.services.audit import ACTIONS, NATIVE_ACTIONS
from vexobj_server.testing import RunningServer, running_server

_READS = ("Get", "Head", "List")


def _entries(api: httpx.Client, **wanted: Any) -> list[dict[str, Any]]:
    page = api.get("/v1/admin/audit", params=wanted)
    assert page.status_code == 200, page.text
    entries: list[dict[str, Any]] = page.json()["entries"]
    return entries


def _said(entry: Mapping[str, Any]) -> tuple[str, str]:
    return entry["action"], entry["resource"]


def test_every_operation_is_a_read_or_has_an_action() -> None:
    writes = {op.name for op in OPERATIONS if not op.name.startswith(_READS)}
    assert writes == set(ACTIONS)
    native = {
        operation["operationId"]
        for path in openapi_document()["paths"].values()
        for method, operation in path.items()
        if method not in {"get", "head"}
    }
    assert native == set(NATIVE_ACTIONS)


def test_writes_by_the_native_api(server: RunningServer, api: httpx.Client) -> None:
    name = f"audit-{secrets.token_hex(4)}"
    assert api.post("/v1/buckets", json={"name": name}).status_code == 201
    put = api.put(f"/v1/objects/{name}/a/ü", content=b"1", headers={"x-request-id": "mine"})
    assert put.status_code == 201
    api.put(f"/v1/object/{name}", params={"key": "b"}, content=b"1")
    assert api.get(f"/v1/objects/{name}/a/ü").status_code == 200
    assert api.delete(f"/v1/objects/{name}/a/ü").status_code == 204
    api.delete(f"/v1/versions/{name}", params={"key": "b"})
    assert api.delete(f"/v1/buckets/{name}").status_code == 204
    assert api.delete(f"/v1/buckets/{name}").status_code == 404
    found = _entries(api, resource=name)
    assert [_said(entry) for entry in reversed(found)] == [
        ("bucket.create", name),
        ("object.create", f"{name}/a/ü"),
        ("object.create", f"{name}/b"),
        ("object.delete", f"{name}/a/ü"),
        ("object.versions.purge", f"{name}/b"),
        ("bucket.delete", name),
    ]
    (entry,) = _entries(api, request_id="mine", resource=f"{name}/a")
    assert entry["access_key_id"] == server.access_key_id
    assert entry["api_key_prefix"] == server.access_key_id[:12]
    assert entry["ip_address"] == "127.0.0.1"
    assert (entry["actor"], entry["details"]) == ("root", {})
    assert [_said(e) for e in _entries(api, resource=name, action="object.delete")] == [
        ("object.delete", f"{name}/a/ü")
    ]
    assert len(_entries(api, resource=name, limit=2, offset=5)) == 1


def test_writes_by_the_s3_api(server: RunningServer, api: httpx.Client, bucket: str) -> None:
    s3 = Endpoint(server.url, server.access_key_id, server.secret_access_key).boto3()
    s3.put_object(Bucket=bucket, Key="a", Body=b"1")
    s3.get_object(Bucket=bucket, Key="a")
    s3.list_objects_v2(Bucket=bucket)
    s3.copy_object(Bucket=bucket, Key="b", CopySource=f"{bucket}/a")
    upload = s3.create_multipart_upload(Bucket=bucket, Key="c")["UploadId"]
    s3.upload_part(Bucket=bucket, Key="c", UploadId=upload, PartNumber=1, Body=b"1")
    s3.abort_multipart_upload(Bucket=bucket, Key="c", UploadId=upload)
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "a"}, {"Key": "b"}]})
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket=bucket, Key="a", Body=b"1")["VersionId"]
    s3.delete_object(Bucket=bucket, Key="a", VersionId=version)
    with pytest.raises(Exception, match="NoSuchUpload"):
        s3.abort_multipart_upload(Bucket=bucket, Key="c", UploadId="00" * 16)
    found = _entries(api, resource=bucket)[::-1]
    mine = [entry for entry in found if entry["action"] != "bucket.create"]
    assert [_said(entry) for entry in mine] == [
        ("object.create", f"{bucket}/a"),
        ("object.copy", f"{bucket}/b"),
        ("upload.create", f"{bucket}/c"),
        ("upload.part.create", f"{bucket}/c"),
        ("upload.abort", f"{bucket}/c"),
        ("object.delete", bucket),
        ("bucket.versioning.set", bucket),
        ("object.create", f"{bucket}/a"),
        ("object.version.delete", f"{bucket}/a"),
    ]
    assert mine[5]["details"] == {"keys": ["a", "b"]}
    assert mine[-1]["details"] == {"version_id": version}


def test_administration_is_recorded_without_secrets(api: httpx.Client) -> None:
    made = api.post("/v1/admin/keys", json={"name": "scribe"}).json()
    key_id = made["access_key_id"]
    assert api.delete(f"/v1/admin/keys/{key_id}").status_code == 204
    api.post("/v1/admin/gc")
    found = _entries(api, resource=key_id)
    assert [entry["action"] for entry in found] == ["key.delete", "key.create"]
    assert found[1]["details"] == {"name": "scribe"}
    assert _entries(api, action="gc.run", limit=1)
    assert made["secret"] not in str(_entries(api, limit=1000))


def test_only_admins_read_it(server: RunningServer, api: httpx.Client) -> None:
    secret = api.post("/v1/admin/keys", json={"name": "reader"}).json()["secret"]
    headers = {"authorization": f"Bearer {secret}"}
    refused = httpx.get(f"{server.url}/v1/admin/audit", headers=headers, trust_env=False)
    assert refused.status_code == 403
    assert api.get("/v1/admin/audit", params={"since": "yesterday"}).status_code == 400


@pytest.mark.parametrize(("trusted", "told"), [("127.0.0.0/8", "192.0.2.7"), ("", "127.0.0.1")])
def test_addresses_are_believed_from_trusted_proxies(
    tmp_path: Path, trusted: str, told: str
) -> None:
    environment = {"VEXOBJ_SERVER_TRUSTED_PROXIES": trusted} if trusted else {}
    with running_server(tmp_path / "data", environment=environment) as server:
        headers = {
            "authorization": f"Bearer {server.secret_access_key}",
            "x-forwarded-for": "192.0.2.7",
        }
        with httpx.Client(base_url=server.url, headers=headers, trust_env=False) as api:
            assert api.post("/v1/buckets", json={"name": "photos"}).status_code == 201
            assert [entry["ip_address"] for entry in _entries(api)] == [told]


def test_nothing_is_recorded_where_that_is_switched_off(tmp_path: Path) -> None:
    environment = {"VEXOBJ_AUDIT_ENABLED": "false"}
    with running_server(tmp_path / "data", environment=environment) as server:
        headers = {"authorization": f"Bearer {server.secret_access_key}"}
        with httpx.Client(base_url=server.url, headers=headers, trust_env=False) as api:
            assert api.post("/v1/buckets", json={"name": "photos"}).status_code == 201
            assert api.post("/v1/admin/gc").status_code == 200
            assert _entries(api) == []
