"""The store against its model, on each metadata engine."""

import asyncio
from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from vexobj_storage import MemoryBlobStore, ObjectStore, StoreConfig, open_metadata
from vexobj_storage.testing.model import StoreModel

_SETTINGS = settings(
    max_examples=35,
    stateful_step_count=30,
    deadline=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow],
)


def test_the_store_is_its_model(tmp_path: Path, metadata_url: str | None) -> None:
    async def opened() -> ObjectStore:
        metadata = await open_metadata(tmp_path, metadata_url)
        config = StoreConfig(tmp_path, gc_grace=timedelta(0), inline_max_bytes=1024)
        return ObjectStore(config, metadata, MemoryBlobStore())

    with asyncio.Runner() as event_loop:
        opened_store = event_loop.run(opened())

        class Machine(StoreModel):
            store = opened_store
            runner = event_loop

        run_state_machine_as_test(Machine, settings=_SETTINGS)
        event_loop.run(opened_store.close())
