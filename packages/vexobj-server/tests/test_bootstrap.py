"""Data directory, server secret and first key: once, private, and never lost half-way."""

import stat
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from vexobj_auth import ALL_PERMISSIONS, MemoryKeyStore, NewKey, SecretBox, is_token
from vexobj_server.bootstrap import (
    CREDENTIALS_FILE,
    SECRET_FILE,
    first_key,
    prepare_data_dir,
    remember_in,
    server_secret,
    store_config,
)
from vexobj_server.runtime import create_runtime, load_runtime
from vexobj_server.settings import AuthSettings, Settings, SettingsError, StorageSettings

NOW = datetime(2026, 1, 1, tzinfo=UTC)
BOX = SecretBox(b"s" * 32)
ROOT = AuthSettings(root_access_key_id="minioadmin", root_secret_access_key="minio-secret")


def settings_in(data_dir: Path) -> Settings:
    return Settings(storage=StorageSettings(data_dir=data_dir))


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def forget(_made: NewKey) -> None:
    """A key that need not be kept."""


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


async def test_the_first_start_makes_one_admin_key_and_the_second_none() -> None:
    keys = MemoryKeyStore()
    made = await first_key(keys, BOX, AuthSettings(), NOW, forget)
    assert made is not None
    assert is_token(made.secret)
    assert made.key.permissions == ALL_PERMISSIONS
    assert made.key.buckets is None
    assert await first_key(keys, BOX, AuthSettings(), NOW, forget) is None
    assert len(await keys.keys()) == 1
    assert len(await keys.identities()) == 1


async def test_a_key_is_remembered_before_it_is_stored() -> None:
    keys = MemoryKeyStore()

    def crash(_made: NewKey) -> None:
        raise OSError("no space")

    with pytest.raises(OSError, match="no space"):
        await first_key(keys, BOX, AuthSettings(), NOW, crash)
    assert list(await keys.keys()) == []
    assert await first_key(keys, BOX, AuthSettings(), NOW, forget) is not None
    assert len(await keys.identities()) == 1


async def test_a_root_key_from_the_settings_is_put_in_place_and_kept_up_to_date() -> None:
    keys = MemoryKeyStore()
    assert await first_key(keys, BOX, ROOT, NOW, forget) is None
    assert await first_key(keys, BOX, ROOT, NOW, forget) is None
    (key,) = await keys.keys()
    assert (key.access_key_id, key.permissions) == ("minioadmin", ALL_PERMISSIONS)
    changed = replace(ROOT, root_secret_access_key="another-secret")
    await first_key(keys, BOX, changed, NOW, forget)
    (again,) = await keys.keys()
    stored = await keys.key_by_lookup(BOX.lookup("another-secret"))
    assert stored.key == again
    assert again.identity_id == key.identity_id


async def test_a_root_key_joins_an_existing_server() -> None:
    keys = MemoryKeyStore()
    made = await first_key(keys, BOX, AuthSettings(), NOW, forget)
    await first_key(keys, BOX, ROOT, NOW, forget)
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
async def test_a_root_key_that_cannot_be_is_told(auth: AuthSettings, sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        await first_key(MemoryKeyStore(), BOX, auth, NOW, forget)


async def test_another_server_secret_is_told_before_it_does_harm() -> None:
    keys = MemoryKeyStore()
    await first_key(keys, BOX, AuthSettings(), NOW, forget)
    with pytest.raises(SettingsError, match=r"auth\.server_secret"):
        await first_key(keys, SecretBox(b"t" * 32), AuthSettings(), NOW, forget)


async def test_the_credentials_file_can_be_sourced(tmp_path: Path) -> None:
    (tmp_path / CREDENTIALS_FILE).write_text("of a start that was cut off", encoding="utf-8")
    remember = partial(remember_in, tmp_path)
    made = await first_key(MemoryKeyStore(), BOX, AuthSettings(), NOW, remember)
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


def test_a_runtime_is_private_and_survives_the_way_to_a_worker(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    runtime = create_runtime(settings, b"x" * 32)
    assert load_runtime(runtime.directory) == runtime
    assert mode(runtime.directory) == 0o700
    assert all(mode(path) in {0o600, 0o700} for path in runtime.directory.iterdir())
    assert len(str(runtime.broker_socket).encode()) < 108
    assert "x" * 32 not in repr(runtime)
