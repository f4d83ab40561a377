"""The object store's tables as a KeyStore, held to the contract of all of them."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from vexobj_auth import SecretBox, make_key, new_identity
from vexobj_auth.testing import KEY_STORE_CONTRACT, KeyStoreCheck
from vexobj_server.services.identities import Identities, StoredKeys
from vexobj_storage import ObjectStore, StoreConfig


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[ObjectStore]:
    store = await ObjectStore.open(StoreConfig(data_dir=tmp_path))
    yield store
    await store.close()


@pytest.fixture
def keys(store: ObjectStore) -> StoredKeys:
    return StoredKeys(store)


async def test_a_key_whose_use_cannot_be_written_holds_no_other_back(
    tmp_path: Path, store: ObjectStore, keys: StoredKeys
) -> None:
    now = datetime.now(UTC)
    box, owner = SecretBox(bytes(32)), new_identity("Ada", now)
    identities = Identities(store, box, clock=lambda: now)
    await keys.add_identity(owner)
    names = [f"VEXOBJKEY{number}" for number in range(8)]
    for name in names:
        _, stored = make_key(
            box, identity_id=owner.id, name=name, created_at=now, access_key_id=name
        )
        await keys.add_key(stored)
        assert await identities.find(name) is not None
    with closing(sqlite3.connect(tmp_path / "metadata.db")) as database:
        database.execute(
            f"CREATE TRIGGER refuse BEFORE UPDATE ON access_keys"
            f" WHEN OLD.access_key_id = '{names[3]}' BEGIN SELECT RAISE(ABORT, 'refused'); END"
        )
        with pytest.raises(sqlite3.IntegrityError, match="refused"):
            await identities.flush_last_used()
        used = {key.access_key_id for key in await keys.keys() if key.last_used_at == now}
        assert used == {*names} - {names[3]}
        database.execute("DROP TRIGGER refuse")
    await identities.flush_last_used()
    assert (await keys.key(names[3])).key.last_used_at == now


@pytest.mark.parametrize("check", KEY_STORE_CONTRACT, ids=lambda check: check.__name__)
async def test_stored_keys(check: KeyStoreCheck, keys: StoredKeys) -> None:
    await check(keys)
