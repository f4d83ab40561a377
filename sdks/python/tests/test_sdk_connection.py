"""What the Python SDK says when the other side is not as it should be."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from vexobj_sdk import (
    ConnectionFailed,
    ServerError,
    Throttled,
    UnexpectedAnswer,
    VexObj,
    VexObjError,
)
from vexobj_server.testing import free_port


@contextmanager
def answering(answer: bytes, *, read: int = 1) -> Iterator[str]:
    """A listener that takes one connection, reads a little, answers and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(read)
                connection.sendall(answer)
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65536):
                    pass

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            thread.join()


def answer(status: str, body: bytes, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def test_nobody_answers() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with VexObj(url) as client:
        for call in (client.list_buckets, lambda: client.get_object("b", "k").__enter__()):
            with pytest.raises(ConnectionFailed, match=url):
                call()


def test_a_download_that_breaks_off() -> None:
    cut = b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n" + bytes(10)
    with (
        answering(cut) as url,
        VexObj(url) as client,
        client.get_object("bucket", "key") as download,
        pytest.raises(ConnectionFailed, match="broke off"),
    ):
        download.read()


def test_an_upload_that_is_not_answered() -> None:
    with (
        answering(b"", read=100_000) as url,
        VexObj(url) as client,
        pytest.raises(ConnectionFailed, match="no answer"),
    ):
        client.put_object("bucket", "key", (bytes(65536) for _ in range(20)))


def test_a_server_that_stalls() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with VexObj(url, timeout_seconds=0.05) as client, pytest.raises(ConnectionFailed) as caught:
            client.health()
    assert str(caught.value).rstrip(": ") != f"no answer from {url}"


def test_errors_of_the_caller_stay_the_callers() -> None:
    """An httpx error raised inside the block is not taken for one of the download's."""
    with (
        answering(answer("200 OK", b"bytes")) as url,
        VexObj(url) as client,
        pytest.raises(httpx.ConnectError, match="the caller's"),
        client.get_object("bucket", "key"),
    ):
        raise httpx.ConnectError("the caller's")


@pytest.mark.parametrize(
    ("sent", "kind", "status"),
    [
        (answer("200 OK", b"<html>"), UnexpectedAnswer, 200),
        (answer("200 OK", b"[]"), UnexpectedAnswer, 200),
        (answer("200 OK", b'{"other": 1}'), UnexpectedAnswer, 200),
        (answer("301 Moved", b"", "location: https://example.com/"), UnexpectedAnswer, 301),
        (answer("502 Bad Gateway", b"<html>"), ServerError, 502),
        (answer("500 Oh", b'{"error": "internal error", "code": "InternalError"}'),
         ServerError, 500),
        (answer("507 Full", b'["a list"]'), ServerError, 507),
        (answer("429 Slow", b"", "retry-after: 7"), Throttled, 429),
        (answer("503 Busy", b"", "retry-after: Fri, 31 Dec 1999 23:59:59 GMT"), Throttled, 503),
        (b"SSH-2.0-OpenSSH_9.2\r\n", ConnectionFailed, None),
    ],
)  # fmt: skip
def test_answers_that_are_none(sent: bytes, kind: type[VexObjError], status: int | None) -> None:
    with answering(sent) as url, VexObj(url) as client, pytest.raises(VexObjError) as caught:
        client.list_buckets()
    assert type(caught.value) is kind
    assert caught.value.status == status
    if isinstance(caught.value, Throttled):
        assert caught.value.retry_after_seconds == (7 if status == 429 else 1)


@pytest.mark.parametrize("url", ["", "localhost:8000", "ftp://127.0.0.1", "http://", "http://[::"])
def test_no_address(url: str) -> None:
    with pytest.raises(ValueError, match="not an address"):
        VexObj(url)


@pytest.mark.parametrize("key", ["a b", "a\nb", "ключ"])
def test_no_token(key: str) -> None:
    with pytest.raises(ValueError, match="API key"):
        VexObj("http://127.0.0.1", key)
