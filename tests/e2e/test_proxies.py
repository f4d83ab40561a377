"""The proxy files of deploy/proxies, run as they stand but for ports and names."""

import http.client
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from support.endpoint import Endpoint
from support.photos import HUBBLE
from support.tools import need
from vexobj_server.testing import RunningServer, free_port, running_server

PROXIES = Path(__file__).parents[2] / "deploy/proxies"
KEYS = (
    "plain", "with space", "a+b", "double//slash", "up/../dots", "%2F", "emoji-\N{FOX FACE}", "end/"
)  # fmt: skip
LOCALS = "127.0.0.1 localhost *.localhost *.alias.example"


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server that trusts the proxy and names every client in its access log."""
    environment = {
        "VEXOBJ_SERVER_TRUSTED_PROXIES": "127.0.0.1/32",
        "VEXOBJ_SERVER_S3_DOMAIN": "localhost",
        "VEXOBJ_SERVER_LOG_FORMAT": "json",
    }
    data = tmp_path_factory.mktemp("behind") / "data"
    with running_server(data, environment=environment) as server:
        yield server


@contextmanager
def program(command: list[str], port: int, log: Path) -> Iterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        deadline = time.monotonic() + 60
        while True:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.02)
        yield
    finally:
        process.terminate()
        process.wait(60)


@contextmanager
def nginx(server: RunningServer, folder: Path) -> Iterator[str]:
    port = free_port()
    block = (PROXIES / "nginx.conf").read_text()
    block = block.replace("listen 80;", f"listen 127.0.0.1:{port};")
    block = block.replace("127.0.0.1:8000", server.url.removeprefix("http://"))
    block = block.replace("files.example.social *.files.example.social", LOCALS)
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    config = folder / "nginx.conf"
    config.write_text(
        f"daemon off;\nmaster_process off;\npid {folder}/nginx.pid;\nerror_log stderr;\n"
        f"events {{}}\nhttp {{\naccess_log off;\n{temporary}{block}}}\n"
    )
    command = [need("nginx"), "-c", str(config), "-p", str(folder)]
    with program(command, port, folder / "nginx.log"):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def caddy(server: RunningServer, folder: Path) -> Iterator[str]:
    port = free_port()
    text = (PROXIES / "Caddyfile").read_text()
    text = text.replace(
        "http://files.example.social, http://*.files.example.social",
        f"http://127.0.0.1:{port}, http://localhost:{port}, http://*.localhost:{port}, http://*.alias.example:{port}",
    )
    text = text.replace("127.0.0.1:8000", server.url.removeprefix("http://"))
    config = folder / "Caddyfile"
    config.write_text("{\nadmin off\nauto_https off\n}\n" + text)
    command = [need("caddy"), "run", "--config", str(config), "--adapter", "caddyfile"]
    with program(command, port, folder / "caddy.log"):
        yield f"http://127.0.0.1:{port}"


def get_as_is(url: str) -> bytes:
    """A GET that leaves the path as it stands, dots included."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=60)
    try:
        connection.request("GET", f"{parts.path}?{parts.query}")
        return connection.getresponse().read()
    finally:
        connection.close()


@pytest.fixture(params=[nginx, caddy], ids=["nginx", "caddy"])
def proxy(request: pytest.FixtureRequest, behind: RunningServer, tmp_path: Path) -> Iterator[str]:
    with request.param(behind, tmp_path) as url:
        yield url


def test_signatures_survive(behind: RunningServer, proxy: str, bucket_name: str) -> None:
    endpoint = Endpoint(proxy, behind.access_key_id, behind.secret_access_key)
    s3 = endpoint.boto3()
    s3.create_bucket(Bucket=bucket_name)
    for key in KEYS:
        s3.put_object(Bucket=bucket_name, Key=key, Body=b"through")
        assert s3.get_object(Bucket=bucket_name, Key=key)["Body"].read() == b"through"
        link = s3.generate_presigned_url("get_object", Params={"Bucket": bucket_name, "Key": key})
        assert get_as_is(link) == b"through", key
    listed = s3.list_objects_v2(Bucket=bucket_name)["Contents"]
    assert [o["Key"] for o in listed] == sorted(KEYS, key=str.encode)


def test_large_bodies_stream(
    behind: RunningServer, proxy: str, bucket_name: str, tmp_path: Path
) -> None:
    s3 = Endpoint(proxy, behind.access_key_id, behind.secret_access_key).boto3()
    s3.create_bucket(Bucket=bucket_name)
    source, back = tmp_path / "source", tmp_path / "back"
    source.write_bytes(HUBBLE.read_bytes() * 60)
    s3.upload_file(str(source), bucket_name, "large")
    s3.download_file(bucket_name, "large", str(back))
    assert back.read_bytes() == source.read_bytes()


def test_bucket_hosts_and_aliases(behind: RunningServer, proxy: str, bucket_name: str) -> None:
    endpoint = Endpoint(proxy, behind.access_key_id, behind.secret_access_key)
    s3 = endpoint.boto3()
    s3.create_bucket(Bucket=bucket_name)
    s3.put_object(Bucket=bucket_name, Key="fox.txt", Body=b"fox", ACL="public-read")
    alias = f"{bucket_name}.alias.example"
    changed = httpx.patch(
        f"{behind.url}/v1/buckets/{bucket_name}",
        headers={"authorization": f"Bearer {behind.secret_access_key}"},
        json={"settings": {"host_aliases": [alias]}},
    )
    assert changed.status_code == 200, changed.text
    port = proxy.rpartition(":")[2]
    for host in (f"{bucket_name}.localhost:{port}", f"{alias}:{port}"):
        answer = httpx.get(f"{proxy}/fox.txt", headers={"host": host})
        assert (answer.status_code, answer.text) == (200, "fox"), host
        native = httpx.get(f"{proxy}/v1/buckets", headers={"host": host})
        assert native.status_code in {403, 404}, host


def test_the_real_client_is_logged(behind: RunningServer, proxy: str) -> None:
    answer = httpx.get(f"{proxy}/livez", headers={"x-forwarded-for": "203.0.113.9"})
    assert answer.status_code == 200
    direct = httpx.get(f"{behind.url}/livez", headers={"x-forwarded-for": "203.0.113.9"})
    proxied, spoofed = (
        _logged(behind, response.headers["x-request-id"]) for response in (answer, direct)
    )
    assert "127.0.0.1" in proxied
    assert "203.0.113.9" not in proxied
    assert "203.0.113.9" in spoofed


def _logged(server: RunningServer, request_id: str) -> str:
    """The line of a request, as soon as it is there."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for line in server.log.splitlines():
            if request_id in line:
                return line
        time.sleep(0.05)
    raise AssertionError(f"{request_id} was not logged")
