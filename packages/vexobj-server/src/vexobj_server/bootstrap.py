"""What has to be there before the first request: data directory, secret, identity, admin key."""

import contextlib
import fcntl
import os
import secrets
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from vexobj_auth import (
    ALL_PERMISSIONS,
    AccessKeyAlreadyExists,
    InvalidAccessKeyId,
    InvalidSecretAccessKey,
    NewKey,
    NoSuchAccessKey,
    SealBroken,
    SecretBox,
    StoredKey,
    make_key,
    new_identity,
)
from vexobj_server.services.identities import StoredKeys
from vexobj_server.settings import (
    AuthSettings,
    QuotasSettings,
    RemoteSettings,
    Settings,
    SettingsError,
    SseSettings,
)
from vexobj_storage import (
    BlobPlace,
    BlobServiceUnusable,
    Durability,
    MasterKey,
    Quota,
    S3BlobConfig,
    StoreConfig,
)

SECRET_FILE = "server-secret"  # noqa: S105 - a file name
CREDENTIALS_FILE = "admin-credentials"
CACHE_KEY = "variants on disk"
"""What the key of the disk cache is derived for."""

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
        master_keys=master_keys(settings.sse),
        encrypt=settings.sse.enabled,
        blob_place=BlobPlace(storage.backend),
        s3=_remote(storage.s3),
        durability=Durability(storage.durability),
    )


def master_keys(sse: SseSettings) -> tuple[MasterKey, ...]:
    """The current one first."""
    current = () if sse.master_key is None else (sse.master_key,)
    return tuple(MasterKey(bytes.fromhex(key)) for key in (*current, *sse.previous_master_keys))


def _remote(remote: RemoteSettings) -> S3BlobConfig | None:
    if remote.endpoint is None or remote.bucket is None:
        return None
    return S3BlobConfig(
        endpoint=remote.endpoint,
        bucket=remote.bucket,
        access_key_id=remote.access_key,
        secret_access_key=remote.secret_key,
        region=remote.region,
        path_style=remote.path_style,
        prefix=remote.prefix,
        part_bytes=remote.part_size,
        timeout_seconds=remote.timeout.total_seconds(),
        max_attempts=remote.max_attempts,
    )


def unusable_service(error: BlobServiceUnusable) -> SettingsError:
    """What the operator is told, by the name of the setting to look at."""
    name = _SETTING_OF.get(error.setting, error.setting)
    where = "The clock" if name == "clock" else f"storage.{name}"
    return SettingsError(f"{where}: {error.reason.rstrip('.')}.")


_SETTING_OF = {"access_key_id": "s3.access_key", "secret_access_key": "s3.secret_key"} | {
    name: f"s3.{name}" for name in ("endpoint", "bucket", "region", "prefix")
}


def default_quota(quotas: QuotasSettings) -> Quota | None:
    """What holds buckets that have no quota of their own."""
    if not quotas.enabled:
        return None
    return Quota(quotas.default_max_storage, quotas.default_max_objects)


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
    if not path.exists():  # a start with a full disk writes nothing that is there
        with contextlib.suppress(FileExistsError):
            keep_private(path, secrets.token_bytes(_SECRET_BYTES))
    try:
        secret = path.read_bytes()
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}.") from None
    if len(secret) != _SECRET_BYTES:
        raise SettingsError(f"{path} is damaged: it should hold {_SECRET_BYTES} bytes.")
    return secret


@contextlib.contextmanager
def alone_in(data_dir: Path) -> Iterator[None]:
    """Waits for other servers that start on the same directory."""
    descriptor = os.open(data_dir, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


async def first_key(
    keys: StoredKeys, box: SecretBox, auth: AuthSettings, data_dir: Path, now: datetime
) -> NewKey | None:
    """Sees to it that there is an admin key; returns one that was generated, to be shown once.

    Of several servers that start at once on an empty store, one generates it. It is in the data
    directory before it is in the store, so that a crash in between loses nothing. A root key from
    the settings is the operator's: it is put in place, or its secret brought up to date, and not
    returned.

    Raises: SettingsError.
    """
    await _check_secret(keys, box)
    if auth.root_access_key_id is not None and auth.root_secret_access_key is not None:
        await _root_key(keys, box, auth.root_access_key_id, auth.root_secret_access_key, now)
        return None
    if await keys.keys():
        return None
    made, stored = make_key(
        box,
        identity_id=await _owner(keys, now),
        name=_ADMIN,
        created_at=now,
        permissions=ALL_PERMISSIONS,
    )
    _remember(data_dir, made)
    if await keys.add_first_key(stored):
        return made
    (data_dir / CREDENTIALS_FILE).unlink()
    await _check_secret(keys, box)
    return None


def _remember(data_dir: Path, made: NewKey) -> None:
    """Into a file for its owner alone, in the form of an environment file."""
    path = data_dir / CREDENTIALS_FILE
    path.unlink(missing_ok=True)
    lines = (
        "# The admin key of this server, made at its first start. Move it to a safe place.",
        f"AWS_ACCESS_KEY_ID={made.key.access_key_id}",
        f"AWS_SECRET_ACCESS_KEY={made.secret}",
        f"VEXOBJ_KEY={made.secret}",
    )
    keep_private(path, ("\n".join(lines) + "\n").encode())


async def _check_secret(keys: StoredKeys, box: SecretBox) -> None:
    """With the oldest key, if there is any."""
    known = await keys.keys()
    if not known:
        return
    try:
        stored = await keys.key(known[0].access_key_id)
        box.open(stored.key.access_key_id, stored.sealed_secret)
    except NoSuchAccessKey:
        return
    except SealBroken:
        raise SettingsError(
            f"auth.server_secret (or the file {SECRET_FILE}) is not the one that the stored keys"
            " were sealed with: bring the former one back. Servers that share a database share it."
        ) from None


async def _root_key(
    keys: StoredKeys, box: SecretBox, access_key_id: str, secret: str, now: datetime
) -> None:
    made = await _made_root_key(keys, box, access_key_id, secret, now)
    with contextlib.suppress(AccessKeyAlreadyExists):
        await keys.add_key(made)
        return
    await _check_secret(keys, box)
    with contextlib.suppress(NoSuchAccessKey):
        known = await keys.key(access_key_id)
        owned = replace(made, key=replace(made.key, identity_id=known.key.identity_id))
        # Another server that starts may have done the same just now.
        with contextlib.suppress(AccessKeyAlreadyExists):
            if known.secret_lookup != made.secret_lookup:
                await keys.replace_key(owned)
        if (await keys.key(access_key_id)).secret_lookup == made.secret_lookup:
            return
    raise SettingsError("auth.root_secret_access_key: another key has this secret already.")


async def _made_root_key(
    keys: StoredKeys, box: SecretBox, access_key_id: str, secret: str, now: datetime
) -> StoredKey:
    try:
        _, stored = make_key(
            box,
            identity_id=await _owner(keys, now),
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
    return stored


async def _owner(keys: StoredKeys, now: datetime) -> str:
    """The first identity there is, made when there is none."""
    return (await keys.first_identity(new_identity(_ADMIN, now))).id


def keep_private(path: Path, data: bytes) -> None:
    """All of it or nothing, though several processes start at once. Raises: FileExistsError."""
    partial = path.with_name(f".{path.name}-{os.getpid()}")
    partial.unlink(missing_ok=True)
    _write_private(partial, data)
    try:
        path.hardlink_to(partial)
    finally:
        partial.unlink()


def _write_private(path: Path, data: bytes) -> None:
    """A new file that only its owner can read. Raises: FileExistsError."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
