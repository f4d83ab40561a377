"""Which error wins, and that a backend is asked nothing before the signature is checked."""

import time
from typing import NoReturn

import httpx
import pytest

from vexobj_s3compat import MemoryCredentials, S3App, S3Backend, Signer
from vexobj_s3compat.asgi import Receive, Scope, Send
from vexobj_s3compat.testing import S3TestClient


class Untouched(S3Backend):
    """Lets everybody in, and fails the test when an operation reaches it."""

    def __getattribute__(self, name: str) -> object:
        if name.startswith("_") or name == "admit":
            return super().__getattribute__(name)

        async def never(_request: object) -> NoReturn:
            pytest.fail(f"{name} was called")

        return never


@pytest.mark.parametrize(
    ("method", "path", "headers", "status", "code"),
    [
        ("GET", "/b%zzcket/k", {"authorization": "AWS4-HMAC-SHA256 x"}, 400, "InvalidURI"),
        ("PUT", "/media/k?acl&retention", {}, 400, "InvalidArgument"),
        ("PUT", "/media/k?annotation", {"authorization": "junk"}, 501, "NotImplemented"),
        ("PATCH", "/media/k", {"authorization": "junk"}, 405, "MethodNotAllowed"),
        ("GET", "/media/k", {"authorization": "junk"}, 400, "InvalidArgument"),
        ("GET", "/media/k", {"authorization": "AWS id:signature"}, 400, "InvalidRequest"),
        ("GET", "/media/k", {"authorization": "Bearer nobody"}, 403, "AccessDenied"),
        ("GET", "/media/k?AWSAccessKeyId=x&Signature=y&Expires=1", {}, 400, "InvalidRequest"),
        (
            "GET",
            "/media/k",
            {"authorization": "AWS4-ECDSA-P256-SHA256 Credential=x"},
            501,
            "NotImplemented",
        ),
        ("PUT", "/media/k", {"x-amz-content-sha256": "nonsense"}, 400, "InvalidArgument"),
        ("PUT", "/media/k", {"content-md5": "nonsense"}, 400, "InvalidDigest"),
        ("PUT", "/Media", {}, 400, "InvalidBucketName"),
    ],
)
async def test_before_the_backend(
    method: str, path: str, headers: dict[str, str], status: int, code: str
) -> None:
    app = S3App(Untouched(), MemoryCredentials({"ALICE": "alice-secret"}))
    target = path.encode()

    async def mount(scope: Scope, receive: Receive, send: Send) -> None:
        scope["raw_path"], _, scope["query_string"] = target.partition(b"?")
        await app(scope, receive, send)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(mount)) as web:
        content = b"" if method == "GET" else b"x"
        answer = await web.request(method, "http://x/", headers=headers, content=content)
    assert (answer.status_code, f"<Code>{code}</Code>" in answer.text) == (status, True), (
        answer.text
    )


async def test_signatures_come_before_what_exists(base_url: str) -> None:
    async with S3TestClient(base_url, Signer("ALICE", "wrong")) as wrong:
        assert (await wrong.get("no-such-bucket", b"k")).error == "SignatureDoesNotMatch"
    async with S3TestClient(base_url, Signer("ALICE", "alice-secret")) as right:
        assert (await right.get("no-such-bucket", b"k")).error == "NoSuchBucket"


async def test_a_mounted_app_reads_below_its_root_and_signs_the_whole(app: S3App) -> None:
    async def mount(scope: Scope, receive: Receive, send: Send) -> None:
        scope["root_path"] = "/s3"
        await app(scope, receive, send)

    signer = Signer("ALICE", "alice-secret")
    headers = signer.sign("PUT", b"/s3/media", b"", {"host": "s3.example.com"}, now=time.time())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(mount)) as web:
        made = await web.put("http://s3.example.com/s3/media", headers=headers)
    assert (made.status_code, made.headers["location"]) == (200, "/media")
