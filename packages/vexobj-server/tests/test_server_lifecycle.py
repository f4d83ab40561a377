"""Lifecycle rules and the clock on both APIs; where things expire, a day lasts a second."""

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest

from support.metrics import metric, wait_until
from vexobj_server.testing import RunningServer, running_server


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    environment = {
        "VEXOBJ_LIFECYCLE_DAY_SECONDS": "1",
        "VEXOBJ_LIFECYCLE_INTERVAL_SECONDS": "1",
    }
    data = tmp_path_factory.mktemp("quick") / "data"
    with running_server(data, environment=environment) as running:
        yield running


def _client(server: RunningServer, secret: str) -> httpx.Client:
    headers = {"authorization": f"Bearer {secret}"}
    return httpx.Client(base_url=server.url, headers=headers, trust_env=False)


def test_rules_by_the_native_api(api: httpx.Client, bucket: str) -> None:
    path = f"/v1/admin/lifecycle/{bucket}"
    made = api.post(path, json={"prefix": "logs/", "expire_days": 30})
    assert made.status_code == 201
    rule = made.json()
    assert {"id", "bucket", "prefix", "expire_days", "created_at"} <= set(rule)
    assert (rule["bucket"], rule["prefix"], rule["expire_days"]) == (bucket, "logs/", 30)
    assert api.get(path).json() == {"rules": [rule]}
    rich = {
        "id": "a/b ü",
        "enabled": False,
        "tags": {"a": "b"},
        "size_greater_than": 5,
        "expire_at": "2031-01-01T00:00:00Z",
        "noncurrent_days": 3,
        "keep_noncurrent": 2,
    }
    rules = api.put(path, json={"rules": [rich, {**rule, "bucket": None} | _said(rule)]})
    assert rules.status_code == 400  # "bucket" and "created_at" are not for the client to say
    rules = api.put(path, json={"rules": [rich, _said(rule)]})
    assert rules.status_code == 200
    first, second = rules.json()["rules"]
    assert rich.items() <= first.items()
    assert second == rule
    assert api.delete(f"/v1/admin/lifecycle/rule/{first['id']}").status_code == 204
    assert api.delete(f"/v1/admin/lifecycle/rule/{rule['id']}").status_code == 204
    gone = api.delete(f"/v1/admin/lifecycle/rule/{rule['id']}")
    assert (gone.status_code, gone.json()["code"]) == (404, "NoSuchLifecycleRule")
    assert api.get(path).json() == {"rules": []}


def _said(rule: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in rule.items() if name not in {"bucket", "created_at"}}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "InvalidLifecycleRule"),
        ({"expire_days": 0}, "InvalidLifecycleRule"),
        ({"expire_days": 1, "expire_at": "2031-01-01T00:00:00Z"}, "InvalidLifecycleRule"),
        ({"expire_at": "2031-01-01T00:00:01Z"}, "InvalidLifecycleRule"),
        ({"expire_days": 1, "days": 1}, "InvalidRequest"),
        ({"expire_days": "soon"}, "InvalidRequest"),
    ],
)
def test_rules_that_cannot_be(
    api: httpx.Client, bucket: str, body: dict[str, Any], code: str
) -> None:
    answer = api.post(f"/v1/admin/lifecycle/{bucket}", json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_only_admins(server: RunningServer, api: httpx.Client, bucket: str) -> None:
    granted = {"read": True, "write": True, "delete": True}
    key = api.post("/v1/admin/keys", json={"name": "k", "permissions": granted}).json()
    with _client(server, key["secret"]) as other:
        for method, path in (
            ("GET", bucket),
            ("POST", bucket),
            ("PUT", bucket),
            ("POST", "run"),
            ("DELETE", "rule/x"),
        ):
            body: dict[str, Any] = {"rules": []} if method == "PUT" else {"expire_days": 1}
            answer = other.request(method, f"/v1/admin/lifecycle/{path}", json=body)
            assert answer.status_code == 403, (method, path)
        assert other.get("/v1/admin/clock").status_code == 403
        assert other.post("/v1/admin/clock/accept").status_code == 403
    missing = api.post("/v1/admin/lifecycle/missing-one", json={"expire_days": 1})
    assert (missing.status_code, missing.json()["code"]) == (404, "NoSuchBucket")


def test_a_bucket_called_run_can_have_rules(api: httpx.Client) -> None:
    assert api.post("/v1/buckets", json={"name": "run"}).status_code == 201
    rules = {"rules": [{"expire_days": 1}]}
    assert api.put("/v1/admin/lifecycle/run", json=rules).status_code == 200
    assert len(api.get("/v1/admin/lifecycle/run").json()["rules"]) == 1


def test_both_apis_see_the_same_rules(api: httpx.Client, bucket: str) -> None:
    body = (
        "<LifecycleConfiguration><Rule><ID>s3</ID><Filter><And><Prefix>a/</Prefix>"
        "<Tag><Key>k</Key><Value>v</Value></Tag></And></Filter><Status>Enabled</Status>"
        "<Expiration><Days>4</Days></Expiration></Rule></LifecycleConfiguration>"
    )
    assert api.put(f"/{bucket}?lifecycle", content=body).status_code == 200
    (rule,) = api.get(f"/v1/admin/lifecycle/{bucket}").json()["rules"]
    assert (rule["id"], rule["prefix"], rule["tags"]) == ("s3", "a/", {"k": "v"})
    assert body.removeprefix("<LifecycleConfiguration>") in api.get(f"/{bucket}?lifecycle").text
    assert api.patch(f"/v1/buckets/{bucket}", json={"public": True}).status_code == 200
    assert api.get(f"/{bucket}?lifecycle").status_code == 200


def _completed(api: httpx.Client, path: str) -> httpx.Response:
    """Of a multipart upload of one part."""
    begun = api.post(f"{path}?uploads").text
    upload_id = begun.partition("<UploadId>")[2].partition("</UploadId>")[0]
    etag = api.put(f"{path}?partNumber=1&uploadId={upload_id}", content=b"x").headers["etag"]
    part = f"<Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part>"
    document = f"<CompleteMultipartUpload>{part}</CompleteMultipartUpload>"
    return api.post(f"{path}?uploadId={upload_id}", content=document)


def test_an_object_tells_when_it_expires(api: httpx.Client, bucket: str) -> None:
    rule = {"id": "ü 1", "prefix": "tmp/", "expire_days": 2}
    assert api.post(f"/v1/admin/lifecycle/{bucket}", json=rule).status_code == 201
    began = datetime.now(UTC)
    for path in (f"/v1/objects/{bucket}", f"/{bucket}"):
        for method in ("PUT", "GET", "HEAD"):
            content = b"x" if method == "PUT" else None
            answer = api.request(method, f"{path}/tmp/a", content=content)
            _, day, _, rule_id, _ = answer.headers["x-amz-expiration"].split('"')
            due = parsedate_to_datetime(day)
            assert due.time() == time.min, (path, method)
            assert began + timedelta(days=2) <= due < datetime.now(UTC) + timedelta(days=3)
            assert rule_id == "%C3%BC%201"
            answer = api.request(method, f"{path}/kept", content=content)
            assert "x-amz-expiration" not in answer.headers
    put = api.put(f"/{bucket}/tmp/a", content=b"x")
    copied = api.put(f"/{bucket}/tmp/b", headers={"x-amz-copy-source": f"{bucket}/kept"})
    for new in (copied, _completed(api, f"/{bucket}/tmp/c")):
        assert new.headers["x-amz-expiration"] == put.headers["x-amz-expiration"]
    assert api.put(f"/v1/admin/lifecycle/{bucket}", json={"rules": []}).status_code == 200
    assert "x-amz-expiration" not in api.get(f"/{bucket}/tmp/a").headers


def test_a_run_on_demand_says_what_it_did(api: httpx.Client, bucket: str) -> None:
    assert api.put(f"/v1/objects/{bucket}/old", content=b"12345").status_code == 201
    rule = {"expire_at": "2020-01-01T00:00:00Z"}
    assert api.post(f"/v1/admin/lifecycle/{bucket}", json=rule).status_code == 201
    done = api.post("/v1/admin/lifecycle/run").json()
    assert (done["objects_expired"], done["bytes_freed"], done["held"]) == (1, 5, False)
    assert api.get(f"/v1/objects/{bucket}/old").status_code == 404
    again = api.post("/v1/admin/lifecycle/run").json()
    assert (again["objects_expired"], again["bytes_freed"]) == (0, 0)


def test_what_is_due_goes_by_itself(quick: RunningServer) -> None:
    name = f"bucket-{secrets.token_hex(6)}"
    with _client(quick, quick.secret_access_key) as api:
        assert api.post("/v1/buckets", json={"name": name}).status_code == 201
        for key in ("tmp/a", "kept"):
            assert api.put(f"/v1/objects/{name}/{key}", content=b"x").status_code == 201
        rule = {"prefix": "tmp/", "expire_days": 1}
        assert api.post(f"/v1/admin/lifecycle/{name}", json=rule).status_code == 201
        wait_until(lambda: api.get(f"/v1/objects/{name}/tmp/a").status_code == 404)
        assert api.get(f"/v1/objects/{name}/kept").status_code == 200
    wait_until(lambda: metric(quick, "vexobj_lifecycle_runs_total") >= 1)
    assert metric(quick, "vexobj_lifecycle_actions_total") >= 1
    assert metric(quick, "vexobj_lifecycle_bytes_total") >= 1
    assert metric(quick, "vexobj_clock_held") == 0


def test_the_clock_is_told_and_accepted(api: httpx.Client) -> None:
    told = api.get("/v1/admin/clock").json()
    assert set(told) == {"wall_at", "believed_at", "held"}
    assert (told["held"], told["wall_at"]) == (False, told["believed_at"])
    accepted = api.post("/v1/admin/clock/accept")
    assert (accepted.status_code, accepted.json()["held"]) == (200, False)
