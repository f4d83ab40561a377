"""The object store's tables as a KeyStore, held to the contract of all of them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from vexobj_auth.testing import KEY_STORE_CONTRACT, KeyStoreCheck
from vexobj_server.services.identities import StoredKeys
from vexobj_storage import ObjectStore, StoreConfig


@pytest.fixture
async def keys(tmp_path: Path) -> AsyncIterator[StoredKeys]:
    store = await ObjectStore.open(StoreConfig(data_dir=tmp_path))
    yield StoredKeys(store)
    await store.close()


@pytest.mark.parametrize("check", KEY_STORE_CONTRACT, ids=lambda check: check.__name__)
async def test_stored_keys(check: KeyStoreCheck, keys: StoredKeys) -> None:
    await check(keys)
