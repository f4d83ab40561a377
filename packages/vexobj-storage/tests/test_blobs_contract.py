"""Every blob store there is keeps the contract."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from vexobj_storage.blobs.base import BlobStore
from vexobj_storage.blobs.local import LocalBlobStore
from vexobj_storage.blobs.memory import MemoryBlobStore
from vexobj_storage.blobs.testing import CONTRACT, BlobCheck


@pytest.fixture(params=["local", "memory"])
async def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[BlobStore]:
    store: BlobStore = (
        LocalBlobStore(tmp_path / "data") if request.param == "local" else MemoryBlobStore()
    )
    yield store
    await store.close()


@pytest.mark.parametrize("check", CONTRACT, ids=lambda check: check.__name__)
async def test_contract(check: BlobCheck, blobs: BlobStore) -> None:
    await check(blobs)
