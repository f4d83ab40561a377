"""What has to be there before the first request: data directory, secret, identity, admin key."""

import contextlib
import os
import secrets
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from vexobj_auth import (
    ALL_PERMISSIONS,
    InvalidAccessKeyId,
    InvalidSecretAccessKey,
    KeyStore,
    NewKey,
    NoSuchAccessKey,
    SealBroken,
    SecretBox,
    make_key,
    new_identity,
)
from vexobj_server.runtime import write_private
from vexobj_server.settings import AuthSettings, Settings, SettingsError
from vexobj_storage.store import StoreConfig

SECRET_FILE = "server-secret"  # noqa: S105 - a file name
CREDENTIALS_FILE = "admin-credentials"

_SECRET_BYTES = 32
_ADMIN = "admin"
_ROOT = "root"


def store_config(settings: Settings) -> StoreConfig:
    storage = settings.storage
    return StoreConfig(
        data_dir=storage.data_dir,
        metadata_url=settings.metadata.url,
        inline_max_bytes=storage.inline_max_size,
        deduplication=storage.deduplication,
        gc_grace=storage.gc_grace,
        max_object_bytes=storage.max_file_size,
    )


def prepare_data_dir(data_dir: Path) -> None:
    """Makes it for its owner alone when it is not there. Raises: SettingsError."""
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(
            f"storage.data_dir: {data_dir} cannot be made: {error.strerror}."
        ) from None
    if not os.access(data_dir, os.R_OK | os.W_OK | os.X_OK):
        raise SettingsError(f"storage.data_dir: {data_dir} may not be written by this user.")


def server_secret(settings: Settings) -> bytes:
    """From the settings, else from a file in the data directory that is made when missing.

    Raises: SettingsError.
    """
    if settings.auth.server_secret is not None:
        return bytes.fromhex(settings.auth.server_secret)
    path = settings.storage.data_dir / SECRET_FILE
    with contextlib.suppress(FileExistsError):
        _write_whole(path, secrets.token_bytes(_SECRET_BYTES))
    try:
        secret = path.read_bytes()
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}.") from None
    if len(secret) != _SECRET_BYTES:
        raise SettingsError(f"{path} is damaged: it should hold {_SECRET_BYTES} bytes.")
    return secret


async def first_key(
    keys: KeyStore,
    box: SecretBox,
    auth: AuthSettings,
    now: datetime,
    remember: Callable[[NewKey], None],
) -> NewKey | None:
    """Sees to it that there is an admin key; returns one that was generated, to be shown once.

    `remember` gets a generated key before the store does, so that a crash in between loses
    nothing. A root key from the settings is the operator's: it is put in place, or its secret
    brought up to date, and not returned.

    Raises: SettingsError.
    """
    known = await keys.keys()
    if known:
        await _check_secret(keys, box, known[0].access_key_id)
    if auth.root_access_key_id is not None and auth.root_secret_access_key is not None:
        await _root_key(keys, box, auth.root_access_key_id, auth.root_secret_access_key, now)
        return None
    if known:
        return None
    made, stored = make_key(
        box,
        identity_id=await _owner(keys, now),
        name=_ADMIN,
        created_at=now,
        permissions=ALL_PERMISSIONS,
    )
    remember(made)
    await keys.add_key(stored)
    return made


def remember_in(data_dir: Path, made: NewKey) -> None:
    """Into a file for its owner alone, in the form of an environment file."""
    path = data_dir / CREDENTIALS_FILE
    path.unlink(missing_ok=True)
    lines = (
        "# The admin key of this server, made at its first start. Move it to a safe place.",
        f"AWS_ACCESS_KEY_ID={made.key.access_key_id}",
        f"AWS_SECRET_ACCESS_KEY={made.secret}",
        f"VEXOBJ_KEY={made.secret}",
    )
    _write_whole(path, ("\n".join(lines) + "\n").encode())


async def _check_secret(keys: KeyStore, box: SecretBox, access_key_id: str) -> None:
    try:
        box.open(access_key_id, (await keys.key(access_key_id)).sealed_secret)
    except NoSuchAccessKey:
        return
    except SealBroken:
        raise SettingsError(
            f"auth.server_secret (or the file {SECRET_FILE}) is not the one that the stored keys"
            " were sealed with: bring the former one back."
        ) from None


async def _root_key(
    keys: KeyStore, box: SecretBox, access_key_id: str, secret: str, now: datetime
) -> None:
    identity_id = None
    try:
        stored = await keys.key(access_key_id)
    except NoSuchAccessKey:
        pass
    else:
        if stored.secret_lookup == box.lookup(secret):
            return
        identity_id = stored.key.identity_id
        await keys.remove_key(access_key_id)
    try:
        _, stored = make_key(
            box,
            identity_id=identity_id or await _owner(keys, now),
            name=_ROOT,
            created_at=now,
            permissions=ALL_PERMISSIONS,
            access_key_id=access_key_id,
            secret_access_key=secret,
        )
    except InvalidAccessKeyId as error:
        raise SettingsError(f"auth.root_access_key_id: {error.reason}.") from None
    except InvalidSecretAccessKey as error:
        raise SettingsError(f"auth.root_secret_access_key: {error.reason}.") from None
    await keys.add_key(stored)


async def _owner(keys: KeyStore, now: datetime) -> str:
    """The first identity there is, made when there is none."""
    identities = await keys.identities()
    if identities:
        return identities[0].id
    identity = new_identity(_ADMIN, now)
    await keys.add_identity(identity)
    return identity.id


def _write_whole(path: Path, data: bytes) -> None:
    """All of it or nothing, though several processes start at once. Raises: FileExistsError."""
    partial = path.with_name(f".{path.name}-{os.getpid()}")
    partial.unlink(missing_ok=True)
    write_private(partial, data)
    try:
        path.hardlink_to(partial)
    finally:
        partial.unlink()
