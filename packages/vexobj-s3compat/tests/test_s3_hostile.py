"""Requests that mean harm or break off: the right error, nothing stored, and a living server."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from vexobj_s3compat import (
    BytesContent,
    MemoryBackend,
    MemoryCredentials,
    Payload,
    S3App,
    S3Backend,
    Signer,
)
from vexobj_s3compat import types as t
from vexobj_s3compat.testing import S3TestClient

KEYS = {"ALICE": "alice-secret"}
OWNER = Signer("ALICE", KEYS["ALICE"])


async def talk(base_url: str, request: bytes, *, then: bytes = b"", close: bool = False) -> bytes:
    """Send raw bytes; return all that the server says until it closes."""
    url = httpx.URL(base_url)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    try:
        writer.write(request)
        await writer.drain()
        if close:
            return b""
        first = await reader.read(65536)
        if then:
            writer.write(then)
        return first
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


def signed_put(client: S3TestClient, bucket: str, key: bytes, headers: dict[str, str]) -> bytes:
    path = client.path(bucket, key)
    sent = OWNER.sign(
        "PUT",
        path,
        b"",
        {"host": client.host, **headers},
        now=client.now(),
        payload_hash="UNSIGNED-PAYLOAD",
    )
    lines = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
    return b"PUT " + path + b" HTTP/1.1\r\n" + lines.encode() + b"\r\n"


@pytest.fixture
async def owner(base_url: str) -> AsyncIterator[S3TestClient]:
    async with S3TestClient(base_url, OWNER) as client:
        await client.bucket("media")
        yield client


async def test_a_body_that_breaks_off_is_not_stored(owner: S3TestClient) -> None:
    head = signed_put(owner, "media", b"half", {"content-length": "100"})
    await talk(owner.base_url, head + b"x" * 50, close=True)
    assert (await owner.get("media", b"half")).status == 404


class TestStalledUpload:
    @pytest.fixture
    def app(self, backend: MemoryBackend) -> S3App:
        return S3App(backend, MemoryCredentials(KEYS), upload_timeout_seconds=1)

    async def test_it_times_out(self, owner: S3TestClient) -> None:
        head = signed_put(owner, "media", b"stalled", {"content-length": "100"})
        answer = await talk(owner.base_url, head + b"x" * 50)
        assert answer.startswith(b"HTTP/1.1 400")
        assert b"<Code>RequestTimeout</Code>" in answer
        assert (await owner.get("media", b"stalled")).status == 404


async def test_expect_continue_is_refused_without_the_body(owner: S3TestClient) -> None:
    request = (
        b"PUT /media/k HTTP/1.1\r\nhost: x\r\ncontent-length: 5000000000\r\n"
        b"expect: 100-continue\r\n\r\n"
    )
    answer = await talk(owner.base_url, request)
    assert answer.startswith(b"HTTP/1.1 403")
    assert b"100 Continue" not in answer


async def test_expect_continue_is_answered_once_authorised(owner: S3TestClient) -> None:
    head = signed_put(owner, "media", b"k", {"content-length": "5", "expect": "100-continue"})
    assert (await talk(owner.base_url, head, then=b"12345")).startswith(b"HTTP/1.1 100")


async def test_a_refused_body_is_drained_and_the_connection_lives(owner: S3TestClient) -> None:
    for _ in range(3):
        answer = await owner.raw(
            "PUT",
            owner.path("media", b"k"),
            "",
            body=b"x" * 500_000,
            headers={"host": owner.host},
        )
        assert (answer.status, answer.error) == (403, "AccessDenied")


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"x-amz-acl": "everyone"}, 400, "InvalidArgument"),
        ({"x-amz-grant-write": 'id="x"'}, 501, "NotImplemented"),
        ({"x-amz-storage-class": "CLOUD"}, 400, "InvalidStorageClass"),
        ({"x-amz-server-side-encryption": "AES256"}, 501, "NotImplemented"),
        ({"x-amz-server-side-encryption": "rot13"}, 400, "InvalidEncryptionAlgorithmError"),
        ({"x-amz-server-side-encryption": "aws:kms"}, 501, "NotImplemented"),
        ({"x-amz-object-lock-mode": "COMPLIANCE"}, 400, "InvalidArgument"),
        ({"x-amz-object-lock-legal-hold": "ON"}, 400, "InvalidRequest"),
        ({"x-amz-meta-a": "x" * 2048}, 400, "MetadataTooLarge"),
        ({"x-amz-tagging": "a=1&a=2"}, 400, "InvalidTag"),
        ({"if-none-match": '"etag"'}, 501, "NotImplemented"),
        ({"x-amz-copy-source": "nothing"}, 400, "InvalidArgument"),
        ({"x-amz-copy-source": "media/%00"}, 400, "InvalidURI"),
        ({"x-amz-checksum-crc32": "AAAAAA==", "x-amz-checksum-sha1": "x"}, 400, "InvalidRequest"),
    ],
)
async def test_headers_that_cannot_be_kept(
    owner: S3TestClient, headers: dict[str, str], status: int, code: str
) -> None:
    path = owner.path("media", b"k")
    answer = await owner.send("PUT", path, body=b"body", headers=headers)
    assert (answer.status, answer.error) == (status, code)
    assert (await owner.get("media", b"k")).status == 404


async def test_metadata_text(owner: S3TestClient) -> None:
    stored = {"x-amz-meta-word": "=?UTF-8?B?w6k=?=", "x-amz-meta-plain": "a, b"}
    await owner.put("media", b"m", b"", stored)
    got = await owner.get("media", b"m")
    assert got.headers["x-amz-meta-word"] == "=?UTF-8?B?w6k=?="
    assert got.headers["x-amz-meta-plain"] == "a, b"


@pytest.mark.parametrize(
    ("method", "query", "body", "code"),
    [
        ("POST", "delete", b"<Delete>", "MalformedXML"),
        ("PUT", "acl", b"<AccessControlPolicy/>", "MalformedACLError"),
        ("PUT", "versioning", b"<" * 1000, "MalformedXML"),
        ("PUT", "acl", b"x" * 100_000, "MaxMessageLengthExceeded"),
        ("GET", "prefix=%FF", b"", "InvalidURI"),
        ("GET", "max-keys=99999999999999999999", b"", "InvalidArgument"),
        ("GET", "encoding-type=base64", b"", "InvalidArgument"),
        ("GET", "acl&policy", b"", "InvalidArgument"),
    ],
)
async def test_documents_and_queries(
    owner: S3TestClient, method: str, query: str, body: bytes, code: str
) -> None:
    headers = {"content-md5": "1B2M2Y8AsgTpgAmY7PhCfg=="} if method == "POST" else {}
    answer = await owner.send(method, owner.path("media"), query, body=body, headers=headers)
    assert answer.error in {code, "BadDigest"} if method == "POST" else answer.error == code


async def test_preflights(owner: S3TestClient) -> None:
    headers = {
        "origin": "https://example.com",
        "access-control-request-method": "GET",
        "access-control-request-headers": "range",
    }
    path = owner.path("media", b"k")
    allowed = await owner.raw("OPTIONS", path, "", body=b"", headers=headers)
    assert allowed.status == 200
    assert allowed.headers["access-control-allow-origin"] == "*"
    assert allowed.headers["access-control-allow-headers"] == "range"
    headers["access-control-request-method"] = "PUT"
    assert (await owner.raw("OPTIONS", path, "", body=b"", headers=headers)).status == 403


class Broken(MemoryBackend):
    """Fails in ways that no backend should."""

    async def list_objects(self, request: t.Request[t.ListObjectsInput]) -> t.ListObjectsOutput:
        raise RuntimeError(f"secret of {request.input.bucket}")

    async def get_object(self, request: t.Request[t.ObjectInput]) -> t.ObjectOutput:
        found = await super().get_object(request)
        return t.ObjectOutput(
            found.etag, found.last_modified, found.object, ShortContent(found.content.size)
        )


class ShortContent(BytesContent):
    """Content that fails in the middle."""

    def __init__(self, size: int) -> None:
        super().__init__(b"x" * size)

    async def open(self, start: int, length: int) -> Payload:
        async def stream() -> AsyncIterator[bytes]:
            yield self.data[start : start + length // 4]
            yield self.data[start : start + length // 4]
            raise OSError("disk")

        return stream()


class TestBrokenBackend:
    @pytest.fixture
    def backend(self) -> MemoryBackend:
        return Broken()

    async def test_no_traceback_reaches_the_client(
        self, owner: S3TestClient, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.ERROR, "vexobj_s3compat"):
            answer = await owner.send("GET", owner.path("media"))
        assert (answer.status, answer.error) == (500, "InternalError")
        assert b"secret" not in answer.body
        assert answer.headers["x-amz-request-id"] in caplog.text

    async def test_a_failing_stream_ends_short(self, owner: S3TestClient) -> None:
        await owner.put("media", b"k", b"x" * 100_000)
        with pytest.raises(httpx.RemoteProtocolError):
            await owner.get("media", b"k")


class EndlessContent:
    """Content that goes on until it is closed."""

    def __init__(self, closed: asyncio.Event) -> None:
        self.size = 10**12
        self._closed = closed

    async def open(self, _start: int, _length: int) -> Payload:
        async def stream() -> AsyncIterator[bytes]:
            try:
                while True:
                    yield b"x" * 65536
            finally:
                self._closed.set()

        return stream()

    async def part(self, _number: int) -> None:
        return None


class Endless(MemoryBackend):
    """Every object is endless."""

    def __init__(self) -> None:
        super().__init__()
        self.closed = asyncio.Event()

    async def get_object(self, request: t.Request[t.ObjectInput]) -> t.ObjectOutput:
        found = await super().get_object(request)
        content = EndlessContent(self.closed)
        return t.ObjectOutput(found.etag, found.last_modified, found.object, content)


class TestEndlessDownload:
    @pytest.fixture
    def backend(self) -> Endless:
        return Endless()

    async def test_a_reader_that_left_stops_it(self, backend: Endless, owner: S3TestClient) -> None:
        await owner.put("media", b"k", b"x", {"x-amz-acl": "public-read"})
        request = b"GET /media/k HTTP/1.1\r\nhost: x\r\n\r\n"
        assert (await talk(owner.base_url, request)).startswith(b"HTTP/1.1 200")
        await asyncio.wait_for(backend.closed.wait(), 60)


async def test_an_empty_backend_answers_not_implemented() -> None:
    app = S3App(S3Backend(), MemoryCredentials({}))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as web:
        answer = await web.get("/media/key")
        head = await web.head("/media/key")
    assert answer.status_code == 501
    assert "<Code>NotImplemented</Code>" in answer.text
    assert (head.status_code, head.content) == (501, b"")


class Slow(MemoryBackend):
    """Completes only when told."""

    def __init__(self) -> None:
        super().__init__()
        self.go = asyncio.Event()

    async def copy_object(self, request: t.Request[t.CopyObjectInput]) -> t.CopyObjectOutput:
        await self.go.wait()
        return await super().copy_object(request)


@pytest.mark.parametrize("source", ["media/k", "media/none"])
async def test_slow_answers_begin_with_whitespace(source: str) -> None:
    backend = Slow()
    app = S3App(backend, MemoryCredentials({"ALICE": "alice-secret"}), keepalive_seconds=0.01)
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)
        if message.get("body") == b" ":
            backend.go.set()

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    def scope(method: str, path: bytes, headers: dict[str, str]) -> dict[str, Any]:
        return {
            "type": "http",
            "method": method,
            "raw_path": path,
            "query_string": b"",
            "root_path": "",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }

    bearer = {"authorization": "Bearer alice-secret", "content-length": "0"}
    for path in (b"/media", b"/media/k"):
        await app(scope("PUT", path, bearer), receive, send)
    assert {message["status"] for message in sent[::2]} == {200}
    sent.clear()
    copy = {**bearer, "x-amz-copy-source": source}
    await app(scope("PUT", b"/media/copy", copy), receive, send)
    assert sent[0]["status"] == 200
    body = b"".join(message.get("body", b"") for message in sent)
    assert body.startswith(b'<?xml version="1.0" encoding="UTF-8"?>\n ')
    assert body.endswith(b"</CopyObjectResult>" if source == "media/k" else b"</Error>")
