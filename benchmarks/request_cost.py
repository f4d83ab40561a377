"""What one request costs inside a worker: the whole ASGI callable, shipped defaults, no socket.

CPU of the event loop's thread, and for writes of the whole process, the storage threads included.
The server in front (Granian: 25-30 us a request) and what its threads take from ours for the
interpreter's lock come on top: `s3_load.py` measures that.
"""

import asyncio
import os
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import uvloop
from figures import Figure, figure, publish

from support.endpoint import Endpoint
from support.s3 import signed_headers
from vexobj_auth import SecretBox
from vexobj_server.app import open_server
from vexobj_server.bootstrap import first_key, prepare_data_dir, server_secret, store_config
from vexobj_server.runtime import create_runtime
from vexobj_server.services.identities import StoredKeys
from vexobj_server.settings import load_settings
from vexobj_storage import ObjectStore

RUNS = 5
ROUNDS = 1_500
LISTS = 40
TASKS = 16
KEYS = 1_000
SMALL = 4096
FILE = 64 * 1024

PUBLIC = {"x-amz-acl": "public-read"}
ENDPOINT = Endpoint("http://127.0.0.1:8000", "AKIABENCHMARK0000000", "a-secret-of-the-benchmark")


class Call(NamedTuple):
    """An HTTP request as the server in front hands it over."""

    scope: dict[str, Any]
    body: bytes


def call(
    method: str,
    path: str,
    body: bytes = b"",
    *,
    signed: bool = True,
    extra: Mapping[str, str] | None = None,
) -> Call:
    url = ENDPOINT.url + path
    headers = {"host": ENDPOINT.host, "user-agent": "benchmark/1"}
    if signed:
        headers |= signed_headers(ENDPOINT, method, url, body, extra)
    if body:
        headers["content-length"] = str(len(body))
    parts = urlsplit(url)
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": parts.path,
        "raw_path": parts.path.encode(),
        "query_string": parts.query.encode(),
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 40_000),
        "server": ("127.0.0.1", 8000),
        "extensions": {"http.response.pathsend": {}},
    }
    return Call(scope, body)


class Server:
    """Sends calls to the application; every answer must be a success."""

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self._app = app

    async def send(self, wanted: Call) -> None:
        status = 0
        pending = [{"type": "http.request", "body": wanted.body, "more_body": False}]

        async def receive() -> dict[str, Any]:
            return pending.pop() if pending else {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            nonlocal status
            status = message.get("status", status)

        await self._app(dict(wanted.scope), receive, send)
        if status != 200:
            raise RuntimeError(f"{wanted.scope['method']} {wanted.scope['path']}: {status}")

    async def repeated(self, name: str, wanted: Call, rounds: int = ROUNDS) -> Figure:
        """CPU of the loop's thread, one call after another."""
        taken = []
        for _ in range(RUNS + 1):
            began = time.thread_time()
            for _ in range(rounds):
                await self.send(wanted)
            taken.append((time.thread_time() - began) / rounds * 1e6)
        return figure(f"{name}, loop thread", "us", taken[1:])

    async def all(self, name: str, calls: Iterable[Call]) -> list[Figure]:
        """Different calls, 16 at a time: CPU of the loop's thread and of the process, and rate."""
        waiting = list(calls)
        rounds = len(waiting) // RUNS
        loop, process, rate = [], [], []
        for _ in range(RUNS):
            batch = iter([waiting.pop() for _ in range(rounds)])

            async def work(batch: Iterable[Call]) -> None:
                for wanted in batch:
                    await self.send(wanted)

            began = time.thread_time(), time.process_time(), time.perf_counter()
            await asyncio.gather(*(work(batch) for _ in range(TASKS)))
            loop.append((time.thread_time() - began[0]) / rounds * 1e6)
            process.append((time.process_time() - began[1]) / rounds * 1e6)
            rate.append(rounds / (time.perf_counter() - began[2]))
        return [
            figure(f"{name}, loop thread", "us", loop),
            figure(f"{name}, process", "us", process),
            figure(f"{name}, {TASKS} at a time", "1/s", rate),
        ]


@asynccontextmanager
async def server(directory: Path) -> AsyncIterator[Server]:
    environment = {
        "VEXOBJ_DATA_DIR": str(directory / "data"),
        "VEXOBJ_AUTH_ROOT_ACCESS_KEY_ID": ENDPOINT.access_key_id,
        "VEXOBJ_AUTH_ROOT_SECRET_ACCESS_KEY": ENDPOINT.secret_access_key,
    }
    settings = load_settings(environment).settings
    prepare_data_dir(settings.storage.data_dir)
    secret = server_secret(settings)
    store = await ObjectStore.open(store_config(settings))
    try:
        keys, box = StoredKeys(store), SecretBox(secret)
        await first_key(keys, box, settings.auth, settings.storage.data_dir, datetime.now(UTC))
    finally:
        await store.close()
    runtime = create_runtime(settings, secret)
    try:
        async with open_server(runtime) as app:
            yield Server(app)
    finally:
        shutil.rmtree(runtime.directory)


async def measure(directory: Path) -> list[Figure]:
    async with server(directory) as target:
        await target.send(call("PUT", "/bench"))
        await target.send(call("PUT", "/bench/small", os.urandom(SMALL), extra=PUBLIC))
        await target.send(call("PUT", "/bench/file", os.urandom(FILE)))
        rows = [
            await target.repeated("signed GET of 4 KiB", call("GET", "/bench/small")),
            await target.repeated(
                "anonymous GET of 4 KiB", call("GET", "/bench/small", signed=False)
            ),
            await target.repeated("signed GET of 64 KiB", call("GET", "/bench/file")),
            await target.repeated("signed HEAD", call("HEAD", "/bench/small")),
        ]
        puts = (call("PUT", f"/bench/p{i}", os.urandom(SMALL)) for i in range(RUNS * ROUNDS // 4))
        rows += await target.all("durable signed PUT of 4 KiB", puts)
        listing = call("GET", f"/bench?list-type=2&max-keys={KEYS}&prefix=p")
        return [*rows, await target.repeated(f"list of {KEYS}", listing, LISTS)]


@contextmanager
def quiet() -> Iterator[None]:
    """Standard error, where the access log goes, to nowhere; a failure is told all the same."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def main() -> None:
    with tempfile.TemporaryDirectory() as directory, quiet():
        rows = uvloop.run(measure(Path(directory)))
    publish("request_cost", rows)


if __name__ == "__main__":
    main()
