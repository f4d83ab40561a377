"""Every blob store there is keeps the contract."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support.s3services import EVERY_MAKE
from vexobj_storage.blobs.base import BlobStore
from vexobj_storage.blobs.local import LocalBlobStore
from vexobj_storage.blobs.memory import MemoryBlobStore
from vexobj_storage.blobs.s3 import S3BlobStore
from vexobj_storage.blobs.service import S3BlobConfig
from vexobj_storage.blobs.testing import CONTRACT, BlobCheck
from vexobj_storage.sealing.ids import new_blob_id


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


@EVERY_MAKE
@pytest.mark.parametrize("check", CONTRACT, ids=lambda check: check.__name__)
async def test_contract_over_s3(check: BlobCheck, s3_config: S3BlobConfig) -> None:
    store = await S3BlobStore.connect(s3_config)
    try:
        await check(store)
    finally:
        await store.close()


async def test_a_store_at_hand_knows_what_was_not_there(blobs: BlobStore) -> None:
    assert await blobs.delete(new_blob_id()) is False
