"""What holds a body that was given up: nothing, or its connection stays open until a collection.

Granian lets go of a body with the `receive` that reads it, and hyper closes a connection when the
body of its request was let go of.
"""

import asyncio
import gc
import shutil
import weakref
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from starlette.types import Message

from vexobj_auth import SecretBox
from vexobj_server.app import App, open_server
from vexobj_server.bootstrap import first_key, prepare_data_dir, server_secret, store_config
from vexobj_server.runtime import create_runtime
from vexobj_server.services.identities import StoredKeys
from vexobj_server.settings import load_settings
from vexobj_server.testing import ACCESS_KEY_ID, SECRET_ACCESS_KEY
from vexobj_storage import ObjectStore


class Client:
    """The `receive` and the `send` of one who sends `body` and stalls, unless that was all."""

    def __init__(self, body: bytes, length: int) -> None:
        self._body = body
        self._length = length
        self._sent = False
        self.statuses: list[int] = []

    async def receive(self) -> Message:
        if self._sent:
            await asyncio.Event().wait()
        self._sent = True
        more = len(self._body) < self._length
        return {"type": "http.request", "body": self._body, "more_body": more}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.statuses.append(message["status"])


@asynccontextmanager
async def opened(directory: Path) -> AsyncIterator[App]:
    """One worker, which waits a moment for the rest of a body."""
    environment = {
        "VEXOBJ_DATA_DIR": str(directory / "data"),
        "VEXOBJ_AUTH_ROOT_ACCESS_KEY_ID": ACCESS_KEY_ID,
        "VEXOBJ_AUTH_ROOT_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
        "VEXOBJ_SERVER_UPLOAD_TIMEOUT": "10ms",
    }
    settings = load_settings(environment).settings
    data_dir = settings.storage.data_dir
    prepare_data_dir(data_dir)
    secret = server_secret(settings)
    store = await ObjectStore.open(store_config(settings))
    keys = StoredKeys(store)
    await first_key(keys, SecretBox(secret), settings.auth, data_dir, datetime.now(UTC))
    await store.close()
    runtime = create_runtime(settings, secret)
    try:
        async with open_server(runtime) as app:
            yield app
    finally:
        shutil.rmtree(runtime.directory)


async def ask(
    app: App, client: Client, method: str, path: str, query: str = "", length: int = 0
) -> None:
    scope = {
        "type": "http", "method": method, "path": path, "raw_path": path.encode(),
        "root_path": "", "query_string": query.encode(), "http_version": "1.1",
        "headers": [
            (b"host", b"127.0.0.1"),
            (b"authorization", b"Bearer " + SECRET_ACCESS_KEY.encode()),
            (b"content-length", b"%d" % length),
            (b"content-md5", b"1B2M2Y8AsgTpgAmY7PhCfg=="),
        ],
        "scheme": "http", "server": ("127.0.0.1", 1), "client": ("127.0.0.1", 2),
    }  # fmt: skip
    await app(scope, client.receive, client.send)


@pytest.mark.parametrize("length", [10_000, 1_000_000, 100_000_000])
@pytest.mark.parametrize(
    ("method", "path", "query"),
    [
        ("PUT", "/v1/objects/bucket/key", ""),
        ("PUT", "/bucket/key", ""),
        ("PUT", "/bucket/key", "partNumber=1&uploadId=none"),
        ("POST", "/bucket", "delete"),
        ("POST", "/v1/buckets", ""),
    ],
)
async def test_a_stalled_body_is_let_go_of(
    tmp_path: Path, method: str, path: str, query: str, length: int
) -> None:
    async with opened(tmp_path) as app:
        await ask(app, maker := Client(b"", 0), "PUT", "/bucket")
        assert maker.statuses == [200]
        client = Client(b"x" * 1000, length)
        statuses, held = client.statuses, weakref.ref(client)
        gc.disable()
        try:
            await asyncio.create_task(ask(app, client, method, path, query, length))
            del client
            assert statuses[0] in {400, 404, 413}
            assert held() is None
        finally:
            gc.enable()
