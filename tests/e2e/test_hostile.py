"""What no honest client sends: the right error, nothing stored, nothing lost, no growth."""

import asyncio
import base64
import hashlib
import io
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import httpx
import pytest
from PIL import Image

from support.endpoint import Endpoint
from support.processes import resident_bytes
from support.s3 import S3, signed_headers
from vexobj_server.testing import RunningServer

BOMB = b"""<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">
<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>
<Delete><Object><Key>&c;</Key></Object></Delete>"""


@dataclass(frozen=True)
class Case:
    """A signed request and the code that it must be answered with."""

    name: str
    code: str
    method: str = "PUT"
    key: str = "victim"
    body: bytes = b""
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    tamper: Mapping[str, str] = field(default_factory=dict)


CASES = (
    Case("wrong payload hash", "XAmzContentSHA256Mismatch", body=b"a",
         tamper={"x-amz-content-sha256": hashlib.sha256(b"b").hexdigest()}),
    Case("wrong Content-MD5", "BadDigest", body=b"a",
         headers={"content-md5": "1B2M2Y8AsgTpgAmY7PhCfg=="}),
    Case("unreadable Content-MD5", "InvalidDigest", body=b"a", headers={"content-md5": "zz"}),
    Case("wrong checksum", "BadDigest", body=b"a", headers={"x-amz-checksum-crc32": "AAAAAA=="}),
    Case("broken chunk framing", "InvalidChunk", body=b"zz;nothing\r\n",
         headers={"content-encoding": "aws-chunked", "x-amz-decoded-content-length": "5",
                  "x-amz-trailer": "x-amz-checksum-crc32"},
         tamper={"x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER"}),
    Case("key of 1025 bytes", "KeyTooLongError", key="k" * 1025, body=b"a"),
    Case("key with NUL", "InvalidURI", key="nul%00", body=b"a"),
    Case("key that is not UTF-8", "InvalidURI", key="latin%E9", body=b"a"),
    Case("unknown subresource", "NotImplemented", query="torrent", body=b"a"),
    Case("made-up query on a write", "InvalidArgument", query="bogus=1", body=b"a"),
    Case("part number 0", "InvalidArgument", query="partNumber=0&uploadId=x", body=b"a"),
    Case("part of no upload", "NoSuchUpload", query="partNumber=1&uploadId=nothing", body=b"a"),
    Case("XML bomb", "MalformedXML", method="POST", key="", query="delete", body=BOMB,
         headers={"content-md5": ""}),
    Case("not XML", "MalformedXML", method="POST", query="uploadId=x", body=b"<Complete"),
    Case("absurd range", "InvalidRange", method="GET",
         headers={"range": "bytes=99999999999999999999-"}),
)  # fmt: skip


async def send(
    http: httpx.AsyncClient, endpoint: Endpoint, bucket: str, case: Case
) -> httpx.Response:
    path = f"/{bucket}/{case.key}" + (f"?{case.query}" if case.query else "")
    headers = dict(case.headers)
    if headers.get("content-md5") == "":
        headers["content-md5"] = base64.b64encode(hashlib.md5(case.body).digest()).decode()
    headers = signed_headers(
        endpoint, case.method, endpoint.url + path, case.body, headers,
        payload=case.tamper.get("x-amz-content-sha256"),
    )  # fmt: skip
    url = httpx.URL(endpoint.url, raw_path=path.encode())
    return await http.request(case.method, url, content=case.body, headers=headers)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_refused_and_nothing_changed(endpoint: Endpoint, bucket: str, case: Case) -> None:
    async with S3(endpoint) as s3:
        assert (await s3.request("PUT", bucket, "victim", b"untouched")).status_code == 200
        async with httpx.AsyncClient() as http:
            answer = await send(http, endpoint, bucket, case)
        found = re.search(r"<Code>(.+?)</Code>", answer.text)
        assert found, f"{answer.status_code} {answer.text}"
        assert found.group(1) == case.code
        assert 400 <= answer.status_code < 600
        assert answer.status_code == 501 or answer.status_code < 500
        assert "Traceback" not in answer.text
        assert (await s3.request("GET", bucket, "victim")).content == b"untouched"
        listed = (await s3.request("GET", bucket)).text
        assert re.findall(r"<Key>(.*?)</Key>", listed) == ["victim"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"authorization": "AWS4-HMAC-SHA256 nonsense"}, "AuthorizationHeaderMalformed"),
        ({"authorization": "AWS AKID:signature"}, "InvalidRequest"),
        ({"authorization": "Bearer vex_wrong"}, "AccessDenied"),
        ({"x-amz-date": "20200101T000000Z"}, "RequestTimeTooSkewed"),
        ({"host": "elsewhere.example"}, "SignatureDoesNotMatch"),
    ],
)
async def test_forged(endpoint: Endpoint, bucket: str, change: dict[str, str], code: str) -> None:
    url = f"{endpoint.url}/{bucket}/"
    headers = signed_headers(endpoint, "GET", url)
    if "x-amz-date" in change:
        today, then = headers["x-amz-date"][:8], change["x-amz-date"][:8]
        headers["authorization"] = headers["authorization"].replace(today, then)
    async with httpx.AsyncClient() as http:
        answer = await http.get(url, headers={**headers, **change})
    assert answer.status_code in {400, 401, 403}
    assert f"<Code>{code}</Code>" in answer.text


async def test_an_unknown_key_and_a_wrong_secret(endpoint: Endpoint, bucket: str) -> None:
    for stranger, code in (
        (Endpoint(endpoint.url, "NOSUCHKEY", "secret-secret"), "InvalidAccessKeyId"),
        (Endpoint(endpoint.url, endpoint.access_key_id, "wrong-secret"), "SignatureDoesNotMatch"),
    ):
        async with S3(stranger) as s3:
            answer = await s3.request("GET", bucket)
            assert (answer.status_code, f"<Code>{code}</Code>" in answer.text) == (403, True)


async def test_an_expired_link(endpoint: Endpoint, bucket: str) -> None:
    link = endpoint.boto3().generate_presigned_url(
        "get_object", Params={"Bucket": bucket, "Key": "x"}, ExpiresIn=60
    )
    then = (datetime.now(UTC) - timedelta(days=1)).strftime("%Y%m%d")
    stale = re.sub(r"\d{8}(T|%2F)", lambda found: then + found.group(1), link)
    async with httpx.AsyncClient() as http:
        answer = await http.get(stale)
    assert (answer.status_code, "AccessDenied" in answer.text) == (403, True)


def raw(server: RunningServer, data: bytes, *, close: bool = False) -> bytes:
    parts = urlsplit(server.url)
    with socket.create_connection((str(parts.hostname), parts.port or 80), 20) as connection:
        connection.sendall(data)
        if close:
            connection.shutdown(socket.SHUT_WR)
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
            if close or b"\r\n\r\n" in answer:
                break
        return answer


def test_floods_and_fragments(server: RunningServer, endpoint: Endpoint, bucket: str) -> None:
    host = f"Host: {endpoint.host}\r\n".encode()
    many = b"".join(b"x-%d: y\r\n" % n for n in range(5000))
    assert raw(server, b"GET / HTTP/1.1\r\n" + host + many + b"\r\n").startswith(b"HTTP/1.1 431")
    assert raw(server, b"GET /livez HTTP/1.1\r\n" + host + host + b"\r\n")[:12] == b"HTTP/1.1 400"
    long = b"x: " + b"y" * 2_000_000
    assert b"431" in raw(server, b"GET / HTTP/1.1\r\n" + host + long + b"\r\n\r\n")[:20]
    assert (
        b" 414" in raw(server, b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n" + host + b"\r\n")[:20]
    )
    assert b" 400" in raw(server, b"\x16\x03\x01nonsense\r\n\r\n")[:20]
    s3 = endpoint.boto3()
    link = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "half"})
    path = link.removeprefix(server.url).encode()
    head = b"PUT " + path + b" HTTP/1.1\r\n" + host
    raw(server, head + b"Content-Length: 500000\r\n\r\n" + b"x" * 100_000, close=True)
    raw(server, head + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nxxxxx")
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)
    assert httpx.get(f"{server.url}/livez").status_code == 200
    assert "Traceback" not in server.log


def test_expect_continue_is_refused_without_the_body(
    server: RunningServer, endpoint: Endpoint, bucket: str
) -> None:
    head = (
        f"PUT /{bucket}/x HTTP/1.1\r\nHost: {endpoint.host}\r\n"
        "Content-Length: 5000000000\r\nExpect: 100-continue\r\n\r\n"
    )
    answer = raw(server, head.encode())
    assert answer.startswith(b"HTTP/1.1 403")
    assert b"100 Continue" not in answer


@pytest.mark.parametrize("query", ["delete", "uploadId=x"])
def test_a_strangers_document_is_not_even_read(
    server: RunningServer, endpoint: Endpoint, bucket: str, query: str
) -> None:
    head = (
        f"POST /{bucket}{'/key' if query != 'delete' else ''}?{query} HTTP/1.1\r\n"
        f"Host: {endpoint.host}\r\nContent-Length: 4000000\r\nContent-MD5: "
        "1B2M2Y8AsgTpgAmY7PhCfg==\r\nExpect: 100-continue\r\n\r\n"
    )
    answer = raw(server, head.encode())
    assert answer.startswith(b"HTTP/1.1 403")


@pytest.mark.parametrize("size", [(7000, 7000), (13000, 13000)])
async def test_decompression_bombs(
    server: RunningServer, endpoint: Endpoint, bucket: str, size: tuple[int, int]
) -> None:
    buffer = io.BytesIO()
    Image.new("L", size).save(buffer, "PNG")
    async with S3(endpoint) as s3, httpx.AsyncClient(timeout=60) as http:
        put = await s3.request(
            "PUT", bucket, "bomb.png", buffer.getvalue(),
            headers={"x-amz-acl": "public-read", "content-type": "image/png"},
        )  # fmt: skip
        assert put.status_code == 200
        before = resident_bytes(server.pid)
        url = f"{endpoint.url}/{bucket}/bomb.png?w=100"
        answers = await asyncio.gather(*(http.get(f"{url}&h={n}") for n in range(1, 9)))
        if size[0] * size[1] > 50_000_000:
            assert {a.status_code for a in answers} == {422}
        assert {a.status_code for a in answers} <= {200, 422, 503}
        assert resident_bytes(server.pid) - before < 512 * 1024**2
        assert (await http.get(f"{server.url}/livez")).status_code == 200


async def test_a_thousand_bad_requests_leave_no_growth(
    server: RunningServer, endpoint: Endpoint, bucket: str
) -> None:
    async with httpx.AsyncClient() as http:

        async def volley(count: int) -> None:
            for case in CASES * count:
                await send(http, endpoint, bucket, case)

        await volley(10)
        before = resident_bytes(server.pid)
        await volley(70)
    assert resident_bytes(server.pid) - before < 16 * 1024**2
    assert "Traceback" not in server.log
