"""Servers that the tests of this package talk to."""

import secrets
from collections.abc import Iterator

import httpx
import pytest

from support.tools import missing
from vexobj_server.testing import RunningServer, running_server
from vexobj_storage.testing_postgres import PostgresServer, postgres_binaries


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    binaries = postgres_binaries() or missing("PostgreSQL")
    with PostgresServer(binaries) as running:
        yield running


@pytest.fixture
def postgres_url(postgres: PostgresServer) -> Iterator[str]:
    """An empty database."""
    name = postgres.create_database()
    yield postgres.url(name)
    postgres.drop_database(name)


@pytest.fixture(params=["sqlite", "postgres"])
def metadata_url(request: pytest.FixtureRequest) -> str | None:
    """What the settings say for each kind of metadata, empty as before the first start."""
    if request.param == "sqlite":
        return None
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """One worker, bucket hosts under `localhost`."""
    data = tmp_path_factory.mktemp("one") / "data"
    environment = {"VEXOBJ_SERVER_S3_DOMAIN": "localhost"}
    with running_server(data, environment=environment) as running:
        yield running


@pytest.fixture(scope="session")
def two_workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with running_server(tmp_path_factory.mktemp("two") / "data", workers=2) as running:
        yield running


@pytest.fixture
def api(server: RunningServer) -> Iterator[httpx.Client]:
    """The native API with the root key."""
    headers = {"authorization": f"Bearer {server.secret_access_key}"}
    with httpx.Client(base_url=server.url, headers=headers, trust_env=False) as client:
        yield client


@pytest.fixture
def bucket(api: httpx.Client) -> str:
    name = f"bucket-{secrets.token_hex(6)}"
    assert api.post("/v1/buckets", json={"name": name}).status_code == 201
    return name
