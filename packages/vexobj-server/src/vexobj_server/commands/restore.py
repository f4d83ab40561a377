"""`vexobj restore`: makes a store of a backup, where there is none."""

import asyncio
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from vexobj_server.bootstrap import (
    SECRET_FILE,
    keep_private,
    prepare_data_dir,
    store_config,
    unusable_service,
)
from vexobj_server.services.secretkeys import MASTER_KEY, SERVER_SECRET, server_secret_id
from vexobj_server.settings import Settings, SettingsError, load_settings
from vexobj_server.sizes import human_size
from vexobj_storage import (
    BackupTarget,
    BlobPlace,
    BlobServiceUnusable,
    KeyUnavailable,
    Manifest,
    MasterKey,
    RestoreOptions,
    RestoreProgress,
    StorageError,
    StoreConfig,
    is_served,
    restore,
)

RESTORED_MASTER_KEY = "restored-master-key"

_EVERY_SECONDS = 2.0
_OURS = ("metadata.db*", "metadata.lock", "metadata.epoch", "blobs", "tmp", "restoring*")


def restore_backup(
    environment: Mapping[str, str],
    *,
    directory: str | None,
    name: str | None,
    accept_damage: bool,
    force: bool,
) -> int:
    """0 when the store is there and whole, 1 when not. Raises: SettingsError."""
    settings = load_settings(environment).settings
    target = BackupTarget(settings.backup_dir if directory is None else Path(directory))
    data_dir = settings.storage.data_dir
    prepare_data_dir(data_dir)
    try:
        manifest = target.find(name)
        secret = _server_secret(settings, target, manifest)
        config = _with_keys(store_config(settings), target, manifest)
        if force:
            asyncio.run(_set_aside(config))
        options = RestoreOptions(accept_damage, settings.backup.max_rate or None)
        asyncio.run(restore(config, target, manifest.name, options, _Told().progress))
    except KeyUnavailable as error:
        raise SettingsError(
            f"sse: {error}. Give that key as sse.master_key, or as one of sse.previous_master_keys."
        ) from error
    except BlobServiceUnusable as error:
        raise unusable_service(error) from error
    except StorageError as error:
        _say(f"Nothing was restored: {error}.")
        return 1
    _keep_keys(settings, secret, target, manifest)
    _say(f"Backup {manifest.name} of {manifest.began_at:%Y-%m-%d %H:%M:%S} UTC is restored.")
    if manifest.damaged:
        _say(f"{len(manifest.damaged)} blobs were not in it: what they held cannot be read.")
    return 0


def _server_secret(settings: Settings, target: BackupTarget, manifest: Manifest) -> bytes | None:
    """The one that the stored access keys are sealed with. Raises: SettingsError, BackupDamaged."""
    key = next((key for key in manifest.keys if key.name == SERVER_SECRET), None)
    if key is None:
        return None
    path = settings.storage.data_dir / SECRET_FILE
    given = settings.auth.server_secret
    if given is not None:
        found = bytes.fromhex(given)
    elif path.exists():
        found = path.read_bytes()
    elif key.inside:
        found = target.secret(manifest.name, f"{key.name}-{key.id}")
    else:
        found = b""
    if server_secret_id(found) != key.id:
        raise SettingsError(
            f"auth.server_secret: the access keys in this backup are sealed with secret {key.id},"
            f" which is not {'here' if not found else 'the one given'}. Set it, or put it into the"
            f" file {path}."
        )
    return found


def _with_keys(config: StoreConfig, target: BackupTarget, manifest: Manifest) -> StoreConfig:
    return replace(
        config,
        master_keys=[*config.master_keys, *map(MasterKey, _masters(target, manifest))],
    )


def _masters(target: BackupTarget, manifest: Manifest) -> Sequence[bytes]:
    """Those in the backup."""
    return [
        target.secret(manifest.name, f"{key.name}-{key.id}")
        for key in manifest.keys
        if key.name == MASTER_KEY and key.inside
    ]


def _keep_keys(
    settings: Settings, secret: bytes | None, target: BackupTarget, manifest: Manifest
) -> None:
    """For the server that starts next."""
    path = settings.storage.data_dir / SECRET_FILE
    if secret is not None and settings.auth.server_secret is None and not path.exists():
        keep_private(path, secret)
    masters = _masters(target, manifest)
    if masters and settings.sse.master_key is None:
        path = settings.storage.data_dir / RESTORED_MASTER_KEY
        path.unlink(missing_ok=True)
        keep_private(path, f"{masters[0].hex()}\n".encode())
        _say(f"The master key is in {path}: set sse.master_key_file to it, or move it away.")


async def _set_aside(config: StoreConfig) -> None:
    """Move what is in the data directory into another one beside it. Raises: SettingsError."""
    if config.metadata_url is not None or config.blob_place is not BlobPlace.LOCAL:
        raise SettingsError("--force works on a data directory only: empty the others yourself.")
    found = [path for pattern in _OURS for path in config.data_dir.glob(pattern)]
    if not found:
        return
    if await is_served(config.data_dir):
        raise SettingsError(f"--force: a server runs on {config.data_dir}. Stop it first.")
    aside = config.data_dir / f"replaced-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    aside.mkdir(mode=0o700)
    for path in found:
        path.rename(aside / path.name)
    _say(f"What was here is in {aside} now: remove it when you do not need it.")


class _Told:
    """A line now and then."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def progress(self, now: RestoreProgress) -> None:
        if time.monotonic() - self._last < _EVERY_SECONDS:
            return
        self._last = time.monotonic()
        done, size = human_size(now.done_bytes), human_size(now.bytes)
        _say(f"{now.done:,} of {now.blobs:,} blobs, {done} of {size}")


def _say(*lines: str) -> None:
    for line in lines:
        sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
