"""Starting, stopping and being watched, as an operator does it."""

import os
import re
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path

import httpx
import psutil
import pytest

from support.endpoint import Endpoint
from support.tools import need
from vexobj_server.testing import RunningServer, free_port, running_server, start_server


def test_first_start_prints_the_key_once(tmp_path: Path) -> None:
    environment = {
        "VEXOBJ_AUTH_ROOT_ACCESS_KEY_ID": "",
        "VEXOBJ_AUTH_ROOT_SECRET_ACCESS_KEY": "",
    }
    data = tmp_path / "data"
    server = start_server(data, environment=environment)
    try:
        found = re.search(
            r"AWS_ACCESS_KEY_ID=(\S+)\n.*AWS_SECRET_ACCESS_KEY=(vex_[0-9a-f]{64})\n", server.log
        )
        assert found
        access_key_id, secret = found.groups()
        Endpoint(server.url, access_key_id, secret).boto3().create_bucket(Bucket="first")
        bearer = {"authorization": f"Bearer {secret}"}
        assert httpx.get(f"{server.url}/v1/buckets", headers=bearer).status_code == 200
        credentials = data / "admin-credentials"
        assert credentials.stat().st_mode & 0o777 == 0o600
        assert secret in credentials.read_text()
        assert server.stop() == 0
        before = server.log
        assert before.count(secret) == 1
        server = start_server(data, environment=environment)
        assert secret not in server.log.removeprefix(before)
        assert Endpoint(server.url, access_key_id, secret).boto3().list_buckets()["Buckets"]
        assert server.stop() == 0
    finally:
        server.kill()


def test_the_root_key_comes_from_the_environment(endpoint: Endpoint) -> None:
    bearer = {"authorization": f"Bearer {endpoint.secret_access_key}"}
    assert httpx.get(f"{endpoint.url}/v1/stats", headers=bearer).status_code == 200


@pytest.mark.parametrize("workers", [1, 2])
def test_a_stalled_upload_does_not_block_the_end(tmp_path: Path, workers: int) -> None:
    environment = {"VEXOBJ_SERVER_SHUTDOWN_TIMEOUT": "3s"}
    with running_server(tmp_path / "data", workers=workers, environment=environment) as server:
        endpoint = Endpoint.of(server)
        s3 = endpoint.boto3()
        s3.create_bucket(Bucket="stalled")
        link = s3.generate_presigned_url("put_object", Params={"Bucket": "stalled", "Key": "x"})
        path = link.removeprefix(server.url)
        host, port = endpoint.host.split(":")
        family = [p.pid for p in psutil.Process(server.pid).children(recursive=True)]
        with socket.create_connection((host, int(port))) as stalled:
            head = (
                f"PUT {path} HTTP/1.1\r\nHost: {endpoint.host}\r\nContent-Length: 1000000\r\n\r\n"
            )
            stalled.sendall(head.encode() + b"some")
            time.sleep(0.3)
            started = time.monotonic()
            assert server.stop() == 0
            assert time.monotonic() - started < 60
        assert not [pid for pid in family if psutil.pid_exists(pid)]


def test_a_stalled_upload_is_cut_off(tmp_path: Path) -> None:
    environment = {"VEXOBJ_SERVER_UPLOAD_TIMEOUT": "1s"}
    with running_server(tmp_path / "data", environment=environment) as server:
        endpoint = Endpoint.of(server)
        s3 = endpoint.boto3()
        s3.create_bucket(Bucket="stalled")
        link = s3.generate_presigned_url("put_object", Params={"Bucket": "stalled", "Key": "x"})
        host, port = endpoint.host.split(":")
        with socket.create_connection((host, int(port)), 60) as stalled:
            head = (
                f"PUT {link.removeprefix(server.url)} HTTP/1.1\r\n"
                f"Host: {endpoint.host}\r\nContent-Length: 1000000\r\n\r\n"
            )
            stalled.sendall(head.encode() + b"x" * 100_000)
            answer = stalled.recv(65536)
        assert answer.startswith(b"HTTP/1.1 400")
        assert b"RequestTimeout" in answer
        assert "Contents" not in s3.list_objects_v2(Bucket="stalled")
        assert not list((tmp_path / "data").rglob("tmp/*"))


def test_probes_and_metrics_count_all_workers(server: RunningServer) -> None:
    for path in ("/health", "/livez", "/readyz"):
        answer = httpx.get(server.url + path)
        assert (answer.status_code, answer.json()["status"]) == (200, "ok")
    assert "capabilities" in httpx.get(f"{server.url}/health").json()

    def requests_total() -> float:
        text = httpx.get(f"{server.url}/metrics").text
        found = re.search(r"^vexobj_requests_total (\S+)$", text, re.MULTILINE)
        assert found
        return float(found.group(1))

    before = requests_total()
    for _ in range(60):
        assert httpx.get(f"{server.url}/livez").status_code == 200
    grown = requests_total() - before
    assert 60 <= grown <= 62


def test_documents_are_served(server: RunningServer) -> None:
    contract = httpx.get(f"{server.url}/openapi.yaml")
    assert contract.text == (Path(__file__).parents[2] / "openapi.yaml").read_text()
    assert httpx.get(f"{server.url}/openapi.json").json()["openapi"].startswith("3.1")
    page = httpx.get(f"{server.url}/docs").text
    assert "<html" in page
    assert not re.search(r"(src|href)=[\"']?(https?:)?//", page)
    browser = httpx.get(server.url, headers={"accept": "text/html,*/*;q=0.8"})
    assert (browser.status_code, browser.headers["location"]) in {(302, "/docs"), (307, "/docs")}


def test_tls(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    aws = need("aws")
    subprocess.run(
        [need("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
         "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    environment = {
        "VEXOBJ_TLS_ENABLED": "true",
        "VEXOBJ_TLS_CERT_PATH": str(certificate),
        "VEXOBJ_TLS_KEY_PATH": str(key),
    }
    with running_server(tmp_path / "data", environment=environment) as server:
        assert server.url.startswith("https://")
        endpoint = Endpoint.of(server)
        done = subprocess.run(
            [aws, "s3", "mb", "s3://secure", "--ca-bundle", str(certificate)],
            env=endpoint.aws_environment(), capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        source = tmp_path / "source"
        source.write_bytes(os.urandom(9 * 1024**2))
        done = subprocess.run(
            [aws, "s3", "cp", str(source), "s3://secure/x", "--ca-bundle", str(certificate)],
            env=endpoint.aws_environment(), capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        trusting = ssl.create_default_context(cafile=str(certificate))
        assert httpx.get(f"{server.url}/livez", verify=trusting).status_code == 200


def test_open_to_all_says_so(tmp_path: Path) -> None:
    with running_server(tmp_path / "data", environment={"VEXOBJ_AUTH_ENABLED": "false"}) as server:
        assert "AUTHENTICATION IS OFF" in server.log
        made = httpx.post(f"{server.url}/v1/buckets", json={"name": "open"})
        assert made.status_code == 201
        assert httpx.put(f"{server.url}/open/key", content=b"by anyone").status_code == 200
        assert httpx.get(f"{server.url}/open/key").text == "by anyone"


def test_a_taken_port_is_one_sentence(server: RunningServer, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "vexobj_server", "serve"],
        env={
            "PATH": os.environ["PATH"],
            "VEXOBJ_BIND": server.url.removeprefix("http://"),
            "VEXOBJ_DATA_DIR": str(tmp_path / "other"),
        },
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert "another program listens there" in done.stderr
    assert "Traceback" not in done.stderr


def test_doctor_and_config_check(tmp_path: Path) -> None:
    def vexobj(*words: str, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "vexobj_server", *words],
            env={
                "PATH": os.environ["PATH"],
                "VEXOBJ_DATA_DIR": str(tmp_path / "data"),
                "VEXOBJ_BIND": f"127.0.0.1:{free_port()}",
                **env,
            },
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    assert vexobj("config", "check").returncode == 0
    wrong = tmp_path / "wrong.toml"
    wrong.write_text("[server]\nworkres = 2\n")
    told = vexobj("config", "check", VEXOBJ_CONFIG=str(wrong))
    assert told.returncode != 0
    assert "server.workers" in told.stderr + told.stdout
    assert "Traceback" not in told.stderr
    assert "SQLite" in vexobj("doctor").stdout
    assert vexobj("openapi").stdout.startswith("openapi:")
