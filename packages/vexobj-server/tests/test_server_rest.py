"""The native API's paths, codes and fields, on a real server."""

import secrets
from typing import Any

import httpx
import pytest

from vexobj_server.testing import RunningServer


def assert_problem(answer: httpx.Response, status: int, code: str) -> None:
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert body["code"] == code
    assert body["error"]
    assert body["request_id"] == answer.headers["x-request-id"]
    assert set(body) <= {"error", "code", "reason", "request_id"}


def test_a_bucket_from_its_creation_to_its_end(api: httpx.Client) -> None:
    name = f"photos-{secrets.token_hex(4)}"
    made = api.post("/v1/buckets", json={"name": name})
    assert made.status_code == 201
    assert {"id", "name", "created_at", "public"} <= set(made.json())
    assert made.json()["public"] is False
    assert api.get(f"/v1/buckets/{name}").json() == made.json()
    assert name in [each["name"] for each in api.get("/v1/buckets").json()["buckets"]]
    changed = api.patch(f"/v1/buckets/{name}", json={"public": True})
    assert changed.status_code == 200
    assert changed.json()["public"] is True
    assert api.delete(f"/v1/buckets/{name}").status_code == 204
    assert_problem(api.get(f"/v1/buckets/{name}"), 404, "NoSuchBucket")


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("POST", "/v1/buckets", {"name": "UPPER"}, 400, "InvalidBucketName"),
        ("POST", "/v1/buckets", {"name": "dashboard"}, 400, "InvalidBucketName"),
        ("POST", "/v1/buckets", {}, 400, "InvalidRequest"),
        ("POST", "/v1/buckets", {"name": "aaa", "publik": True}, 400, "InvalidRequest"),
        ("POST", "/v1/buckets", "no object", 400, "InvalidRequest"),
        ("GET", "/v1/buckets/missing-one", None, 404, "NoSuchBucket"),
        ("DELETE", "/v1/buckets/missing-one", None, 404, "NoSuchBucket"),
        ("PATCH", "/v1/buckets/missing-one", {"public": True}, 404, "NoSuchBucket"),
        ("GET", "/v1/objects/missing-one", None, 404, "NoSuchBucket"),
        ("GET", "/v1/objects/missing-one/key", None, 404, "NoSuchBucket"),
        ("GET", "/v1/objects/missing-one?max_keys=0", None, 400, "InvalidRequest"),
        ("GET", "/v1/nothing", None, 404, "NotFound"),
        ("GET", "/v1", None, 404, "NotFound"),
        ("PUT", "/v1/buckets", None, 405, "MethodNotAllowed"),
        ("DELETE", "/v1/admin/keys/nobody", None, 404, "NoSuchAccessKey"),
        ("POST", "/v1/admin/keys", {"name": ""}, 400, "InvalidRequest"),
        ("POST", "/v1/admin/keys", {"name": "k", "identity": "x"}, 404, "NoSuchIdentity"),
        ("POST", "/v1/admin/keys", {"name": "k", "access_key_id": "abc"}, 400, "InvalidKeyPair"),
        ("POST", "/v1/admin/identities", {"display_name": " "}, 400, "InvalidIdentity"),
    ],
)
def test_errors_have_one_form(
    api: httpx.Client, method: str, path: str, body: Any, status: int, code: str
) -> None:
    assert_problem(api.request(method, path, json=body), status, code)


def test_a_bucket_twice_and_a_bucket_in_use(api: httpx.Client, bucket: str) -> None:
    assert_problem(api.post("/v1/buckets", json={"name": bucket}), 409, "BucketAlreadyExists")
    assert api.put(f"/v1/objects/{bucket}/key", content=b"x").status_code == 201
    assert_problem(api.delete(f"/v1/buckets/{bucket}"), 409, "BucketNotEmpty")


def test_who_says_nothing_and_who_lies(server: RunningServer) -> None:
    missing = httpx.get(f"{server.url}/v1/buckets")
    assert_problem(missing, 401, "MissingAuthorization")
    assert missing.json()["error"] == "missing authorization header"
    for value in ("Bearer vex_wrong", "vex_wrong", "Bearer"):
        wrong = httpx.get(f"{server.url}/v1/buckets", headers={"authorization": value})
        assert_problem(wrong, 401, "InvalidApiKey")
        assert wrong.json()["error"] == "invalid api key"


@pytest.mark.parametrize("prefix", ["Bearer ", "bearer ", ""])
def test_the_secret_with_and_without_bearer(server: RunningServer, prefix: str) -> None:
    headers = {"authorization": prefix + server.secret_access_key}
    assert httpx.get(f"{server.url}/v1/buckets", headers=headers).status_code == 200


def test_keys_are_made_told_and_revoked(api: httpx.Client, server: RunningServer) -> None:
    made = api.post("/v1/admin/keys", json={"name": "app"}).json()
    assert made["secret"].startswith("vex_")
    assert made["warning"]
    key = made["key"]
    assert key["permissions"] == {"read": True, "write": True, "delete": False, "admin": False}
    assert key["bucket_access"] == {"type": "all"}
    listed = api.get("/v1/admin/keys").json()["keys"]
    assert key["id"] in [each["id"] for each in listed]
    assert "secret" not in str(listed)
    headers = {"authorization": f"Bearer {made['secret']}"}
    assert httpx.get(f"{server.url}/v1/buckets", headers=headers).status_code == 200
    assert api.delete(f"/v1/admin/keys/{key['id']}").status_code == 204
    assert_problem(httpx.get(f"{server.url}/v1/buckets", headers=headers), 401, "InvalidApiKey")


def test_a_pair_from_elsewhere_is_brought_along(api: httpx.Client, server: RunningServer) -> None:
    pair = {
        "access_key_id": f"AKIA{secrets.token_hex(8)}",
        "secret_access_key": secrets.token_hex(),
    }
    owner = api.post("/v1/admin/identities", json={"display_name": "Alice"}).json()
    assert len(owner["id"]) == 64
    made = api.post("/v1/admin/keys", json={"name": "old", "identity": owner["id"], **pair})
    assert made.status_code == 201
    assert made.json()["access_key_id"] == pair["access_key_id"]
    assert made.json()["key"]["identity"] == owner["id"]
    headers = {"authorization": pair["secret_access_key"]}
    assert httpx.get(f"{server.url}/v1/buckets", headers=headers).json() == {"buckets": []}
    again = api.post("/v1/admin/keys", json={"name": "again", **pair})
    assert_problem(again, 409, "AccessKeyAlreadyExists")


def test_the_last_admin_key_stays(api: httpx.Client, server: RunningServer) -> None:
    answer = api.delete(f"/v1/admin/keys/{server.access_key_id}")
    assert_problem(answer, 409, "LastAdminKey")


def test_lists_go_on_where_they_ended(api: httpx.Client, bucket: str) -> None:
    keys = [f"dir/{number}" for number in range(5)] + ["other/a b+c", "z"]
    for key in keys:
        assert api.put(f"/v1/object/{bucket}", params={"key": key}, content=b"x").status_code == 201
    found: list[str] = []
    token = None
    while True:
        query = {"max_keys": "2"} | ({"continuation_token": token} if token else {})
        page = api.get(f"/v1/objects/{bucket}", params=query).json()
        found += [each["key"] for each in page["objects"]]
        token = page["next_continuation_token"]
        assert page["is_truncated"] is (token is not None)
        if token is None:
            break
    assert found == sorted(keys)
    folded = api.get(f"/v1/objects/{bucket}", params={"delimiter": "/"}).json()
    assert folded["common_prefixes"] == ["dir/", "other/"]
    after = api.get(f"/v1/objects/{bucket}", params={"continuation_token": "other/a b+c"}).json()
    assert [each["key"] for each in after["objects"]] == ["z"]
    bad = api.get(f"/v1/objects/{bucket}", params={"continuation_token": "v1.!!"})
    assert_problem(bad, 400, "InvalidContinuationToken")


def test_stats_and_gc(api: httpx.Client, bucket: str) -> None:
    api.put(f"/v1/objects/{bucket}/key", content=b"12345")
    stats = api.get("/v1/stats").json()
    mine = next(each for each in stats["bucket_details"] if each["name"] == bucket)
    assert (mine["objects"], mine["size"], mine["size_human"]) == (1, 5, "5 B")
    assert stats["total_objects"] >= 1
    assert stats["disk_usage"] > 0
    report = api.post("/v1/admin/gc").json()
    assert {"blobs_scanned", "orphans_removed", "bytes_freed", "due_at"} <= set(report)


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/health", "/metrics", "/docs"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_pages_without_a_key(server: RunningServer, method: str, path: str) -> None:
    answer = httpx.request(method, server.url + path)
    assert answer.status_code == 200
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert (answer.content == b"") is (method == "HEAD")


def test_health_tells_capabilities(server: RunningServer) -> None:
    health = httpx.get(f"{server.url}/health").json()
    assert (health["status"], health["service"]) == ("ok", "vexobj")
    assert "sse_at_rest" in health["capabilities"]


def test_a_browser_at_the_root_is_shown_the_docs(server: RunningServer) -> None:
    answer = httpx.get(server.url, headers={"accept": "text/html,*/*"})
    assert (answer.status_code, answer.headers["location"]) == (302, "/docs")
    assert httpx.get(server.url).headers["content-type"] == "application/xml"


def test_request_ids_are_echoed_or_made(server: RunningServer) -> None:
    echoed = httpx.get(f"{server.url}/livez", headers={"x-request-id": "mine-1"})
    assert echoed.headers["x-request-id"] == "mine-1"
    made = httpx.get(f"{server.url}/livez", headers={"x-request-id": "with space"})
    assert len(made.headers["x-request-id"]) == 36


def test_browsers_of_other_origins(server: RunningServer, api: httpx.Client) -> None:
    origin = {"origin": "https://app.example.com"}
    preflight = httpx.options(f"{server.url}/v1/buckets", headers=origin)
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == "*"
    assert api.get("/v1/buckets", headers=origin).headers["access-control-allow-origin"] == "*"
    closed = api.get("/v1/admin/keys", headers=origin)
    assert "access-control-allow-origin" not in closed.headers
