"""Memory does not depend on the size of objects: 2 GiB in and out, in every way."""

import hashlib
import http.client
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import pytest

from support.endpoint import Endpoint
from support.processes import PeakMemory
from vexobj_server.testing import RunningServer

GIB = 1024**3
SIZE = 2 * GIB
BLOCK = hashlib.shake_256(b"block").digest(8 * 1024**2)
TWICE = BLOCK + BLOCK
CHUNK = 1024**2
ALLOWED = 64 * 1024**2
WARM_UP = 64 * 1024**2


@dataclass(frozen=True)
class Link:
    """Where an object is put or got, and what has to be sent along."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def target(self) -> str:
        parts = urlsplit(self.url)
        return f"{parts.path}?{parts.query}" if parts.query else parts.path

    @contextmanager
    def request(
        self, method: str, headers: Mapping[str, str], body: Iterator[bytes] | None = None
    ) -> Iterator[http.client.HTTPResponse]:
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=300)
        try:
            connection.request(method, self.target, body=body, headers={**self.headers, **headers})
            yield connection.getresponse()
        finally:
            connection.close()


def blocks(size: int) -> Iterator[bytes]:
    """Content that repeats every 8 MiB."""
    yield from (BLOCK for _ in range(size // len(BLOCK)))


@cache
def expected_md5(size: int) -> str:
    sum_ = hashlib.md5()
    for block in blocks(size):
        sum_.update(block)
    return sum_.hexdigest()


def put(link: Link, size: int) -> str:
    with link.request("PUT", {"content-length": str(size)}, blocks(size)) as answer:
        assert answer.status in {200, 201}, answer.read()
        return str(answer.headers["etag"]).strip('"')


def get(link: Link, start: int = 0, stop: int = SIZE) -> None:
    """All that was put, or a range of it, byte for byte."""
    headers = {} if stop - start == SIZE else {"range": f"bytes={start}-{stop - 1}"}
    with link.request("GET", headers) as answer:
        assert answer.status == (206 if headers else 200)
        at = start
        while chunk := answer.read(CHUNK):
            place = at % len(BLOCK)
            assert chunk == TWICE[place : place + len(chunk)]
            at += len(chunk)
        assert at == stop


@contextmanager
def slow_reader(link: Link, *lines: str) -> Iterator[None]:
    """Someone who asks for much and takes a few bytes a second."""
    parts = urlsplit(link.url)
    stop = threading.Event()
    with socket.create_connection((str(parts.hostname), parts.port or 80)) as connection:
        head = [f"GET {link.target} HTTP/1.1", f"host: {parts.netloc}", *lines]
        head += [f"{name}: {value}" for name, value in link.headers.items()]
        connection.sendall(("\r\n".join(head) + "\r\n\r\n").encode())

        def drip() -> None:
            while not stop.wait(0.2):
                connection.recv(100)

        thread = threading.Thread(target=drip)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()


@contextmanager
def slow_readers(link: Link) -> Iterator[None]:
    """One of the whole, which the kernel sends, and one of a range, which is streamed."""
    with slow_reader(link), slow_reader(link, "range: bytes=1-"):
        yield


class Ways:
    """How one API names what is put and got."""

    def __init__(self, api: str, server: RunningServer, s3: Any, bucket: str) -> None:
        self._native = api == "native"
        self._server = server
        self._s3 = s3
        self._bucket = bucket

    def put(self, key: str) -> Link:
        return self._link("put_object", key)

    def get(self, key: str) -> Link:
        return self._link("get_object", key)

    def part(self, key: str, upload: str, number: int) -> Link:
        return self._presigned("upload_part", key, UploadId=upload, PartNumber=number)

    def _link(self, method: str, key: str) -> Link:
        if not self._native:
            return self._presigned(method, key)
        headers = {"authorization": f"Bearer {self._server.secret_access_key}"}
        return Link(f"{self._server.url}/v1/objects/{self._bucket}/{key}", headers)

    def _presigned(self, method: str, key: str, **params: Any) -> Link:
        named = {"Bucket": self._bucket, "Key": key, **params}
        return Link(self._s3.generate_presigned_url(method, Params=named))


def in_and_out(ways: Ways) -> None:
    """One object, whole and by ranges, beside readers that hardly read."""
    with slow_readers(ways.get("warm")):
        assert put(ways.put("single"), SIZE) == expected_md5(SIZE)
    single = ways.get("single")
    with slow_readers(single):
        get(single)
        get(single, 0, SIZE // 2)
        get(single, SIZE // 2, SIZE)


def in_parts(s3: Any, ways: Ways, bucket: str) -> None:
    with slow_readers(ways.get("single")):
        upload = s3.create_multipart_upload(Bucket=bucket, Key="parts")["UploadId"]
        etags = [put(ways.part("parts", upload, number), SIZE // 8) for number in range(1, 9)]
        parts = [{"PartNumber": number, "ETag": etag} for number, etag in enumerate(etags, 1)]
        s3.complete_multipart_upload(
            Bucket=bucket, Key="parts", UploadId=upload, MultipartUpload={"Parts": parts}
        )
        get(ways.get("parts"))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("server", ["two-workers"], indirect=True, scope="session")
@pytest.mark.parametrize("api", ["s3", "native"])
def test_two_gibibytes_in_and_out(
    api: str, server: RunningServer, endpoint: Endpoint, bucket: str
) -> None:
    s3 = endpoint.boto3()
    ways = Ways(api, server, s3, bucket)
    put(ways.put("warm"), WARM_UP)
    get(ways.get("warm"), 0, WARM_UP)
    get(ways.get("warm"), 1, WARM_UP - 1)
    with PeakMemory(server.pid) as memory:
        in_and_out(ways)
        if api == "s3":  # the native API has no uploads in parts
            in_parts(s3, ways, bucket)
    print(f"2 GiB in and out by {api}: memory grew by {memory.growth / 1024**2:.1f} MiB")
    assert memory.growth < ALLOWED
