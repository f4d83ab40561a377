"""A memory backend behind Granian on a free port."""

import asyncio
import contextlib
import random
import socket
from collections.abc import AsyncIterator

import pytest
from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server

from vexobj_s3compat import MemoryBackend, MemoryCredentials, S3App

KEYS = {"ALICE": "alice-secret", "BOB": "bob-secret"}


def free_port() -> int:
    while True:
        port = random.randrange(10_240, 32_768)  # below what outgoing connections are given
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


async def _answers(port: int) -> None:
    for _ in range(5000):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.01)
        else:
            writer.close()
            return
    raise TimeoutError("the server did not start")


@pytest.fixture
def backend() -> MemoryBackend:
    return MemoryBackend()


@pytest.fixture
def app(backend: MemoryBackend) -> S3App:
    return S3App(backend, MemoryCredentials(KEYS))


@pytest.fixture
async def base_url(app: S3App) -> AsyncIterator[str]:
    port = free_port()
    server = Server(
        app, port=port, interface=Interfaces.ASGINL, http=HTTPModes.http1, log_enabled=False
    )
    serving = asyncio.create_task(server.serve())
    await _answers(port)
    yield f"http://127.0.0.1:{port}"
    server.stop()  # type: ignore[no-untyped-call]
    await serving
