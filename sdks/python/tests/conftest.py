"""One server for this suite, and a client with its root key."""

import secrets
from collections.abc import Iterator

import pytest

from vexobj_sdk import VexObj
from vexobj_server.testing import RunningServer, running_server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    environment = {"VEXOBJ_MAX_FILE_SIZE": str(64 * 1024**2)}
    data = tmp_path_factory.mktemp("sdk") / "data"
    with running_server(data, environment=environment) as running:
        yield running


@pytest.fixture
def client(server: RunningServer) -> Iterator[VexObj]:
    with VexObj(server.url, server.secret_access_key) as client:
        yield client


@pytest.fixture
def bucket(client: VexObj) -> str:
    return client.create_bucket(f"bucket-{secrets.token_hex(6)}").name
