"""Clients that stall, leave, or are refused before they send."""

import contextlib
import secrets
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from vexobj_server.testing import RunningServer, running_server

HALF = b"x" * 1000


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """Gives an upload one second to go on, and believes a proxy on this machine."""
    data = tmp_path_factory.mktemp("impatient") / "data"
    environment = {
        "VEXOBJ_SERVER_UPLOAD_TIMEOUT": "1s",
        "VEXOBJ_SERVER_TRUSTED_PROXIES": "127.0.0.1",
        "VEXOBJ_METRICS_TOKEN": "metrics-token",
    }
    with running_server(data, environment=environment) as running:
        yield running


@pytest.fixture
def root(impatient: RunningServer) -> Iterator[httpx.Client]:
    headers = {"authorization": f"Bearer {impatient.secret_access_key}"}
    with httpx.Client(base_url=impatient.url, headers=headers) as client:
        yield client


@pytest.fixture
def bucket(root: httpx.Client) -> str:
    name = f"bucket-{secrets.token_hex(6)}"
    root.post("/v1/buckets", json={"name": name})
    return name


def _connected(server: RunningServer) -> socket.socket:
    parts = urlsplit(server.url)
    assert parts.hostname
    assert parts.port
    return socket.create_connection((parts.hostname, parts.port), timeout=60)


def _put_head(server: RunningServer, path: str, *lines: str) -> bytes:
    head = [
        f"PUT {path} HTTP/1.1",
        "host: 127.0.0.1",
        f"authorization: Bearer {server.secret_access_key}",
        "content-length: 100000",
        *lines,
    ]
    return ("\r\n".join(head) + "\r\n\r\n").encode()


@pytest.mark.parametrize("path", ["/v1/objects/{}/k", "/{}/k"])
def test_a_stalled_upload_ends_by_its_deadline(
    impatient: RunningServer, root: httpx.Client, bucket: str, path: str
) -> None:
    with _connected(impatient) as connection:
        connection.sendall(_put_head(impatient, path.format(bucket)) + HALF)
        answer = connection.recv(65536)
        assert b"RequestTimeout" in answer
        assert b"connection: close" in answer
        while connection.recv(65536):
            pass
    assert root.get(f"/v1/objects/{bucket}/k").status_code == 404


@pytest.mark.parametrize("path", ["/v1/objects/{}/k", "/{}/k"])
def test_an_upload_that_is_given_up_leaves_nothing(
    impatient: RunningServer, root: httpx.Client, bucket: str, path: str
) -> None:
    with _connected(impatient) as connection:
        connection.sendall(_put_head(impatient, path.format(bucket)) + HALF)
    assert root.get(f"/v1/objects/{bucket}/k").status_code == 404
    assert root.delete(f"/v1/buckets/{bucket}").status_code == 204


def test_who_is_refused_need_not_send(impatient: RunningServer) -> None:
    """`Expect: 100-continue` gets its answer instead of an invitation."""
    head = _put_head(impatient, "/v1/objects/nowhere/k", "expect: 100-continue")
    with _connected(impatient) as connection:
        connection.sendall(head)
        assert connection.recv(65536).startswith(b"HTTP/1.1 404")


def test_a_download_that_is_left_does_not_hold_the_server(
    impatient: RunningServer, root: httpx.Client, bucket: str
) -> None:
    root.put(f"/v1/objects/{bucket}/big", content=b"x" * 8_000_000)
    root.patch(f"/v1/buckets/{bucket}", json={"public": True})
    for _ in range(5):
        with contextlib.suppress(httpx.HTTPError):
            headers = {"range": "bytes=1-"}
            with httpx.stream("GET", f"{impatient.url}/{bucket}/big", headers=headers) as answer:
                next(answer.iter_raw())
    assert root.get("/livez").status_code == 200


def test_the_scheme_behind_a_trusted_proxy(impatient: RunningServer) -> None:
    told = httpx.get(f"{impatient.url}/livez", headers={"x-forwarded-proto": "https"})
    assert "strict-transport-security" in told.headers
    assert "strict-transport-security" not in httpx.get(f"{impatient.url}/livez").headers


def test_metrics_behind_a_token(impatient: RunningServer) -> None:
    url = f"{impatient.url}/metrics"
    assert httpx.get(url).status_code == 401
    answer = httpx.get(url, headers={"authorization": "Bearer metrics-token"})
    assert answer.status_code == 200
    assert "vexobj_requests_total" in answer.text
