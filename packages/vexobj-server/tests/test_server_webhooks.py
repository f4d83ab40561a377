"""Webhooks: from a write on either API to what a receiver gets."""

import hashlib
import hmac
import os
import re
import signal
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.endpoint import Endpoint
from support.metrics import metric, wait_until
from support.receiver import Received, Receiver, receiver
from vexobj_server.testing import RunningServer, running_server, start_server

_HASTE = {
    "VEXOBJ_WEBHOOK_DELIVERY_ALLOWED": "127.0.0.1",
    "VEXOBJ_WEBHOOK_DELIVERY_MAX_ATTEMPTS": "3",
    "VEXOBJ_WEBHOOK_DELIVERY_RETRY_INTERVAL": "50ms",
    "VEXOBJ_WEBHOOK_DELIVERY_MAX_RETRY_INTERVAL": "100ms",
}
_SECONDS = 60


@pytest.fixture(scope="module")
def hurried(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """One worker that gives up soon."""
    with running_server(tmp_path_factory.mktemp("hooks") / "data", environment=_HASTE) as server:
        yield server


@pytest.fixture
def api(hurried: RunningServer) -> Iterator[httpx.Client]:
    """Leaves no webhook behind."""
    with _client(hurried) as client:
        yield client
        for each in client.get("/v1/admin/webhooks").json()["webhooks"]:
            assert client.delete(f"/v1/admin/webhooks/{each['id']}").status_code == 204


@pytest.fixture
def home() -> Iterator[Receiver]:
    with receiver() as running:
        yield running


def _client(server: RunningServer) -> httpx.Client:
    headers = {"authorization": f"Bearer {server.secret_access_key}"}
    return httpx.Client(base_url=server.url, headers=headers, trust_env=False, timeout=60)


def _hook(api: httpx.Client, url: str, **what: Any) -> dict[str, Any]:
    made = api.post("/v1/admin/webhooks", json={"url": url, **what})
    assert made.status_code == 201, made.text
    told: dict[str, Any] = made.json()
    return told | {"path": f"/v1/admin/webhooks/{told['webhook']['id']}"}


def _until(api: httpx.Client, path: str, **wanted: Any) -> Mapping[str, Any]:
    """The webhook, once it says all of that."""
    found: dict[str, Any] = {}

    def says() -> bool:
        found.update(api.get(path).json())
        return wanted.items() <= found.items()

    wait_until(says)
    return found


def _bucket(api: httpx.Client, name: str, **what: Any) -> str:
    made = api.post("/v1/buckets", json={"name": name, **what})
    assert made.status_code in {201, 409}, made.text
    return name


def _kinds(found: list[Received]) -> list[tuple[str, str]]:
    events = sorted((each.event for each in found), key=lambda event: event["number"])
    return [(event["event"], event["data"].get("cause", "")) for event in events]


def test_what_a_receiver_gets(api: httpx.Client, home: Receiver) -> None:
    made = _hook(api, f"{home.url}/ok")
    bucket = _bucket(api, "photos")
    put = api.put(f"/v1/objects/{bucket}/a/ü.txt", content=b"12")
    (got,) = home.wait(lambda found: len(found) == 1)
    assert got.headers["content-type"] == "application/json"
    assert got.headers["user-agent"].startswith("VexObj/")
    event = got.event
    assert got.headers["x-vexobj-event"] == event["event"] == "object.created"
    assert got.headers["x-vexobj-delivery"] == event["id"]
    assert event["data"] == {
        "bucket": bucket,
        "key": "a/ü.txt",
        "version_id": "null",
        "size": 2,
        "etag": put.json()["etag"] if "etag" in put.json() else event["data"]["etag"],
        "sha256": hashlib.sha256(b"12").hexdigest(),
        "content_type": "text/plain",
        "cause": "put",
    }
    stamp = got.headers["x-vexobj-timestamp"]
    assert abs(int(stamp) - time.time()) < _SECONDS
    expected = hmac.new(made["secret"].encode(), stamp.encode() + b"." + got.body, hashlib.sha256)
    assert got.headers["x-vexobj-signature"] == expected.hexdigest()
    info = _until(api, made["path"], delivered=1, waiting=0, dead=0)
    assert "secret" not in info
    assert info["oldest_at"] is None


def test_every_kind_of_write_is_told(
    hurried: RunningServer, api: httpx.Client, home: Receiver
) -> None:
    bucket = _bucket(api, "kinds")
    s3 = Endpoint(hurried.url, hurried.access_key_id, hurried.secret_access_key).boto3()
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    _hook(api, f"{home.url}/ok", bucket=bucket)
    api.put(f"/v1/stream/{bucket}/a", content=b"1")
    s3.put_object(Bucket=bucket, Key="a", Body=b"2")
    s3.copy_object(Bucket=bucket, Key="b", CopySource=f"{bucket}/a")
    upload = s3.create_multipart_upload(Bucket=bucket, Key="c")["UploadId"]
    part = s3.upload_part(Bucket=bucket, Key="c", UploadId=upload, PartNumber=1, Body=b"1")
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    s3.complete_multipart_upload(Bucket=bucket, Key="c", UploadId=upload, MultipartUpload=parts)
    marker = s3.delete_object(Bucket=bucket, Key="a")["VersionId"]
    s3.delete_object(Bucket=bucket, Key="a", VersionId=marker)
    api.delete(f"/v1/versions/{bucket}/a")
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "b"}]})
    api.put(f"/v1/admin/quota/{bucket}", json={"max_objects": 1})
    found = home.wait(lambda found: len(found) == 9)
    assert _kinds(found) == [
        ("object.created", "put"),
        ("object.created", "put"),
        ("object.created", "copy"),
        ("object.created", "multipart"),
        ("object.deleted", "delete"),
        ("object.version.deleted", "delete"),
        ("object.deleted", "purge"),
        ("object.deleted", "delete"),
        ("quota.threshold_crossed", ""),
    ]


def test_filters(api: httpx.Client, home: Receiver) -> None:
    bucket = _bucket(api, "filters")
    _hook(api, f"{home.url}/deleted", events=["*.deleted"], bucket=bucket, prefix="a/")
    _hook(api, f"{home.url}/other", bucket="elsewhere")
    _hook(api, f"{home.url}/ok")
    for key in ("a/1", "b/1"):
        api.put(f"/v1/objects/{bucket}/{key}", content=b"1")
        api.delete(f"/v1/objects/{bucket}/{key}")
    home.wait(lambda found: len(found) == 4)
    (told,) = home.wait(lambda found: len(found) == 1, "/deleted")
    assert told.event["data"]["key"] == "a/1"
    assert home.at("/other") == []


def test_failures_are_tried_again_and_dead_letters_replayed(
    hurried: RunningServer, api: httpx.Client, home: Receiver
) -> None:
    made = _hook(api, f"{home.url}/gate")
    bucket = _bucket(api, "gate")
    for number in range(3):
        api.put(f"/v1/objects/{bucket}/{number}", content=b"1")
    _until(api, made["path"], dead=3, waiting=0)
    assert len(home.at("/gate")) == 9
    page = api.get(f"{made['path']}/deliveries", params={"state": "dead", "limit": 2}).json()
    first, second = page["deliveries"]
    assert (first["attempts"], first["status"], first["error"]) == (3, 503, "the answer is 503")
    assert (first["due_at"], first["state"]) == (None, "dead")
    (third,) = api.get(f"{made['path']}/deliveries", params={"before": page["before"]}).json()[
        "deliveries"
    ]
    assert sorted(each["data"]["key"] for each in (first, second, third)) == ["0", "1", "2"]
    home.opened.set()
    replay = f"{made['path']}/replay"
    assert api.post(replay, params={"number": first["number"]}).json() == {"replayed": 1}
    _until(api, made["path"], dead=2, delivered=1)
    deleted = api.delete(f"{made['path']}/deliveries", params={"number": second["number"]})
    assert deleted.json() == {"deleted": 1}
    assert api.post(replay).json() == {"replayed": 1}
    _until(api, made["path"], dead=0, delivered=2, waiting=0)
    same = [each.event["id"] for each in home.at("/gate")].count(first["event_id"])
    assert same == 4
    assert api.delete(f"{made['path']}/deliveries").json() == {"deleted": 0}
    assert api.post(replay, params={"number": 1 << 60}).json()["code"] == "NoSuchDelivery"
    assert api.post("/v1/admin/webhooks/x/replay").json()["code"] == "NoSuchWebhook"
    for outcome, least in (("dead", 3), ("failed", 6), ("delivered", 2)):
        name = re.escape(f'vexobj_webhook_attempts_total{{outcome="{outcome}"}}')
        assert metric(hurried, name) >= least
    label = re.escape(f'{{webhook="{made["webhook"]["id"]}"}}')
    assert metric(hurried, f"vexobj_webhook_dead_letters{label}") == 0
    assert "did not take event" in hurried.log


def test_bad_receivers_do_not_keep_good_ones_waiting(api: httpx.Client, home: Receiver) -> None:
    _hook(api, f"{home.url}/stall")
    bad = _hook(api, f"{home.url}/redirect")
    endless = _hook(api, f"{home.url}/endless")
    refused = _hook(api, "http://127.0.0.2:9/")
    nowhere = _hook(api, "http://[::1]:9/")
    _hook(api, f"{home.url}/ok")
    bucket = _bucket(api, "bad")
    api.put(f"/v1/objects/{bucket}/key", content=b"1")
    (only,) = home.wait(lambda found: len(found) == 1)
    _until(api, endless["path"], delivered=1)
    for each, told in (
        (bad, "the answer is 307"),
        (refused, "the host's address is not a public one, and not allowed"),
        (nowhere, "the host's address is not a public one, and not allowed"),
    ):
        _until(api, each["path"], dead=1)
        (dead,) = api.get(f"{each['path']}/deliveries").json()["deliveries"]
        assert dead["error"] == told
    assert home.at("/ok") == [only]


def test_a_test(api: httpx.Client, home: Receiver) -> None:
    made = _hook(api, f"{home.url}/ok", events=["quota.*"], enabled=False)
    told = api.post(f"{made['path']}/test").json()
    assert (told["delivered"], told["status"], told["error"]) == (True, 204, None)
    (got,) = home.at("/ok")
    assert got.event["event"] == "webhook.test"
    bad = _hook(api, f"{home.url}/status/500")
    told = api.post(f"{bad['path']}/test").json()
    assert (told["delivered"], told["status"]) == (False, 500)


def test_one_that_is_disabled_or_deleted_is_sent_nothing(api: httpx.Client, home: Receiver) -> None:
    kept = _hook(api, f"{home.url}/ok")
    made = _hook(api, f"{home.url}/gate")
    bucket = _bucket(api, "disabled")
    changed = api.patch(made["path"], json={"enabled": False})
    assert changed.json()["enabled"] is False
    api.put(f"/v1/objects/{bucket}/1", content=b"1")
    home.wait(lambda found: len(found) == 1)
    assert api.get(made["path"]).json()["waiting"] == 0
    api.patch(made["path"], json={"enabled": True, "url": f"{home.url}/status/200"})
    api.put(f"/v1/objects/{bucket}/2", content=b"1")
    home.wait(lambda found: len(found) == 1, "/status/200")
    assert api.delete(made["path"]).status_code == 204
    assert api.get(made["path"]).status_code == 404
    api.put(f"/v1/objects/{bucket}/3", content=b"1")
    home.wait(lambda found: len(found) == 3)
    assert (len(home.at("/gate")), len(home.at("/status/200"))) == (0, 1)
    assert api.get(kept["path"]).json()["enabled"] is True


@pytest.mark.parametrize(
    "what",
    [
        {"url": "ftp://example.com/"},
        {"url": "example.com"},
        {"url": "https://user:password@example.com/"},
        {"url": "https://example.com/#fragment"},
        {"url": "https://example.com/ü"},
        {"url": "https:///nowhere"},
        {"url": "https://example.com/" + 2048 * "a"},
        {"events": []},
        {"events": ["object created"]},
        {"events": ["[a-z]"]},
        {"secret": "short"},
        {"prefix": 1025 * "a"},
        {"unknown": 1},
    ],
)
def test_what_is_not_taken(api: httpx.Client, what: dict[str, Any]) -> None:
    answer = api.post("/v1/admin/webhooks", json={"url": "https://example.com/", **what})
    assert (answer.status_code, answer.json()["code"]) == (400, "InvalidRequest")
    assert "password" not in answer.text


def test_only_admins(hurried: RunningServer, api: httpx.Client) -> None:
    secret = api.post("/v1/admin/keys", json={"name": "reader"}).json()["secret"]
    headers = {"authorization": f"Bearer {secret}"}
    with httpx.Client(base_url=hurried.url, headers=headers, trust_env=False) as stranger:
        path = "/v1/admin/webhooks"
        new = {"url": "https://example.com/"}
        for answer in (
            stranger.get(path),
            stranger.post(path, json=new),
            stranger.get(f"{path}/x"),
            stranger.patch(f"{path}/x", json={}),
            stranger.delete(f"{path}/x"),
            stranger.post(f"{path}/x/test"),
            stranger.get(f"{path}/x/deliveries"),
            stranger.post(f"{path}/x/replay"),
            stranger.delete(f"{path}/x/deliveries"),
        ):
            assert answer.status_code == 403


def test_webhooks_of_the_settings(tmp_path: Path, home: Receiver) -> None:
    secret, token = "a-secret-of-the-settings", "a-token-in-the-url"
    hook = {
        "VEXOBJ_WEBHOOK_URL": f"{home.url}/ok?token={token}",
        "VEXOBJ_WEBHOOK_SECRET": secret,
        "VEXOBJ_WEBHOOK_EVENTS": "object.*",
        "VEXOBJ_SERVER_LOG_LEVEL": "debug",
    }
    with running_server(tmp_path / "data", environment=_HASTE | hook) as server:
        with _client(server) as api:
            (info,) = api.get("/v1/admin/webhooks").json()["webhooks"]
            assert (info["from_settings"], info["signed"]) == (True, True)
            path = f"/v1/admin/webhooks/{info['id']}"
            assert api.delete(path).status_code == 409
            assert api.patch(path, json={"enabled": False}).json()["code"] == "WebhookFixed"
            api.put(f"/v1/objects/{_bucket(api, 'photos')}/key", content=b"1")
        (got,) = home.wait(lambda found: len(found) == 1, f"/ok?token={token}")
        signed = got.headers["x-vexobj-timestamp"].encode() + b"." + got.body
        expected = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
        assert got.headers["x-vexobj-signature"] == expected
    assert token not in server.log
    files = [each for each in (tmp_path / "data").rglob("*") if each.is_file()]
    assert not [each for each in files if secret.encode() in each.read_bytes()]
    with running_server(tmp_path / "data", environment=_HASTE) as server, _client(server) as api:
        assert api.get("/v1/admin/webhooks").json() == {"webhooks": []}


@pytest.mark.timeout(300)  # a dead process keeps the upkeep lease for some 20 seconds
def test_no_event_is_lost_by_kills(tmp_path: Path, metadata_url: str | None) -> None:
    """A worker is killed while it sends, then the whole server: each event comes at least once."""
    environment = {
        "VEXOBJ_WEBHOOK_DELIVERY_ALLOWED": "127.0.0.1",
        "VEXOBJ_WEBHOOK_DELIVERY_TIMEOUT": "2s",
        "VEXOBJ_WEBHOOK_DELIVERY_MAX_ATTEMPTS": "100",
        "VEXOBJ_WEBHOOK_DELIVERY_RETRY_INTERVAL": "1s",
        "VEXOBJ_WEBHOOK_DELIVERY_MAX_RETRY_INTERVAL": "1s",
    }
    if metadata_url is not None:
        environment["VEXOBJ_METADATA_URL"] = metadata_url
    written: set[str] = set()
    with receiver() as home:
        server = start_server(tmp_path / "data", workers=2, environment=environment)
        try:
            with _client(server) as api:
                _hook(api, f"{home.url}/gate")
                _bucket(api, "photos")
                _write(api, written, 0, 30)
                home.wait(lambda found: len(found) >= 10, "/gate")
                os.kill(_a_worker(server), signal.SIGKILL)
                _write(api, written, 30, 60)
        finally:
            server.kill()
        home.opened.set()
        server = start_server(tmp_path / "data", workers=2, environment=environment)
        try:
            with _client(server) as api:
                (hook,) = api.get("/v1/admin/webhooks").json()["webhooks"]
                path = f"/v1/admin/webhooks/{hook['id']}"
                _write(api, written, 60, 70)
                home.wait(lambda found: written <= _keys(found), "/gate")
                _until(api, path, waiting=0, dead=0)
        finally:
            server.stop()
            server.kill()
    events = {each.event["id"]: each.event for each in home.at("/gate")}
    numbers = sorted(event["number"] for event in events.values())
    assert len(numbers) == len(set(numbers)) >= len(written)


def _write(api: httpx.Client, written: set[str], first: int, last: int) -> None:
    """Requests that a kill cut off may have happened or not."""
    for number in range(first, last):
        try:
            answer = api.put(f"/v1/objects/photos/{number}", content=b"1")
        except httpx.TransportError:
            continue
        assert answer.status_code == 201, answer.text
        written.add(str(number))


def _keys(found: list[Received]) -> set[str]:
    return {str(each.event["data"]["key"]) for each in found}


def _a_worker(server: RunningServer) -> int:
    text = httpx.get(f"{server.url}/metrics", trust_env=False).text
    pids = re.findall(r'^vexobj_process_open_fds\{.*role="worker".*\}', text, re.MULTILINE)
    (pid,) = re.findall(r'pid="(\d+)"', pids[0])
    return int(pid)
