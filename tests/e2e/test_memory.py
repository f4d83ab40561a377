"""Memory does not depend on the size of objects: 2 GiB in and out, in every way."""

import hashlib
import http.client
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest

from support.endpoint import Endpoint
from support.processes import PeakMemory
from vexobj_server.testing import RunningServer

GIB = 1024**3
SIZE = 2 * GIB
BLOCK = hashlib.shake_256(b"block").digest(8 * 1024**2)
ALLOWED = 64 * 1024**2
WARM_UP = 64 * 1024**2


def blocks(size: int) -> Iterator[bytes]:
    """Content that repeats every 8 MiB and is not all one blob for dedup."""
    yield from (BLOCK for _ in range(size // len(BLOCK)))


def expected_md5(size: int) -> str:
    sum_ = hashlib.md5()
    for block in blocks(size):
        sum_.update(block)
    return sum_.hexdigest()


def put(url: str, size: int) -> str:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=100)
    try:
        connection.request(
            "PUT",
            f"{parts.path}?{parts.query}",
            body=blocks(size),
            headers={"content-length": str(size)},
        )
        answer = connection.getresponse()
        assert answer.status == 200, answer.read()
        return answer.headers["etag"].strip('"')
    finally:
        connection.close()


def get(url: str, range_: str | None = None) -> tuple[int, str]:
    """(bytes received, their MD5)."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=100)
    headers = {"range": range_} if range_ else {}
    sum_, received = hashlib.md5(), 0
    try:
        connection.request("GET", f"{parts.path}?{parts.query}", headers=headers)
        answer = connection.getresponse()
        assert answer.status in {200, 206}
        while chunk := answer.read(1024**2):
            received += len(chunk)
            sum_.update(chunk)
    finally:
        connection.close()
    return received, sum_.hexdigest()


@contextmanager
def slow_reader(url: str) -> Iterator[None]:
    """Someone who asks for everything and takes a few bytes a second."""
    parts = urlsplit(url)
    stop = threading.Event()
    with socket.create_connection((str(parts.hostname), parts.port or 80)) as connection:
        request = f"GET {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n"
        connection.sendall(request.encode())

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


def presigned(s3: Any, method: str, bucket: str, key: str, **params: Any) -> str:
    return str(s3.generate_presigned_url(method, Params={"Bucket": bucket, "Key": key, **params}))


@pytest.mark.timeout(300)
@pytest.mark.parametrize("server", ["two-workers"], indirect=True, scope="session")
def test_two_gibibytes_in_and_out(server: RunningServer, endpoint: Endpoint, bucket: str) -> None:
    s3 = endpoint.boto3()
    put(presigned(s3, "put_object", bucket, "warm"), WARM_UP)
    warm = presigned(s3, "get_object", bucket, "warm")
    get(warm)
    get(warm, f"bytes=1-{WARM_UP - 2}")
    want = expected_md5(SIZE)
    single = presigned(s3, "get_object", bucket, "single")
    with PeakMemory(server.pid) as memory:
        assert put(presigned(s3, "put_object", bucket, "single"), SIZE) == want
        with slow_reader(single):
            assert get(single) == (SIZE, want)
            half = SIZE // 2
            first = get(single, f"bytes=0-{half - 1}")
            assert first == (half, expected_md5(half))
            assert get(single, f"bytes={half}-") == first
            upload = s3.create_multipart_upload(Bucket=bucket, Key="parts")["UploadId"]
            parts = []
            for number in range(1, 9):
                where = {"UploadId": upload, "PartNumber": number}
                link = presigned(s3, "upload_part", bucket, "parts", **where)
                parts.append({"PartNumber": number, "ETag": put(link, SIZE // 8)})
            s3.complete_multipart_upload(
                Bucket=bucket, Key="parts", UploadId=upload, MultipartUpload={"Parts": parts}
            )
            assert get(presigned(s3, "get_object", bucket, "parts")) == (SIZE, want)
    print(f"2 GiB in and out: memory grew by {memory.growth / 1024**2:.1f} MiB")
    assert memory.growth < ALLOWED
