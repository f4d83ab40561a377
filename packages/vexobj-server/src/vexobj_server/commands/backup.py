"""`vexobj backup`: makes, lists and verifies backups, beside a running server or without one."""

import asyncio
import sys
import time
from collections.abc import Awaitable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from vexobj_server.bootstrap import server_secret, store_config, unusable_service
from vexobj_server.services.backups import server_backups
from vexobj_server.settings import Settings, SettingsError, load_settings
from vexobj_server.sizes import human_size
from vexobj_storage import (
    BackupKey,
    BackupProgress,
    BackupTarget,
    BlobServiceUnusable,
    Manifest,
    ObjectStore,
    StorageError,
    verify_backup,
)

_T = TypeVar("_T")

_EVERY_SECONDS = 2.0


def back_up(
    environment: Mapping[str, str],
    *,
    directory: str | None,
    keep: int | None,
    with_secrets: bool,
) -> int:
    """0 when all is in it, 1 when it failed or some blobs cannot be read. Raises: SettingsError."""
    settings = _settings(environment, directory)
    if with_secrets:
        settings = replace(settings, backup=replace(settings.backup, with_secrets=True))
    if keep is not None:
        settings = replace(settings, backup=replace(settings.backup, keep=keep))
    manifest = _run(_make(settings))
    if manifest is None:
        return 1
    _say(*_told(manifest, settings.backup_dir))
    return 1 if manifest.damaged else 0


def verify(environment: Mapping[str, str], *, directory: str | None, name: str | None) -> int:
    """0 when every byte is as it was, 1 when not. Raises: SettingsError."""
    settings = _settings(environment, directory)
    rate = settings.backup.max_rate or None
    check = _run(verify_backup(BackupTarget(settings.backup_dir), name, bytes_per_second=rate))
    if check is None:
        return 1
    _say(f"{check.manifest.name}: {check.blobs:,} blobs of {human_size(check.bytes)} read.")
    if check.damaged:
        _say("These are damaged or missing:", *check.damaged)
        _say("Remove those that are in the backup; the next backup copies them again.")
        return 1
    _say("It is whole.")
    return 0


def show(environment: Mapping[str, str], *, directory: str | None) -> int:
    """The backups that can be restored. Raises: SettingsError."""
    target = BackupTarget(_settings(environment, directory).backup_dir)
    for name in target.names():
        try:
            manifest = target.manifest(name)
        except StorageError as error:
            sys.stdout.write(f"{name}  {error}\n")
            continue
        size = human_size(manifest.blob_bytes + manifest.metadata_bytes)
        objects, damaged = manifest.counts.get("objects", 0), len(manifest.damaged)
        more = f", {damaged} blobs missing" if damaged else ""
        sys.stdout.write(f"{name}  {objects:,} objects, {size}{more}\n")
    return 0


def _settings(environment: Mapping[str, str], directory: str | None) -> Settings:
    settings = load_settings(environment).settings
    if directory is None:
        return settings
    return replace(settings, backup=replace(settings.backup, directory=Path(directory)))


async def _make(settings: Settings) -> Manifest:
    if not settings.storage.data_dir.is_dir():
        raise SettingsError(f"storage.data_dir: {settings.storage.data_dir} is not there.")
    store = await ObjectStore.open(store_config(settings))
    try:
        secret = server_secret(settings)
        backups = server_backups(settings, store, secret, lambda: datetime.now(UTC))
        return await store.back_up(backups.target, backups.options, _Told().progress)
    finally:
        await store.close()


def _run(work: Awaitable[_T]) -> _T | None:
    async def run() -> _T:
        return await work

    try:
        return asyncio.run(run())
    except BlobServiceUnusable as error:
        raise unusable_service(error) from error
    except StorageError as error:
        _say(f"It failed: {error}.")
        return None


class _Told:
    """A line now and then."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def progress(self, now: BackupProgress) -> None:
        if time.monotonic() - self._last < _EVERY_SECONDS:
            return
        self._last = time.monotonic()
        of = f"{now.done:,} of {now.blobs:,} blobs, {human_size(now.done_bytes)}"
        _say(f"{of} of {human_size(now.bytes)}; {human_size(now.copied_bytes)} copied")


def _told(manifest: Manifest, directory: Path) -> list[str]:
    size, new = human_size(manifest.blob_bytes), human_size(manifest.bytes_copied)
    lines = [
        f"Backup {manifest.name} is in {directory}.",
        f"It has {manifest.blobs:,} blobs of {size}; {manifest.blobs_copied:,} are new, {new}.",
        *(_about_key(key) for key in manifest.keys),
    ]
    if manifest.damaged:
        lines.append(f"{len(manifest.damaged)} BLOBS CANNOT BE READ AND ARE NOT IN IT:")
        lines += manifest.damaged
    return lines


def _about_key(key: BackupKey) -> str:
    name = f"THE {key.name.upper()} {key.id}"
    if key.inside:
        return f"{name} IS INSIDE: whoever has this backup can read all of it."
    return f"{name} IS NOT INSIDE: keep it elsewhere, a restore needs it."


def _say(*lines: str) -> None:
    for line in lines:
        sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
