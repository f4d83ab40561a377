"""Versions and locks over the native API, and what S3 clients with and without the right may do."""

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from vexobj_s3compat import Signer
from vexobj_s3compat.testing import S3TestClient
from vexobj_server.testing import RunningServer

_UNTIL = (datetime.now(UTC) + timedelta(days=1)).isoformat()
_LATER = (datetime.now(UTC) + timedelta(days=2)).isoformat()
_HELD = {"error": "object is locked", "reason": "legal hold is in effect"}
_RETAINED = {"error": "object is locked", "reason": "retention period has not elapsed"}


def _says(answer: httpx.Response, status: int, expected: dict[str, Any]) -> None:
    assert answer.status_code == status, answer.text
    assert expected.items() <= answer.json().items()


def test_versioning_is_switched(api: httpx.Client, bucket: str) -> None:
    path = f"/v1/admin/versioning/{bucket}"
    assert api.get(path).json() == {"bucket": bucket, "versioning": "off"}
    assert api.post(path).json() == {"bucket": bucket, "versioning": "enabled"}
    suspended = api.post(path, json={"versioning": "suspended"})
    assert suspended.json() == {"bucket": bucket, "versioning": "suspended"}
    assert api.get(path).json() == suspended.json()
    assert api.post(path, json={"versioning": "off"}).status_code == 400
    _says(api.post("/v1/admin/versioning/missing"), 404, {"error": "bucket not found"})


def test_object_lock_of_a_bucket(api: httpx.Client, bucket: str) -> None:
    locked = f"locked-{secrets.token_hex(6)}"
    made = api.post("/v1/buckets", json={"name": locked, "object_lock": True}).json()
    assert (made["versioning"], made["object_lock"]) == ("enabled", {"default_retention": None})
    default = {"mode": "compliance", "days": 2, "years": None}
    path = f"/v1/buckets/{bucket}"
    change = {"object_lock": {"default_retention": default}}
    _says(
        api.patch(path, json=change), 409, {"error": "object lock needs versioning to be enabled"}
    )
    assert api.get(path).json()["object_lock"] is None
    api.post(f"/v1/admin/versioning/{bucket}")
    assert api.patch(path, json=change).json()["object_lock"] == change["object_lock"]
    assert api.patch(path, json={"public": False}).json()["object_lock"] == change["object_lock"]
    assert "<Days>2</Days>" in api.get(f"/{bucket}?object-lock").text
    api.put(f"/v1/objects/{bucket}/k", content=b"kept")
    assert api.get(f"/v1/admin/lock/{bucket}/k").json()["mode"] == "compliance"
    for wrong in ({"days": 1, "years": 1}, {}, {"days": 0}, {"years": 101}):
        broken = {"object_lock": {"default_retention": {"mode": "governance", **wrong}}}
        assert api.patch(path, json=broken).status_code == 400, wrong
    _says(
        api.post(f"/v1/admin/versioning/{bucket}", json={"versioning": "suspended"}),
        409,
        {"error": "object lock needs versioning to be enabled"},
    )


@pytest.mark.parametrize("key", ["plain.txt", "a//b/../é +%2F"])
def test_versions_are_listed_fetched_undeleted_and_purged(
    api: httpx.Client, bucket: str, key: str
) -> None:
    api.post(f"/v1/admin/versioning/{bucket}")
    name = {"key": key}
    for body in (b"1", b"2", b"3"):
        assert api.put(f"/v1/object/{bucket}", params=name, content=body).status_code == 201
    api.put(f"/v1/object/{bucket}", params={"key": key + "-longer"}, content=b"other")
    assert api.delete(f"/v1/object/{bucket}", params=name).status_code == 204
    assert api.get(f"/v1/object/{bucket}", params=name).status_code == 404
    listed = api.get(f"/v1/versions/{bucket}", params=name).json()["versions"]
    told = [(v["key"], v["is_latest"], v["is_delete_marker"]) for v in listed]
    assert told == [(key, number == 0, number == 0) for number in range(4)]
    paged: list[dict[str, Any]] = []
    token: dict[str, str] = {}
    while True:
        query = {**name, **token, "max_versions": "1"}
        page = api.get(f"/v1/versions/{bucket}", params=query).json()
        paged += page["versions"]
        if not page["is_truncated"]:
            break
        token = {"continuation_token": page["next_continuation_token"]}
    assert paged == listed
    for version, body in zip(listed[1:], (b"3", b"2", b"1"), strict=True):
        query = {**name, "version_id": version["version_id"]}
        got = api.get(f"/v1/object/{bucket}", params=query)
        assert (got.content, got.headers["x-vexobj-version-id"]) == (body, version["version_id"])
    marker = {**name, "version_id": listed[0]["version_id"]}
    assert api.delete(f"/v1/object/{bucket}", params=marker).status_code == 204
    assert api.get(f"/v1/object/{bucket}", params=name).content == b"3"
    purged = api.delete(f"/v1/versions/{bucket}", params=name).json()
    assert purged == {
        "bucket": bucket,
        "key": key,
        "blobs_removed": 3,
        "versions_removed": 3,
        "bytes_removed": 3,
    }
    assert api.get(f"/v1/versions/{bucket}", params=name).json()["versions"] == []
    assert api.get(f"/v1/object/{bucket}", params={"key": key + "-longer"}).content == b"other"


def test_both_forms_of_the_key(api: httpx.Client, bucket: str) -> None:
    api.put(f"/v1/objects/{bucket}/dir/key", content=b"1")
    by_path = api.get(f"/v1/versions/{bucket}/dir/key").json()
    assert by_path == api.get(f"/v1/versions/{bucket}", params={"key": "dir/key"}).json()
    assert [v["version_id"] for v in by_path["versions"]] == ["null"]
    assert api.get(f"/v1/admin/lock/{bucket}/dir%2Fkey").status_code == 200
    assert api.get(f"/v1/admin/lock/{bucket}", params={"key": "dir/key"}).status_code == 200
    assert api.delete(f"/v1/versions/{bucket}/dir/key").json()["blobs_removed"] == 1


@pytest.mark.parametrize("versioning", ["off", "enabled", "suspended"])
def test_a_locked_object_stays(api: httpx.Client, bucket: str, versioning: str) -> None:
    if versioning != "off":
        api.post(f"/v1/admin/versioning/{bucket}", json={"versioning": versioning})
    path, lock = f"/v1/objects/{bucket}/k", f"/v1/admin/lock/{bucket}/k"
    _says(api.get(lock), 404, {"error": "object not found"})
    api.put(path, content=b"kept")
    assert api.get(lock).json() == {"retain_until": None, "legal_hold": False, "mode": None}
    held = api.put(lock, json={"legal_hold": True}).json()
    assert held == {"retain_until": None, "legal_hold": True, "mode": None}
    _says(api.delete(path), 409, _HELD)
    _says(api.delete(f"/v1/versions/{bucket}/k"), 409, _HELD)
    overwritten = api.put(path, content=b"new")
    if versioning == "enabled":
        assert overwritten.status_code == 201
        return
    _says(overwritten, 409, _HELD)
    assert api.delete(lock).status_code == 204
    retained = api.put(lock, json={"retain_until": _UNTIL}).json()
    assert (retained["legal_hold"], retained["mode"]) == (False, "governance")
    assert datetime.fromisoformat(retained["retain_until"]) == datetime.fromisoformat(_UNTIL)
    assert api.delete(lock).status_code == 204
    _says(api.delete(path), 409, _RETAINED)
    assert api.get(path).content == b"kept"


def test_a_retention_is_extended_not_shortened(api: httpx.Client, bucket: str) -> None:
    path, lock = f"/v1/objects/{bucket}/k", f"/v1/admin/lock/{bucket}/k"
    api.put(path, content=b"kept")
    for until, status in ((_UNTIL, 200), (_LATER, 200), (_UNTIL, 409), (None, 409)):
        assert api.put(lock, json={"retain_until": until}).status_code == status, until
    bypass = {"bypass_governance": "true"}
    assert api.put(lock, json={"retain_until": _UNTIL}, params=bypass).status_code == 200
    strict = {"retain_until": _UNTIL, "mode": "compliance"}
    assert api.put(lock, json=strict, params=bypass).json()["mode"] == "compliance"
    assert api.put(lock, json={"retain_until": _LATER}).json()["mode"] == "compliance"
    for answer in (
        api.put(lock, json={}, params=bypass),
        api.delete(path, params=bypass),
        api.delete(f"/v1/versions/{bucket}/k", params=bypass),
    ):
        assert answer.status_code == 409
    for wrong in ({"retain_until": "2030-01-01T00:00:00"}, {"mode": "compliance"}, {"hold": True}):
        assert api.put(lock, json=wrong).status_code == 400, wrong


def _key(api: httpx.Client, **permissions: bool) -> tuple[str, str]:
    made = api.post("/v1/admin/keys", json={"name": "k", "permissions": permissions}).json()
    return made["access_key_id"], made["secret"]


async def test_only_admins_bypass_governance(server: RunningServer, api: httpx.Client) -> None:
    name = f"locked-{secrets.token_hex(6)}"
    usual = _key(api, read=True, write=True, delete=True)
    until = (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    governed = {
        "x-amz-object-lock-mode": "GOVERNANCE",
        "x-amz-object-lock-retain-until-date": until,
    }
    bypass = {"x-amz-bypass-governance-retention": "true"}
    async with (
        S3TestClient(server.url, Signer(*usual)) as one,
        S3TestClient(server.url, Signer(server.access_key_id, server.secret_access_key)) as root,
    ):
        made = {"x-amz-bucket-object-lock-enabled": "true"}
        assert (await one.send("PUT", one.path(name), headers=made)).status == 200
        put = await one.put(name, b"k", b"data", governed)
        path, version = one.path(name, b"k"), f"versionId={put.headers['x-amz-version-id']}"
        refused = await one.send("DELETE", path, version, headers=bypass)
        assert (refused.status, refused.error) == (403, "AccessDenied")
        assert (await root.send("DELETE", path, version)).status == 403
        clear = b"<Retention/>"
        shortened = await one.send("PUT", path, f"retention&{version}", body=clear, headers=bypass)
        assert shortened.status == 403
        async with httpx.AsyncClient(base_url=server.url, trust_env=False) as http:
            native = await http.delete(
                f"/v1/versions/{name}/k",
                params={"bypass_governance": "true"},
                headers={"authorization": f"Bearer {usual[1]}"},
            )
        _says(native, 409, _RETAINED)
        assert (await root.send("DELETE", path, version, headers=bypass)).status == 204
        assert (await root.send("GET", path, version)).error == "NoSuchVersion"


def test_locks_are_for_admins_with_the_bucket_in_scope(
    server: RunningServer, api: httpx.Client, bucket: str
) -> None:
    api.put(f"/v1/objects/{bucket}/k", content=b"x")
    wanted = {
        "name": "scoped",
        "permissions": {"read": True, "write": True, "delete": True, "admin": True},
        "bucket_access": {"type": "specific", "buckets": ["another"]},
    }
    scoped = api.post("/v1/admin/keys", json=wanted).json()["secret"]
    for secret, code in (
        (_key(api, read=True, write=True, delete=True)[1], "MissingPermission"),
        (scoped, "OutOfScope"),
    ):
        headers = {"authorization": f"Bearer {secret}"}
        for method, path in (
            ("GET", f"/v1/admin/lock/{bucket}/k"),
            ("PUT", f"/v1/admin/lock/{bucket}/k"),
            ("DELETE", f"/v1/admin/lock/{bucket}/k"),
            ("POST", f"/v1/admin/versioning/{bucket}"),
        ):
            json: dict[str, Any] | None = {} if method == "PUT" else None
            answer = httpx.request(method, server.url + path, headers=headers, json=json)
            _says(answer, 403, {"code": code})
