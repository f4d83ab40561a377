"""The store against its model: on each metadata engine, with blobs of every kind."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from support.s3services import EVERY_MAKE
from vexobj_storage import (
    BlobStore,
    KeyRing,
    LocalBlobStore,
    MasterKey,
    MemoryBlobStore,
    ObjectStore,
    S3BlobConfig,
    S3BlobStore,
    StoreConfig,
    open_metadata,
)
from vexobj_storage.testing.clocks import ManualClock
from vexobj_storage.testing.model import SealedModel, StoreModel

_SHORT = settings(
    max_examples=20,
    stateful_step_count=40,
    deadline=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow],
)
_LONG = settings(_SHORT, max_examples=150, stateful_step_count=80)


@dataclass(frozen=True)
class Combination:
    """Where bytes go. `inline_max_bytes` decides which of the model's contents are inline."""

    blobs: Callable[[Path], Awaitable[BlobStore]]
    inline_max_bytes: int = 1024
    masters: tuple[MasterKey, ...] = ()


async def _memory(_: Path) -> BlobStore:
    return MemoryBlobStore()


async def _local(directory: Path) -> BlobStore:
    return LocalBlobStore(directory)


COMBINATIONS = {
    "memory": Combination(_memory),
    "local": Combination(_local),
    "inline": Combination(_memory, inline_max_bytes=1024**2),
    "encrypted": Combination(_local, masters=(MasterKey(b"m" * 32),)),
}
_EVERY_COMBINATION = pytest.mark.parametrize("kind", COMBINATIONS)


@_EVERY_COMBINATION
def test_the_store_is_its_model(tmp_path: Path, metadata_url: str | None, kind: str) -> None:
    check(COMBINATIONS[kind], tmp_path, metadata_url, _SHORT)


def test_a_store_on_s3_is_its_model(
    tmp_path: Path, metadata_url: str | None, s3_config: S3BlobConfig
) -> None:
    few = settings(_SHORT, max_examples=4)
    check(Combination(lambda _: S3BlobStore.connect(s3_config)), tmp_path, metadata_url, few)


@pytest.mark.torture
@_EVERY_COMBINATION
def test_the_store_is_its_model_for_long(
    tmp_path: Path, metadata_url: str | None, kind: str
) -> None:
    check(COMBINATIONS[kind], tmp_path, metadata_url, _LONG)


@pytest.mark.torture
@EVERY_MAKE
def test_a_store_on_s3_is_its_model_for_long(
    tmp_path: Path, metadata_url: str | None, s3_config: S3BlobConfig
) -> None:
    check(Combination(lambda _: S3BlobStore.connect(s3_config)), tmp_path, metadata_url, _LONG)


def check(
    combination: Combination, directory: Path, metadata_url: str | None, chosen: settings
) -> None:
    time = ManualClock()

    async def opened() -> ObjectStore:
        metadata = await open_metadata(directory, metadata_url)
        config = StoreConfig(
            directory,
            gc_grace=timedelta(0),
            inline_max_bytes=combination.inline_max_bytes,
        )
        masters = combination.masters
        keys = await KeyRing.open(metadata, masters, seal=bool(masters), now_us=0)
        blobs = await combination.blobs(directory)
        return ObjectStore(config, metadata, blobs, time.now, time.ticks, keys=keys)

    with asyncio.Runner() as event_loop:
        opened_store = event_loop.run(opened())
        model: type[StoreModel] = SealedModel if combination.masters else StoreModel

        class Machine(model):  # type: ignore[valid-type, misc]
            store = opened_store
            clock = time
            runner = event_loop

            def teardown(self) -> None:
                super().teardown()
                _prune(directory / "blobs")

        run_state_machine_as_test(Machine, settings=chosen)
        event_loop.run(opened_store.close())
    print(f"{Machine.compared} steps, all agreed")  # noqa: T201 - long runs print their figures


def _prune(blobs: Path) -> None:
    """Directories that all blobs have left make every look at all blobs longer."""
    for each in (*blobs.glob("*/*"), *blobs.glob("*")):
        each.rmdir()
