"""The store against its model, on each metadata engine and over an S3 service."""

import asyncio
from collections.abc import Awaitable
from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from vexobj_storage import (
    BlobStore,
    MemoryBlobStore,
    ObjectStore,
    S3BlobConfig,
    S3BlobStore,
    StoreConfig,
    open_metadata,
)
from vexobj_storage.testing.model import StoreModel

_SETTINGS = settings(
    max_examples=35,
    stateful_step_count=30,
    deadline=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow],
)


def test_the_store_is_its_model(tmp_path: Path, metadata_url: str | None) -> None:
    async def blobs() -> BlobStore:
        return MemoryBlobStore()

    _check(tmp_path, metadata_url, blobs(), _SETTINGS)


def test_a_store_on_s3_is_its_model(tmp_path: Path, s3_config: S3BlobConfig) -> None:
    _check(tmp_path, None, S3BlobStore.connect(s3_config), settings(_SETTINGS, max_examples=8))


def _check(
    directory: Path, metadata_url: str | None, blobs: Awaitable[BlobStore], chosen: settings
) -> None:
    async def opened() -> ObjectStore:
        metadata = await open_metadata(directory, metadata_url)
        config = StoreConfig(directory, gc_grace=timedelta(0), inline_max_bytes=1024)
        return ObjectStore(config, metadata, await blobs)

    with asyncio.Runner() as event_loop:
        opened_store = event_loop.run(opened())

        class Machine(StoreModel):
            store = opened_store
            runner = event_loop

        run_state_machine_as_test(Machine, settings=chosen)
        event_loop.run(opened_store.close())
