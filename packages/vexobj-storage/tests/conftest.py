"""What the tests of this package share: engines of both kinds, each empty and migrated."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from support.endpoint import Endpoint
from support.s3services import BUCKET, SERVICES
from support.tools import missing
from vexobj_storage.blobs.service import S3BlobConfig
from vexobj_storage.metadata.engine import open_metadata
from vexobj_storage.metadata.tx import MetaStore
from vexobj_storage.testing_postgres import PostgresServer, postgres_binaries


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    binaries = postgres_binaries() or missing("PostgreSQL")
    with PostgresServer(binaries) as server:
        yield server


@pytest.fixture(scope="session")
def postgres_template(postgres: PostgresServer) -> str:
    """A migrated database to copy: quicker than migrating one for each test."""

    async def migrate(name: str) -> None:
        metadata = await open_metadata(Path(), postgres.url(name))
        await metadata.close()

    name = postgres.create_database()
    asyncio.run(migrate(name))
    return name


@pytest.fixture
def postgres_url(postgres: PostgresServer, postgres_template: str) -> Iterator[str]:
    name = postgres.create_database(postgres_template)
    yield postgres.url(name)
    postgres.drop_database(name)


@pytest.fixture(params=["sqlite", "postgres"])
def metadata_url(request: pytest.FixtureRequest) -> str | None:
    """What `open_metadata` takes for each kind of engine."""
    if request.param == "sqlite":
        return None
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
async def metadata(tmp_path: Path, metadata_url: str | None) -> AsyncIterator[MetaStore]:
    """An engine of each kind, empty, with the whole schema."""
    engine = await open_metadata(tmp_path, metadata_url)
    yield engine
    await engine.close()


@pytest.fixture(scope="session", params=["vexobj"])
def s3_endpoint(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Endpoint]:
    """A second VexObj; `EVERY_MAKE` asks for the others too."""
    with SERVICES[request.param](tmp_path_factory.mktemp(request.param)) as endpoint:
        yield endpoint


@pytest.fixture
def s3_config(s3_endpoint: Endpoint) -> S3BlobConfig:
    """Blobs under a prefix that nobody else has; parts as small as they may be."""
    return S3BlobConfig(
        endpoint=s3_endpoint.url,
        bucket=BUCKET,
        access_key_id=s3_endpoint.access_key_id,
        secret_access_key=s3_endpoint.secret_access_key,
        prefix=f"{secrets.token_hex(6)}/",
        part_bytes=5 * 1024**2,
        backoff_seconds=0.01,
    )
