"""S3 services that keep a store's blobs: a second VexObj, and a server of another make."""

import contextlib
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.endpoint import Endpoint
from support.tools import need
from vexobj_server.testing import free_port, running_server

BUCKET = "blobs"

_START_SECONDS = 30


@contextlib.contextmanager
def vexobj_service(directory: Path) -> Iterator[Endpoint]:
    """With an empty bucket `BUCKET`, as the others."""
    with running_server(directory / "data") as server:
        endpoint = Endpoint.of(server)
        endpoint.boto3().create_bucket(Bucket=BUCKET)
        yield endpoint


@contextlib.contextmanager
def versitygw_service(directory: Path) -> Iterator[Endpoint]:
    """Over a directory; its own log is kept beside it."""
    program = need("versitygw")
    endpoint = Endpoint(f"http://127.0.0.1:{free_port()}", "versity", "versity-secret-0123456789")
    root = directory / "root"
    root.mkdir(parents=True)
    credentials = ("--access", endpoint.access_key_id, "--secret", endpoint.secret_access_key)
    with (directory / "versitygw.log").open("ab") as log:
        process = subprocess.Popen(
            [program, "--port", endpoint.host, *credentials, "--quiet", "posix", str(root)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=directory,
        )
    try:
        _wait_until_listening(endpoint, process)
        endpoint.boto3().create_bucket(Bucket=BUCKET)
        yield endpoint
    finally:
        process.terminate()
        process.wait(_START_SECONDS)


SERVICES = {"vexobj": vexobj_service, "versitygw": versitygw_service}

EVERY_MAKE = pytest.mark.parametrize("s3_endpoint", SERVICES, indirect=True, scope="session")
"""For a test whose fixture `s3_endpoint` is to be one of each."""


def _wait_until_listening(endpoint: Endpoint, process: "subprocess.Popen[bytes]") -> None:
    host, _, port = endpoint.host.partition(":")
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, "versitygw ended"
        with contextlib.suppress(OSError), socket.create_connection((host, int(port)), 1):
            return
        time.sleep(0.02)
    raise AssertionError("versitygw does not listen")
