"""Data directory, server secret and first key: once, private, and never lost half-way."""

import asyncio
import pickle
import stat
import threading
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from vexobj_auth import ALL_PERMISSIONS, SecretBox, is_token
from vexobj_server.bootstrap import (
    CREDENTIALS_FILE,
    SECRET_FILE,
    alone_in,
    first_key,
    prepare_data_dir,
    server_secret,
    store_config,
)
from vexobj_server.runtime import create_runtime
from vexobj_server.services.identities import StoredKeys
from vexobj_server.settings import AuthSettings, Settings, SettingsError, StorageSettings
from vexobj_storage import Durability, ObjectStore, StoreConfig

NOW = datetime(2026, 1, 1, tzinfo=UTC)
BOX = SecretBox(b"s" * 32)
ROOT = AuthSettings(root_access_key_id="minioadmin", root_secret_access_key="minio-secret")


def settings_in(data_dir: Path) -> Settings:
    return Settings(storage=StorageSettings(data_dir=data_dir))


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def remembers(data_dir: Path) -> bool:
    return (data_dir / CREDENTIALS_FILE).exists()


@pytest.fixture
async def keys(tmp_path: Path) -> AsyncIterator[StoredKeys]:
    store = await ObjectStore.open(StoreConfig(data_dir=tmp_path))
    yield StoredKeys(store)
    await store.close()


def test_the_data_directory_is_its_owners(tmp_path: Path) -> None:
    prepare_data_dir(tmp_path / "a" / "b")
    assert mode(tmp_path / "a" / "b") == 0o700
    prepare_data_dir(tmp_path / "a" / "b")


def test_a_data_directory_that_cannot_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match=r"storage\.data_dir: .*file/data cannot be made"):
        prepare_data_dir(tmp_path / "file" / "data")


def test_the_server_secret_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    secret = server_secret(settings_in(tmp_path))
    assert len(secret) == 32
    assert server_secret(settings_in(tmp_path)) == secret
    assert mode(tmp_path / SECRET_FILE) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [SECRET_FILE]


def test_the_server_secret_may_be_the_operators(tmp_path: Path) -> None:
    settings = replace(settings_in(tmp_path), auth=AuthSettings(server_secret="ab" * 32))
    assert server_secret(settings) == b"\xab" * 32
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_secret_is_not_used(tmp_path: Path) -> None:
    (tmp_path / SECRET_FILE).write_bytes(b"short")
    with pytest.raises(SettingsError, match="is damaged"):
        server_secret(settings_in(tmp_path))


async def test_the_first_start_makes_one_admin_key_and_the_second_none(
    keys: StoredKeys, tmp_path: Path
) -> None:
    made = await first_key(keys, BOX, AuthSettings(), tmp_path, NOW)
    assert made is not None
    assert is_token(made.secret)
    assert made.key.permissions == ALL_PERMISSIONS
    assert made.key.buckets is None
    assert await first_key(keys, BOX, AuthSettings(), tmp_path, NOW) is None
    assert len(await keys.keys()) == 1
    assert len(await keys.identities()) == 1


async def test_a_key_is_remembered_before_it_is_stored(keys: StoredKeys, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await first_key(keys, BOX, AuthSettings(), tmp_path / "gone", NOW)
    assert list(await keys.keys()) == []
    assert await first_key(keys, BOX, AuthSettings(), tmp_path, NOW) is not None
    assert len(await keys.identities()) == 1


async def test_a_root_key_from_the_settings_is_put_in_place_and_kept_up_to_date(
    keys: StoredKeys, tmp_path: Path
) -> None:
    assert await first_key(keys, BOX, ROOT, tmp_path, NOW) is None
    assert await first_key(keys, BOX, ROOT, tmp_path, NOW) is None
    (key,) = await keys.keys()
    assert (key.access_key_id, key.permissions) == ("minioadmin", ALL_PERMISSIONS)
    changed = replace(ROOT, root_secret_access_key="another-secret")
    await first_key(keys, BOX, changed, tmp_path, NOW)
    (again,) = await keys.keys()
    stored = await keys.key_by_lookup(BOX.lookup("another-secret"))
    assert stored.key == again
    assert again.identity_id == key.identity_id


async def test_a_root_key_joins_an_existing_server(keys: StoredKeys, tmp_path: Path) -> None:
    made = await first_key(keys, BOX, AuthSettings(), tmp_path, NOW)
    await first_key(keys, BOX, ROOT, tmp_path, NOW)
    assert made is not None
    assert {key.identity_id for key in await keys.keys()} == {made.key.identity_id}
    assert len(await keys.keys()) == 2


@pytest.mark.parametrize(
    ("auth", "sentence"),
    [
        (replace(ROOT, root_access_key_id="a/b"), r"auth\.root_access_key_id: "),
        (replace(ROOT, root_secret_access_key="short"), r"auth\.root_secret_access_key: "),
    ],
)
async def test_a_root_key_that_cannot_be_is_told(
    keys: StoredKeys, tmp_path: Path, auth: AuthSettings, sentence: str
) -> None:
    with pytest.raises(SettingsError, match=sentence):
        await first_key(keys, BOX, auth, tmp_path, NOW)


async def test_a_root_secret_that_another_key_has_is_told(keys: StoredKeys, tmp_path: Path) -> None:
    await first_key(keys, BOX, ROOT, tmp_path, NOW)
    renamed = replace(ROOT, root_access_key_id="another-name")
    with pytest.raises(SettingsError, match="another key has this secret"):
        await first_key(keys, BOX, renamed, tmp_path, NOW)


@pytest.mark.parametrize("auth", [AuthSettings(), ROOT], ids=["generated", "root"])
async def test_of_many_that_start_at_once_one_makes_the_key(
    tmp_path: Path, metadata_url: str | None, auth: AuthSettings
) -> None:
    """Nodes of one database: each has a directory of its own, unless SQLite lies in it."""
    async with AsyncExitStack() as stack:
        nodes = []
        for number in range(4):
            data_dir = tmp_path / str(number)
            data_dir.mkdir()
            config = StoreConfig(
                data_dir=data_dir if metadata_url else tmp_path, metadata_url=metadata_url
            )
            store = await ObjectStore.open(config)
            stack.push_async_callback(store.close)
            nodes.append((StoredKeys(store), data_dir))
        starts = (first_key(keys, BOX, auth, data_dir, NOW) for keys, data_dir in nodes)
        made = [key for key in await asyncio.gather(*starts) if key is not None]
        for keys, _ in nodes:
            assert len(await keys.identities()) == 1
            assert len(await keys.keys()) == 1
    assert len(made) == (auth is not ROOT)
    assert sum(remembers(data_dir) for _, data_dir in nodes) == len(made)


async def test_a_root_secret_that_changes_on_many_at_once_is_one(
    tmp_path: Path, metadata_url: str | None
) -> None:
    changed = replace(ROOT, root_secret_access_key="another-secret")
    async with AsyncExitStack() as stack:
        nodes = []
        for _ in range(4):
            store = await ObjectStore.open(StoreConfig(tmp_path, metadata_url))
            stack.push_async_callback(store.close)
            nodes.append(StoredKeys(store))
        await first_key(nodes[0], BOX, ROOT, tmp_path, NOW)
        await asyncio.gather(*(first_key(keys, BOX, changed, tmp_path, NOW) for keys in nodes))
        (key,) = await nodes[0].keys()
        assert (await nodes[0].key_by_lookup(BOX.lookup("another-secret"))).key == key


def test_servers_on_one_directory_start_one_after_the_other(tmp_path: Path) -> None:
    order = []

    def second() -> None:
        with alone_in(tmp_path):
            order.append("second")

    with alone_in(tmp_path):
        thread = threading.Thread(target=second)
        thread.start()
        thread.join(0.1)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


async def test_another_server_secret_is_told_before_it_does_harm(
    keys: StoredKeys, tmp_path: Path
) -> None:
    await first_key(keys, BOX, AuthSettings(), tmp_path, NOW)
    with pytest.raises(SettingsError, match=r"auth\.server_secret"):
        await first_key(keys, SecretBox(b"t" * 32), AuthSettings(), tmp_path, NOW)


async def test_the_credentials_file_can_be_sourced(keys: StoredKeys, tmp_path: Path) -> None:
    (tmp_path / CREDENTIALS_FILE).write_text("of a start that was cut off", encoding="utf-8")
    made = await first_key(keys, BOX, AuthSettings(), tmp_path, NOW)
    assert made is not None
    path = tmp_path / CREDENTIALS_FILE
    assert mode(path) == 0o600
    lines = path.read_text(encoding="utf-8").splitlines()
    assert f"AWS_ACCESS_KEY_ID={made.key.access_key_id}" in lines
    assert f"AWS_SECRET_ACCESS_KEY={made.secret}" in lines


def test_the_store_is_told_what_the_settings_say(tmp_path: Path) -> None:
    config = store_config(settings_in(tmp_path))
    assert config.data_dir == tmp_path
    assert config.metadata_url is None
    assert config.inline_max_bytes == 16 * 1024
    assert config.durability is Durability.STRICT
    relaxed = Settings(storage=StorageSettings(durability="relaxed"))
    assert store_config(relaxed).durability is Durability.RELAXED


def test_a_runtime_is_private_and_survives_the_way_to_a_worker(tmp_path: Path) -> None:
    runtime = create_runtime(settings_in(tmp_path), b"x" * 32)
    assert pickle.loads(pickle.dumps(runtime)) == runtime
    assert mode(runtime.directory) == 0o700
    assert not [path for path in runtime.directory.rglob("*") if path.is_file()]
    assert len(str(runtime.broker_socket).encode()) < 108
    assert "x" * 32 not in repr(runtime)
