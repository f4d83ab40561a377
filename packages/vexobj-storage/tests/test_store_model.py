"""The store against its model, on each metadata engine and over an S3 service."""

import asyncio
from collections.abc import Awaitable
from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from vexobj_storage import (
    BlobStore,
    KeyRing,
    MasterKey,
    MemoryBlobStore,
    ObjectStore,
    S3BlobConfig,
    S3BlobStore,
    StoreConfig,
    open_metadata,
)
from vexobj_storage.testing.model import SealedModel, StoreModel

_SETTINGS = settings(
    max_examples=35,
    stateful_step_count=30,
    deadline=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow],
)


def test_the_store_is_its_model(tmp_path: Path, metadata_url: str | None) -> None:
    _check(tmp_path, metadata_url, _in_memory(), _SETTINGS)


def test_a_store_that_seals_is_its_model(tmp_path: Path, metadata_url: str | None) -> None:
    fewer = settings(_SETTINGS, max_examples=15)
    _check(tmp_path, metadata_url, _in_memory(), fewer, SealedModel, MasterKey(b"m" * 32))


def test_a_store_on_s3_is_its_model(tmp_path: Path, s3_config: S3BlobConfig) -> None:
    _check(tmp_path, None, S3BlobStore.connect(s3_config), settings(_SETTINGS, max_examples=8))


async def _in_memory() -> BlobStore:
    return MemoryBlobStore()


def _check(
    directory: Path,
    metadata_url: str | None,
    blobs: Awaitable[BlobStore],
    chosen: settings,
    model: type[StoreModel] = StoreModel,
    *masters: MasterKey,
) -> None:
    async def opened() -> ObjectStore:
        metadata = await open_metadata(directory, metadata_url)
        config = StoreConfig(directory, gc_grace=timedelta(0), inline_max_bytes=1024)
        keys = await KeyRing.open(metadata, masters, seal=bool(masters), now_us=0)
        return ObjectStore(config, metadata, await blobs, keys=keys)

    with asyncio.Runner() as event_loop:
        opened_store = event_loop.run(opened())

        class Machine(model):  # type: ignore[valid-type, misc]
            store = opened_store
            runner = event_loop

        run_state_machine_as_test(Machine, settings=chosen)
        event_loop.run(opened_store.close())
