"""What vexobjctl says and leaves behind when something goes wrong."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from vexobj_cli.testing import Program
from vexobj_sdk import VexObj
from vexobj_server.testing import free_port

ADDRESS = "Is the server running, and is --url (or VEXOBJ_URL) right?\n"

INTERRUPTIBLE = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # whatever the tests were started with
from vexobj_cli.main import main
main()
"""


@contextmanager
def half_a_download(*, hang_up: bool) -> Iterator[str]:
    """A server that sends half of an object, and then hangs up or waits for the client to."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2000000\r\n\r\n")
                connection.sendall(bytes(1_000_000))
                if not hang_up:
                    with suppress(ConnectionResetError):
                        connection.recv(1)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            thread.join()


def test_no_server(run: Program) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    done = run("--url", url, "stats")
    assert done.code == 1
    assert done.err.startswith(f"vexobjctl: no answer from {url}: ")
    assert done.err.endswith(ADDRESS)
    assert len(done.err.splitlines()) == 2


def test_something_else_answers(run: Program) -> None:
    with half_a_download(hang_up=True) as url:
        done = run("--url", url, "stats")
    assert done.code == 1
    assert done.err.endswith(ADDRESS)


@pytest.mark.parametrize(
    ("arguments", "environment", "code", "sentence"),
    [
        (["stats"], {"VEXOBJ_KEY": ""}, 1, "missing authorization header"),
        (["stats"], {"VEXOBJ_KEY": "wrong"}, 1, "invalid api key"),
        (["stats"], {"VEXOBJ_KEY": "a b"}, 1, "an API key has no spaces"),
        (["stats"], {"VEXOBJ_URL": "localhost:8000"}, 1, "not an address: localhost:8000"),
        (["bucket", "create", "A"], {}, 1, "invalid bucket name: it must have 3 to 63 characters"),
        (["object", "list", "no-such-bucket"], {}, 1, "bucket not found"),
        (["object", "head", "no-such-bucket", "k"], {}, 1, "the server answered 404 Not Found"),
        (["object", "put", "no-such-bucket", "k", "file"], {}, 1, "bucket not found"),
        (["key", "delete", "nobody"], {}, 1, "api key not found"),
        (["object", "put", "b", "k", "missing"], {}, 2, "does not exist"),
        (["object", "get", "b"], {}, 2, "Missing argument"),
    ],
)
def test_one_sentence(
    run: Program,
    tmp_path: Path,
    arguments: list[str],
    environment: dict[str, str],
    code: int,
    sentence: str,
) -> None:
    (tmp_path / "file").write_bytes(bytes(1_000_000))
    done = run(*arguments, env=environment)
    assert (done.code, done.out) == (code, "")
    assert sentence in done.err
    if code == 1:
        assert len(done.err.splitlines()) <= 2


def test_a_key_that_is_no_text(run: Program, bucket: str) -> None:
    done = run("object", "head", bucket, os.fsdecode(b"\xff"))
    assert done.code == 1
    assert done.err.startswith("vexobjctl: ")


def test_where_no_file_can_be(run: Program, bucket: str, client: VexObj, tmp_path: Path) -> None:
    client.put_object(bucket, "k", b"bytes")
    done = run("object", "get", bucket, "k", "no/folder")
    assert done.code == 1
    assert "No such file or directory" in done.err
    assert "Is a directory" in run("object", "get", bucket, "k", ".").err
    assert list(tmp_path.iterdir()) == []


def test_a_missing_object_leaves_the_file_alone(run: Program, bucket: str, tmp_path: Path) -> None:
    (tmp_path / "out").write_bytes(b"before")
    assert run("object", "get", bucket, "missing", "out").code == 1
    assert (tmp_path / "out").read_bytes() == b"before"


def test_a_download_that_breaks_off_leaves_no_file(run: Program, tmp_path: Path) -> None:
    with half_a_download(hang_up=True) as url:
        done = run("--url", url, "object", "get", "b", "k", "out")
    assert done.code == 1
    assert "the download broke off" in done.err
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_download_leaves_no_file(run: Program, tmp_path: Path) -> None:
    with half_a_download(hang_up=False) as url:
        process = subprocess.Popen(
            [sys.executable, "-c", INTERRUPTIBLE, "--url", url, "object", "get", "b", "k", "out"],
            cwd=tmp_path,
            env=run.env,
            stderr=subprocess.PIPE,
        )
        deadline = time.monotonic() + 60
        while not any(each.stat().st_size for each in tmp_path.iterdir()):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode in {1, 130}
    assert b"Traceback" not in err
    assert list(tmp_path.iterdir()) == []
