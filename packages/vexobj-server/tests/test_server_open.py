"""With authentication off everybody may do everything, on both APIs, signed or not."""

from collections.abc import Iterator
from io import BytesIO

import httpx
import pytest
from PIL import Image

from support.endpoint import Endpoint
from vexobj_server.testing import RunningServer, running_server


@pytest.fixture(scope="module")
def open_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    data = tmp_path_factory.mktemp("open") / "data"
    with running_server(data, environment={"VEXOBJ_AUTH_ENABLED": "false"}) as running:
        yield running


def test_it_says_so_loudly(open_server: RunningServer) -> None:
    assert "AUTHENTICATION IS OFF" in open_server.log


def test_the_native_api_needs_no_key(open_server: RunningServer) -> None:
    with httpx.Client(base_url=open_server.url) as http:
        assert http.post("/v1/buckets", json={"name": "native"}).status_code == 201
        assert http.put("/v1/objects/native/key", content=b"x").status_code == 201
        assert http.get("/v1/objects/native/key").content == b"x"
        wrong = {"authorization": "Bearer wrong"}
        assert http.get("/v1/admin/keys", headers=wrong).status_code == 200
        assert http.delete("/v1/objects/native/key").status_code == 204


def test_both_apis_let_everybody_keep_a_variant(open_server: RunningServer) -> None:
    buffer = BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "PNG")
    with httpx.Client(base_url=open_server.url) as http:
        http.post("/v1/buckets", json={"name": "images"}).raise_for_status()
        content = {"content-type": "image/png"}
        http.put("/v1/objects/images/a", content=buffer.getvalue(), headers=content)
        kept = [
            http.get(path, params={"w": "4"}).headers["cache-control"]
            for path in ("/v1/objects/images/a", "/images/a")
        ]
    assert kept[0] == kept[1]
    assert kept[0].startswith("public")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_s3_api_takes_any_pair(open_server: RunningServer) -> None:
    s3 = Endpoint(open_server.url, "anyone", "anything").boto3()
    s3.create_bucket(Bucket="signed")
    s3.put_object(Bucket="signed", Key="a b", Body=b"x" * 70_000)
    assert s3.get_object(Bucket="signed", Key="a b")["Body"].read() == b"x" * 70_000
    assert "signed" in [each["Name"] for each in s3.list_buckets()["Buckets"]]
    url = s3.generate_presigned_url("get_object", Params={"Bucket": "signed", "Key": "a b"})
    assert len(httpx.get(url).content) == 70_000
    assert httpx.put(f"{open_server.url}/signed/plain", content=b"y").status_code == 200
    override = {"ResponseContentDisposition": "attachment"}
    url = s3.generate_presigned_url(
        "get_object", Params={"Bucket": "signed", "Key": "plain", **override}
    )
    assert httpx.get(url).headers["content-disposition"] == "attachment"


@pytest.mark.parametrize("trailer", [False, True])
def test_signed_chunks_are_taken_out_of_their_frames(
    open_server: RunningServer, trailer: bool
) -> None:
    """minio-go signs chunks over HTTP whatever the server thinks of signatures."""
    signature = b";chunk-signature=" + b"0" * 64
    body = b"5%b\r\nhello\r\n0%b\r\n" % (signature, signature)
    headers = {
        "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        "x-amz-decoded-content-length": "5",
        "authorization": "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=0",
    }
    if trailer:
        headers["x-amz-content-sha256"] += "-TRAILER"
        headers["x-amz-trailer"] = "x-amz-checksum-crc32"
        body += b"x-amz-checksum-crc32:NhCmhg==\r\nx-amz-trailer-signature:%b\r\n" % (b"0" * 64)
    with httpx.Client(base_url=open_server.url) as http:
        http.put("/chunked")
        assert http.put("/chunked/key", content=body + b"\r\n", headers=headers).status_code == 200
        assert http.get("/chunked/key").content == b"hello"
