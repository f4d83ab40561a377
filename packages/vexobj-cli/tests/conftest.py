"""One server for this suite, and the command that talks to it."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from vexobj_cli.testing import Program
from vexobj_sdk import VexObj
from vexobj_server.testing import RunningServer, running_server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with running_server(tmp_path_factory.mktemp("cli") / "data") as running:
        yield running


@pytest.fixture
def run(server: RunningServer, tmp_path: Path) -> Program:
    return Program(tmp_path, {"VEXOBJ_URL": server.url, "VEXOBJ_KEY": server.secret_access_key})


@pytest.fixture
def client(server: RunningServer) -> Iterator[VexObj]:
    with VexObj(server.url, server.secret_access_key) as client:
        yield client


@pytest.fixture
def bucket(client: VexObj) -> str:
    return client.create_bucket(f"bucket-{secrets.token_hex(6)}").name
