"""Servers, buckets and clients for the tests of the whole product."""

import itertools
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.endpoint import Endpoint
from support.tools import missing, need
from vexobj_server.testing import RunningServer, running_server
from vexobj_storage.testing_postgres import PostgresServer, postgres_binaries

_numbers = itertools.count()


@pytest.fixture(scope="session")
def metadata_url() -> Iterator[str]:
    """An empty PostgreSQL database of a server of its own."""
    binaries = postgres_binaries() or missing("PostgreSQL")
    with PostgresServer(binaries) as postgres:
        yield postgres.url(postgres.create_database())


@pytest.fixture(scope="session", params=["one-worker", "two-workers"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningServer]:
    """A server with shipped defaults but for bucket hosts under `localhost`.

    `postgresql` stands for two workers over PostgreSQL metadata.
    """
    data = tmp_path_factory.mktemp("server") / "data"
    environment = {"VEXOBJ_SERVER_S3_DOMAIN": "localhost"}
    if request.param == "postgresql":
        environment["VEXOBJ_METADATA_URL"] = request.getfixturevalue("metadata_url")
    workers = 1 if request.param == "one-worker" else 2
    with running_server(data, workers=workers, environment=environment) as running:
        yield running


@pytest.fixture
def endpoint(server: RunningServer) -> Endpoint:
    return Endpoint.of(server)


@pytest.fixture
def bucket_name() -> str:
    return f"bucket-{next(_numbers)}"


@pytest.fixture
def bucket(endpoint: Endpoint, bucket_name: str) -> str:
    endpoint.boto3().create_bucket(Bucket=bucket_name)
    return bucket_name


@pytest.fixture(scope="session")
def minio_go(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The minio-go program, built."""
    go = need("go")
    program = tmp_path_factory.mktemp("minio_go") / "minio_go"
    source = Path(__file__).parent / "e2e/minio_go"
    subprocess.run([go, "build", "-o", program, "."], cwd=source, check=True)
    return program
