"""Scrub through a running server: files really damaged, what clients are told, and healing."""

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.endpoint import Endpoint
from support.metrics import metric, wait_until
from vexobj_server.testing import RunningServer, running_server

_BIG = b"bytes that rot " * 40_000


def _replace(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _rewrite(path: Path, change: Callable[[bytes], bytes]) -> None:
    path.write_bytes(change(path.read_bytes()))


_DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "flipped": (lambda path: _rewrite(path, lambda data: b"B" + data[1:]), "corrupt"),
    "cut": (lambda path: _rewrite(path, lambda data: data[:-1]), "corrupt"),
    "removed": (Path.unlink, "missing"),
    "a directory": (_replace, "corrupt"),
}


@pytest.fixture(scope="module", params=["plain", "sealed"])
def scrubbed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningServer]:
    environment = {"VEXOBJ_SCRUB_INTERVAL": "0", "VEXOBJ_SCRUB_BYTES_PER_SECOND": "1GB"}
    if request.param == "sealed":
        environment |= {"VEXOBJ_SSE_ENABLED": "true", "VEXOBJ_SSE_MASTER_KEY": "ab" * 32}
    data = tmp_path_factory.mktemp(request.param) / "data"
    with running_server(data, workers=2, environment=environment) as running:
        yield running


@pytest.fixture
def admin(scrubbed: RunningServer) -> Iterator[httpx.Client]:
    headers = {"authorization": f"Bearer {scrubbed.secret_access_key}"}
    with httpx.Client(base_url=scrubbed.url, headers=headers, trust_env=False) as http:
        yield http


@pytest.fixture
def name(admin: httpx.Client) -> str:
    name = f"bucket-{secrets.token_hex(6)}"
    assert admin.post("/v1/buckets", json={"name": name}).status_code == 201
    return name


def _files(server: RunningServer) -> set[Path]:
    return {path for path in (server.data_dir / "blobs").rglob("*/*/*") if path.is_file()}


def _put(server: RunningServer, admin: httpx.Client, path: str, data: bytes) -> Path:
    """The file that the bytes are in."""
    before = _files(server)
    assert admin.put(path, content=data).status_code == 201
    (made,) = _files(server) - before
    return made


def _scrub(admin: httpx.Client, **asked: Any) -> dict[str, Any]:
    """A whole pass, its findings traced."""
    assert admin.post("/v1/admin/scrub", json=asked).status_code == 202
    wait_until(lambda: not admin.get("/v1/admin/scrub").json()["running"])
    wait_until(lambda: all(f["traced"] for f in admin.get("/v1/admin/scrub").json()["findings"]))
    state: dict[str, Any] = admin.get("/v1/admin/scrub").json()
    return state


def _of(state: dict[str, Any], bucket: str) -> list[dict[str, Any]]:
    return [
        finding
        for finding in state["findings"]
        if any(place["bucket"] == bucket for place in finding["places"])
    ]


def _found(state: dict[str, Any], key: str) -> dict[str, Any]:
    (finding,) = [
        finding
        for finding in state["findings"]
        if any(place["key"] == key for place in finding["places"])
    ]
    return dict(finding)


def test_damage_is_found_told_refused_and_healed(
    scrubbed: RunningServer, admin: httpx.Client, name: str
) -> None:
    datas = {how: _BIG + how.encode() for how in _DAMAGES}
    paths = {
        how: _put(scrubbed, admin, f"/v1/objects/{name}/{how}", data) for how, data in datas.items()
    }
    whole = _put(scrubbed, admin, f"/v1/objects/{name}/whole", _BIG)
    for how, path in paths.items():
        assert admin.get(f"/v1/objects/{name}/{how}").content == datas[how]
        _DAMAGES[how][0](path)
    state = _scrub(admin)
    assert state["current"]["corrupt"] >= 3
    s3 = Endpoint.of(scrubbed).boto3()
    for how in _DAMAGES:
        finding = _found(state, how)
        assert (finding["damage"], finding["quarantined"]) == (_DAMAGES[how][1], True)
        place = {"bucket": name, "key": how, "version_id": "null", "is_upload": False}
        assert finding["places"] == [place]
        for headers in ({}, {"range": "bytes=0-99"}):
            for _ in range(4):  # of either worker
                refused = admin.get(f"/v1/objects/{name}/{how}", headers=headers)
                assert (refused.status_code, refused.json()["code"]) == (500, "DataUnavailable")
        assert admin.head(f"/v1/objects/{name}/{how}").status_code == 200
        assert s3.head_object(Bucket=name, Key=how)["ContentLength"] == len(datas[how])
        with pytest.raises(s3.exceptions.ClientError) as met:
            s3.get_object(Bucket=name, Key=how)
        assert met.value.response["Error"]["Code"] == "InternalError"
        assert "damaged" in met.value.response["Error"]["Message"]
        with pytest.raises(s3.exceptions.ClientError) as met:
            s3.copy_object(Bucket=name, Key="copy", CopySource={"Bucket": name, "Key": how})
        assert met.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
    assert admin.get(f"/v1/objects/{name}/whole").content == _BIG
    assert whole.exists()
    assert metric(scrubbed, 'vexobj_scrub_findings{damage="corrupt"}') == 3
    assert metric(scrubbed, "vexobj_scrubbed_blobs_total") >= state["current"]["blobs"]
    for how, data in datas.items():
        assert admin.put(f"/v1/objects/{name}/{how}-again", content=data).status_code == 201
    wait_until(lambda: _of(admin.get("/v1/admin/scrub").json(), name) == [])
    for how, data in datas.items():
        assert admin.get(f"/v1/objects/{name}/{how}").content == data


def test_a_page_of_findings_a_release_and_who_may(
    scrubbed: RunningServer, admin: httpx.Client, name: str
) -> None:
    for number in range(3):
        _put(
            scrubbed, admin, f"/v1/objects/{name}/{number}", f"{name}{number}".encode() * 9999
        ).unlink()
    state = _scrub(admin)
    found = _of(state, name)
    assert (len(found), state["next"]) == (3, None)
    first = admin.get("/v1/admin/scrub", params={"limit": 2}).json()
    rest = admin.get("/v1/admin/scrub", params={"after": first["next"]}).json()
    assert first["findings"] + rest["findings"] == state["findings"]
    assert first["findings_count"] == len(state["findings"])
    blob_id = found[0]["blob_id"]
    release = f"/v1/admin/scrub/findings/{blob_id}/release"
    assert admin.post(release).json() == {"blob_id": blob_id, "released": False}
    wrong = admin.post("/v1/admin/scrub/findings/xyz/release")
    assert (wrong.status_code, wrong.json()["code"]) == (400, "InvalidBlobId")
    key = {"name": "reader", "permissions": {"read": True, "write": True, "delete": True}}
    secret = admin.post("/v1/admin/keys", json=key).json()["secret"]
    other = {"authorization": f"Bearer {secret}"}
    for method, path in (("GET", ""), ("POST", ""), ("POST", f"/findings/{blob_id}/release")):
        answer = httpx.request(method, f"{scrubbed.url}/v1/admin/scrub{path}", headers=other)
        assert answer.status_code == 403
    audited = admin.get("/v1/admin/audit", params={"action": "scrub."}).json()["entries"]
    assert {"scrub.start", "scrub.finding.release"} <= {entry["action"] for entry in audited}


def test_a_pass_begins_by_itself(tmp_path: Path) -> None:
    with running_server(tmp_path / "data", environment={"VEXOBJ_SCRUB_INTERVAL": "1s"}) as server:
        wait_until(lambda: metric(server, "vexobj_scrub_last_pass_age_seconds") > 0)
