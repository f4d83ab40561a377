"""How a server begins and ends: two at once on nothing, and signals to all of its processes."""

import asyncio
import os
import re
import shutil
import signal
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import httpx
import pytest
from PIL import Image
from starlette.types import Message

from vexobj_server.app import create_app
from vexobj_server.bootstrap import prepare_data_dir, server_secret
from vexobj_server.runtime import create_runtime
from vexobj_server.settings import load_settings
from vexobj_server.testing import RunningServer, running_server, start_server

OWN_KEY = {
    # Empty counts as not set: the server makes a key of its own.
    "VEXOBJ_AUTH_ROOT_ACCESS_KEY_ID": "",
    "VEXOBJ_AUTH_ROOT_SECRET_ACCESS_KEY": "",
    "VEXOBJ_AUTH_SERVER_SECRET": "5e" * 32,
}
SLOW = "/v1/objects/pictures/a?w=2000&h=2000&format=avif&enlarge=1"


def slow_image() -> bytes:
    buffer = BytesIO()
    noise = Image.effect_noise((1500, 1500), 90)
    Image.merge("RGB", (noise, noise.rotate(90), noise.rotate(180))).save(buffer, "JPEG")
    return buffer.getvalue()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_to_the_whole_group_lets_an_image_be_finished(
    tmp_path: Path, number: signal.Signals
) -> None:
    """As Ctrl-C in a terminal and systemd's KillMode=control-group send it."""
    with running_server(tmp_path / "data", workers=2) as server:
        headers = {"authorization": f"Bearer {server.secret_access_key}"}
        async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=60) as http:
            await http.post("/v1/buckets", json={"name": "pictures"})
            content = {"content-type": "image/jpeg"}
            await http.put("/v1/objects/pictures/a", content=slow_image(), headers=content)
            asked = asyncio.create_task(http.get(SLOW))
            await _until_running(server)
            os.killpg(server.pid, number)
            answer = await asked
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "image/avif"
        # No second signal: at the very end the interpreter has no handler for it any more.
        assert server.process.wait(30) == 0
        assert "Traceback" not in server.log
        assert "started again" not in server.log


async def _until_running(server: RunningServer) -> None:
    async with asyncio.timeout(60), httpx.AsyncClient(base_url=server.url) as http:
        while True:
            if "\nvexobj_media_running 1.0\n" in (await http.get("/metrics")).text:
                return
            await asyncio.sleep(0.01)


async def test_two_servers_that_start_at_once_make_one_key(
    tmp_path: Path, metadata_url: str | None
) -> None:
    """On one directory with SQLite, on directories of their own over PostgreSQL."""
    shared = {"VEXOBJ_METADATA_URL": metadata_url} if metadata_url else {}
    places = [tmp_path / name / "data" for name in ("one", "two")]
    if not metadata_url:
        shared["VEXOBJ_DATA_DIR"] = str(tmp_path / "data")

    def start(place: Path) -> RunningServer:
        return start_server(place, environment=OWN_KEY | shared)

    with ThreadPoolExecutor() as pool:
        servers = list(pool.map(start, places))
    try:
        told = [
            secret
            for server in servers
            for secret in re.findall(r"SECRET_ACCESS_KEY=(vex_\w+)", server.log)
        ]
        assert len(told) == 1
        for server in servers:
            headers = {"authorization": f"Bearer {told[0]}"}
            async with httpx.AsyncClient(base_url=server.url, headers=headers) as http:
                assert len((await http.get("/v1/admin/keys")).json()["keys"]) == 1
                assert len((await http.get("/v1/admin/identities")).json()["identities"]) == 1
    finally:
        for server in servers:
            server.stop()
            server.kill()


async def test_the_end_waits_for_a_request_that_has_only_its_answer_out(tmp_path: Path) -> None:
    """Granian ends the lifespan then; the request still has to be counted and logged."""
    environment = {"VEXOBJ_DATA_DIR": str(tmp_path / "data")}
    settings = load_settings(environment).settings
    prepare_data_dir(settings.storage.data_dir)
    runtime = create_runtime(settings, server_secret(settings))
    app = create_app(runtime)
    answered, started, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def life() -> AsyncIterator[Message]:
        yield {"type": "lifespan.startup"}
        await answered.wait()
        yield {"type": "lifespan.shutdown"}

    async def tell(message: Message) -> None:
        (started if message["type"] == "lifespan.startup.complete" else ended).set()

    async def send(message: Message) -> None:
        if message["type"] == "http.response.body":
            answered.set()
            for _ in range(100):
                await asyncio.sleep(0)
            assert not ended.is_set()

    async def receive() -> Message:
        return {"type": "http.request"}

    living = asyncio.create_task(app({"type": "lifespan"}, life().__anext__, tell))
    try:
        await started.wait()
        scope = {
            "type": "http", "method": "GET", "path": "/livez", "raw_path": b"/livez",
            "root_path": "", "query_string": b"", "headers": [(b"host", b"127.0.0.1")],
            "http_version": "1.1",
            "scheme": "http", "server": ("127.0.0.1", 1), "client": ("127.0.0.1", 2),
        }  # fmt: skip
        await app(scope, receive, send)
        await living
        assert ended.is_set()
    finally:
        shutil.rmtree(runtime.directory)
