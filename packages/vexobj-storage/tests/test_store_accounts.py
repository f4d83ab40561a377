"""The first identity and the first key: made once, however many stores begin at the same time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from vexobj_storage import (
    AccessKeyAlreadyExists,
    AccessKeyRecord,
    Identity,
    NoSuchAccessKey,
    NoSuchIdentity,
    ObjectStore,
    StoreConfig,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MANY = 4


def identity(number: int) -> Identity:
    return Identity(f"{number:064x}", str(number), None, NOW + timedelta(seconds=number))


def record(number: int, identity_id: str) -> AccessKeyRecord:
    secret = str(number).encode()
    return AccessKeyRecord(f"key-{number}", identity_id, "name", secret, secret, 0, None, NOW)


@pytest.fixture
async def stores(tmp_path: Path, metadata_url: str | None) -> AsyncIterator[list[ObjectStore]]:
    """As many processes have them: each with connections of its own."""
    async with AsyncExitStack() as stack:
        opened = []
        for _ in range(MANY):
            store = await ObjectStore.open(StoreConfig(tmp_path, metadata_url))
            stack.push_async_callback(store.close)
            opened.append(store)
        yield opened


async def test_one_of_many_first_identities_is_it(stores: list[ObjectStore]) -> None:
    offered = [store.first_identity(identity(number)) for number, store in enumerate(stores, 1)]
    taken = await asyncio.gather(*offered)
    assert len(set(taken)) == 1
    assert await stores[0].identities() == [taken[0]]
    assert await stores[0].first_identity(identity(MANY + 1)) == taken[0]


async def test_one_of_many_first_keys_is_kept(stores: list[ObjectStore]) -> None:
    with pytest.raises(NoSuchIdentity):
        await stores[0].add_first_access_key(record(0, "nobody"))
    owner = await stores[0].first_identity(identity(1))
    offered = [
        store.add_first_access_key(record(number, owner.id)) for number, store in enumerate(stores)
    ]
    kept = await asyncio.gather(*offered)
    assert sorted(kept) == [False] * (MANY - 1) + [True]
    (key,) = await stores[0].access_keys()
    assert key.access_key_id == f"key-{kept.index(True)}"


async def test_a_key_is_replaced_at_once_or_not_at_all(stores: list[ObjectStore]) -> None:
    store = stores[0]
    owner = await store.first_identity(identity(1))
    for number in (1, 2):
        await store.replace_access_key(record(number, owner.id))
    changed = replace(record(1, owner.id), name="changed", secret_lookup=b"changed")
    await store.replace_access_key(changed)
    assert await store.access_key("key-1") == changed
    with pytest.raises(AccessKeyAlreadyExists):
        await store.replace_access_key(replace(changed, secret_lookup=b"2"))
    assert await store.access_key("key-1") == changed


async def test_of_many_removals_at_once_one_key_is_spared(stores: list[ObjectStore]) -> None:
    await stores[0].add_identity(identity(1))
    for number in range(MANY):
        await stores[0].add_access_key(record(number, identity(1).id))
    removed = await asyncio.gather(
        *(
            store.remove_access_key(f"key-{number}", spare=lambda _, others: not others)
            for number, store in enumerate(stores)
        )
    )
    assert sorted(removed) == [False] + [True] * (MANY - 1)
    assert len(await stores[0].access_keys()) == 1
    with pytest.raises(NoSuchAccessKey):
        await stores[0].remove_access_key("nobody", spare=lambda _, others: not others)
