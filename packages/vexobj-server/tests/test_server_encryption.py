"""Encryption at rest: nothing readable on the disk, and nothing unreadable by a change of mind."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path

import httpx
import pytest
from PIL import Image

from vexobj_server.testing import RunningServer, free_port, running_server

KEY, OTHER_KEY = "5e" * 32, "0f" * 32
ON = {"VEXOBJ_SSE_ENABLED": "true", "VEXOBJ_SSE_MASTER_KEY": KEY}
OFF = {"VEXOBJ_SSE_MASTER_KEY": KEY}
MARK = b"plaintext-that-must-not-be-found"


def api(server: RunningServer) -> httpx.Client:
    headers = {"authorization": f"Bearer {server.secret_access_key}"}
    return httpx.Client(base_url=server.url, headers=headers, trust_env=False, timeout=60)


def marked(size: int) -> bytes:
    """Bytes in which every sector bears the mark."""
    return (MARK * 16)[:512] * (size // 512) + MARK[: size % 512]


def photo() -> bytes:
    buffer = BytesIO()
    Image.effect_noise((400, 300), 64).convert("RGB").save(buffer, "PNG")
    return buffer.getvalue()


def files(directory: Path) -> Iterator[tuple[Path, bytes]]:
    for path in directory.rglob("*"):
        if path.is_file():
            yield path, path.read_bytes()


def found(directory: Path, *wanted: bytes) -> list[str]:
    return [
        f"{path.relative_to(directory)} holds {each[:20]!r}"
        for path, data in files(directory)
        for each in wanted
        if each in data
    ]


def multipart(client: httpx.Client, key: str, parts: list[bytes]) -> None:
    """By the S3 API, whose multipart requests take a bearer token just as well."""
    started = client.post(f"/s3/private/{key}?uploads")
    upload_id = started.text.partition("<UploadId>")[2].partition("</UploadId>")[0]
    named = ""
    for number, part in enumerate(parts, 1):
        sent = client.put(
            f"/s3/private/{key}?partNumber={number}&uploadId={upload_id}", content=part
        )
        assert sent.status_code == 200, sent.text
        etag = sent.headers["etag"]
        named += f"<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"
    body = f"<CompleteMultipartUpload>{named}</CompleteMultipartUpload>"
    done = client.post(f"/s3/private/{key}?uploadId={upload_id}", content=body)
    assert done.status_code == 200, done.text


def test_no_file_of_the_server_holds_what_was_stored(tmp_path: Path) -> None:
    data_dir, scratch = tmp_path / "data", tmp_path / "tmp"
    scratch.mkdir()
    picture, small, large = photo(), marked(5_000), marked(700_000)
    parts = [marked(5 * 1024**2), marked(300_000)]
    environment = {**ON, "TMPDIR": str(scratch)}
    with running_server(data_dir, environment=environment) as server, api(server) as client:
        assert client.get("/health").json()["capabilities"]["sse_at_rest"] is True
        client.post("/v1/buckets", json={"name": "private"})
        for key, body in (("small", small), ("large", large)):
            assert client.put(f"/v1/objects/private/{key}", content=body).status_code == 201
        headers = {"content-type": "image/png"}
        client.put("/v1/objects/private/photo", content=picture, headers=headers)
        multipart(client, "parts", parts)
        asked = "/v1/objects/private/photo?w=100&format=png"
        variant = client.get(asked)
        assert (variant.status_code, variant.headers["content-type"]) == (200, "image/png")
        assert client.get(asked).content == variant.content
        assert client.get("/v1/objects/private/small").content == small
        assert client.get("/v1/objects/private/large").content == large
        assert client.get("/v1/objects/private/photo").content == picture
        assert client.get("/v1/objects/private/parts").content == b"".join(parts)
        ranged = client.get("/v1/objects/private/parts", headers={"range": "bytes=5242000-5300000"})
        assert (ranged.status_code, ranged.content) == (206, b"".join(parts)[5242000:5300001])
        secrets = (MARK, picture[2000:2040], variant.content[200:240], bytes.fromhex(KEY))
        written = (*secrets, KEY.encode(), KEY[:32].encode())
        assert found(data_dir, *written) == []
        assert found(scratch, *written) == []
        assert list((data_dir / "cache" / "sealed" / "entries").rglob("*"))
    assert found(data_dir, *written) == []


def test_switching_off_and_on_again_makes_nothing_unreadable(tmp_path: Path) -> None:
    data_dir, body = tmp_path / "data", marked(200_000)
    kept: list[str] = []
    for number, environment in enumerate(({}, ON, OFF, ON)):
        with running_server(data_dir, environment=environment) as server, api(server) as client:
            client.post("/v1/buckets", json={"name": "private"})
            for size in (100, 200_000):
                kept.append(f"/v1/objects/private/{number}-{size}")
                assert client.put(kept[-1], content=body[:size]).status_code == 201
            for path in kept:
                size = int(path.rpartition("-")[2])
                assert client.get(path).content == body[:size]
    assert len(kept) == 8


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({}, "root key 1 is wrapped by master key"),
        ({"VEXOBJ_SSE_MASTER_KEY": OTHER_KEY}, "root key 1 is wrapped by master key"),
        (ON | {"VEXOBJ_SSE_MASTER_KEY": OTHER_KEY}, "sse.previous_master_keys"),
    ],
)
def test_without_its_key_the_server_refuses_to_start(
    tmp_path: Path, environment: Mapping[str, str], sentence: str
) -> None:
    data_dir = tmp_path / "data"
    with running_server(data_dir, environment=ON) as server, api(server) as client:
        client.post("/v1/buckets", json={"name": "private"})
        client.put("/v1/objects/private/key", content=b"sealed")
    ended = vexobj("serve", data_dir, environment)
    assert ended.returncode == 2
    assert sentence in ended.stderr
    assert KEY not in ended.stderr


def test_rekey_rotates_the_master_key(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    with running_server(data_dir, environment=ON) as server, api(server) as client:
        client.post("/v1/buckets", json={"name": "private"})
        client.put("/v1/objects/private/key", content=b"sealed")
    alone = ON | {"VEXOBJ_SSE_MASTER_KEY": OTHER_KEY}
    refused = vexobj("rekey", data_dir, alone)
    assert (refused.returncode, "root key 1" in refused.stderr) == (2, True)
    both = alone | {"VEXOBJ_SSE_PREVIOUS_MASTER_KEYS": KEY}
    for wrapped in (1, 0):
        done = vexobj("rekey", data_dir, both)
        assert (done.returncode, done.stdout.split()[-1]) == (0, str(wrapped))
    with running_server(data_dir, environment=alone) as server, api(server) as client:
        assert client.get("/v1/objects/private/key").content == b"sealed"


def test_what_was_plain_is_encrypted_in_the_background(tmp_path: Path) -> None:
    data_dir, body = tmp_path / "data", marked(200_000)
    with running_server(data_dir) as server, api(server) as client:
        client.post("/v1/buckets", json={"name": "private"})
        client.put("/v1/objects/private/key", content=body)
    assert vexobj("rekey", data_dir, ON, "--status").stdout.startswith("Nothing")
    with running_server(data_dir, environment=ON) as server, api(server) as client:
        started = vexobj("rekey", data_dir, ON, "--rewrite")
        assert (started.returncode, "remaining 1 blobs" in started.stdout) == (0, True)
        while "remaining 0 blobs" not in vexobj("rekey", data_dir, ON, "--status").stdout:
            assert client.get("/v1/objects/private/key").content == body
        assert client.get("/v1/objects/private/key").content == body
        assert "vexobj_rewritten_blobs_total 1" in client.get("/metrics").text
    with running_server(data_dir, environment=OFF) as server, api(server) as client:
        assert client.get("/v1/objects/private/key").content == body


def vexobj(
    command: str, data_dir: Path, environment: Mapping[str, str], *options: str
) -> subprocess.CompletedProcess[str]:
    own = {name: value for name, value in os.environ.items() if "VEXOBJ" not in name}
    bind = {"VEXOBJ_DATA_DIR": str(data_dir), "VEXOBJ_BIND": f"127.0.0.1:{free_port()}"}
    return subprocess.run(
        [sys.executable, "-m", "vexobj_server", command, *options],
        env={**own, **bind, **environment},
        cwd=data_dir.parent,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
