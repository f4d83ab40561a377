"""`vexobj blobs move`: bring all blobs to where `storage.backend` says, beside a running server."""

import asyncio
import sys
import time
from collections.abc import Mapping

from vexobj_server.bootstrap import store_config, unusable_service
from vexobj_server.settings import SettingsError, load_settings
from vexobj_storage import (
    BlobServiceUnusable,
    MetaStore,
    MoveProgress,
    MovingBlobStore,
    StoreConfig,
    StoreError,
    drop_place,
    known_places,
    move_blobs,
    open_blobs,
    open_metadata,
)

_EVERY_SECONDS = 2.0
_GIB = 1024**3


def move(environment: Mapping[str, str], *, read_back: bool) -> int:
    """0 when all are there, 1 when some are damaged or the move ended early.

    Raises: SettingsError.
    """
    config = store_config(load_settings(environment).settings)
    try:
        return asyncio.run(_move(config, read_back=read_back))
    except BlobServiceUnusable as error:
        raise unusable_service(error) from error
    except StoreError as error:
        _say(f"The move ended early: {error}. Run it again to go on.")
        return 1


async def _move(config: StoreConfig, *, read_back: bool) -> int:
    metadata = await open_metadata(config.data_dir, config.metadata_url)
    try:
        known = await known_places(metadata)
        if config.blob_place not in known:
            raise SettingsError(
                f"Restart the server with storage.backend = {config.blob_place} first: it has to"
                " write there before blobs can follow."
            )
        blobs = await open_blobs(config, metadata)
        try:
            if isinstance(blobs, MovingBlobStore):
                return await _empty(config, metadata, blobs, read_back=read_back)
            _say(f"All blobs are in {config.blob_place}: there is nothing to move.")
            return 0
        finally:
            await blobs.close()
    finally:
        await metadata.close()


async def _empty(
    config: StoreConfig, metadata: MetaStore, blobs: MovingBlobStore, *, read_back: bool
) -> int:
    told = _Told()
    done = await move_blobs(metadata, blobs, read_back=read_back, progress=told.progress)
    _say(f"{done.moved:,} blobs of {done.moved_bytes / _GIB:.2f} GiB moved.")
    if done.damaged:
        _say("These are damaged and stay where they are:", *done.damaged)
        return 1
    if done.left:
        _say(f"{done.left:,} more came or went meanwhile. Run it again.")
        return 1
    await drop_place(metadata, config.blob_place)
    _say(f"All blobs are in {config.blob_place} now. Restart the server: it looks only there then.")
    return 0


class _Told:
    """A line now and then: how far, how fast, how long still."""

    def __init__(self) -> None:
        self._began = self._last = time.monotonic()

    def progress(self, now: MoveProgress) -> None:
        at = time.monotonic()
        if at - self._last < _EVERY_SECONDS:
            return
        self._last = at
        rate = now.moved_bytes / (at - self._began)
        left = max(0, now.bytes - now.moved_bytes) / rate if rate else 0.0
        _say(
            f"{now.moved:,} of {now.blobs:,} blobs,"
            f" {now.moved_bytes / _GIB:.2f} of {now.bytes / _GIB:.2f} GiB,"
            f" {rate / 1024**2:.0f} MiB/s, about {left / 60:.0f} minutes left"
        )


def _say(*lines: str) -> None:
    for line in lines:
        sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
