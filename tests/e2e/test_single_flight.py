"""However many ask for a variant, and whatever dies meanwhile, it is computed once and answered."""

import asyncio
import io
import os
import signal
import socket
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import httpx
import psutil
import pytest
from PIL import Image

from support.endpoint import Endpoint
from support.metrics import metric, wait_until
from support.photos import ROCKET
from vexobj_server.testing import RunningServer, running_server

CLIENTS = 50
COMPUTED = "vexobj_variants_computed_total"
RUNNING = "vexobj_media_running"
SLOW = "w=4000&format=avif"
"""Two seconds of one processor: time enough to do something meanwhile."""

PATIENT = {"VEXOBJ_IMAGES_TIMEOUT": "60s"}
"""A busy machine may take a multiple of that."""


@cache
def photo() -> bytes:
    """12 megapixels."""
    buffer = io.BytesIO()
    with Image.open(ROCKET) as image:
        image.resize((4000, 3000), Image.Resampling.BICUBIC).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    with running_server(tmp_path / "data", workers=2, environment=PATIENT) as running:
        s3 = Endpoint(running.url, running.access_key_id, running.secret_access_key).boto3()
        s3.create_bucket(Bucket="photos")
        s3.put_object(
            Bucket="photos", Key="photo.jpg", Body=photo(), ContentType="image/jpeg",
            ACL="public-read",
        )  # fmt: skip
        yield running


def urls(server: RunningServer, query: str) -> list[str]:
    return [
        f"{server.url}{prefix}/photos/photo.jpg?{query}" for prefix in ("", "/s3", "/v1/objects")
    ]


async def ask(server: RunningServer, query: str, count: int = CLIENTS) -> list[httpx.Response]:
    """Each on a connection of its own, so that both workers get some; on all APIs in turn."""
    asked = urls(server, query)
    limits = httpx.Limits(max_connections=count, max_keepalive_connections=0)
    async with httpx.AsyncClient(limits=limits, timeout=100, trust_env=False) as http:
        return await asyncio.gather(*(http.get(asked[n % 3]) for n in range(count)))


def all_the_same(answers: list[httpx.Response]) -> bool:
    assert {answer.status_code for answer in answers} == {200}, answers[0].text
    assert len({answer.headers["content-type"] for answer in answers}) == 1
    return len({(answer.headers["etag"], answer.content) for answer in answers}) == 1


def processes(server: RunningServer, module: str) -> list[psutil.Process]:
    family = psutil.Process(server.pid).children(recursive=True)
    return [process for process in family if module in process.cmdline()]


def under_way(server: RunningServer) -> bool:
    return metric(server, RUNNING) == 1


async def test_fifty_clients_cause_one_computation(server: RunningServer) -> None:
    answers = await ask(server, "w=300&h=200&format=webp")
    assert all_the_same(answers)
    assert Image.open(io.BytesIO(answers[0].content)).size == (300, 200)
    assert metric(server, COMPUTED) == 1
    again = await ask(server, "h=200&fit=cover&format=webp&w=300")
    assert all_the_same([*answers, *again])
    assert {answer.headers["x-vexobj-cache"] for answer in again} == {"hit"}
    assert metric(server, COMPUTED) == 1


async def test_a_first_caller_who_leaves_fails_nobody(server: RunningServer) -> None:
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as first:
        head = f"GET /photos/photo.jpg?{SLOW} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n"
        first.sendall(head.encode())
        wait_until(lambda: under_way(server))
    assert all_the_same(await ask(server, SLOW, CLIENTS - 1))
    assert metric(server, COMPUTED) == 1


async def test_a_decoder_that_is_killed_is_replaced_and_the_job_done(server: RunningServer) -> None:
    asking = asyncio.create_task(ask(server, SLOW))
    await asyncio.to_thread(wait_until, lambda: under_way(server))
    (decoder,) = processes(server, "vexobj_processing.child")
    os.kill(decoder.pid, signal.SIGKILL)
    assert all_the_same(await asking)


def is_alive(process: psutil.Process) -> bool:
    """An orphan that has ended is a zombie until the init process gets round to it."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def test_a_killed_broker_is_told_as_busy_and_replaced(server: RunningServer) -> None:
    asking = asyncio.create_task(ask(server, SLOW))
    await asyncio.to_thread(wait_until, lambda: under_way(server))
    (broker,) = processes(server, "vexobj_server.media.broker")
    decoders = processes(server, "vexobj_processing.child")
    os.kill(broker.pid, signal.SIGKILL)
    refused = [answer for answer in await asking if answer.status_code != 200]
    assert refused
    assert {answer.status_code for answer in refused} == {503}
    assert all(int(answer.headers["retry-after"]) >= 1 for answer in refused)
    assert all_the_same(await ask(server, SLOW))
    await asyncio.to_thread(wait_until, lambda: not any(map(is_alive, decoders)))


async def test_variants_outlive_the_server(server: RunningServer) -> None:
    before = await ask(server, "w=300&format=webp", 3)
    assert server.stop() == 0
    with running_server(server.data_dir, workers=2) as second:
        after = await ask(second, "w=300&format=webp", 3)
        assert all_the_same([*before, *after])
        assert {answer.headers["x-vexobj-cache"] for answer in after} == {"hit"}
        assert metric(second, COMPUTED) == 0
