"""`vexobj rekey`: new keys for what is encrypted, beside a running server or without one."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from vexobj_server.bootstrap import store_config
from vexobj_server.settings import SettingsError, load_settings
from vexobj_storage import KeyUnavailable, ObjectStore, RewriteProgress, StorageError

_T = TypeVar("_T")

_NOTHING = "Nothing was ever asked to be rewritten.\n"


def rekey(environment: Mapping[str, str]) -> int:
    """Wrap the root keys by the present master key. Raises: SettingsError."""
    if load_settings(environment).settings.sse.master_key is None:
        raise SettingsError("vexobj rekey needs sse.master_key, the key to wrap with.")
    wrapped = _with_store(environment, lambda store: store.rewrap_keys())
    sys.stdout.write(f"Root keys that were wrapped by another master key: {wrapped}\n")
    return 0


def rewrite(environment: Mapping[str, str]) -> int:
    """Have everything rewritten as new content is written. Raises: SettingsError."""

    async def start(store: ObjectStore) -> RewriteProgress | None:
        await store.start_rewriting()
        return await store.rewriting()

    sys.stdout.write("The server does it in the background; --status tells how far it is.\n")
    sys.stdout.write(_told(_with_store(environment, start)))
    return 0


def status(environment: Mapping[str, str]) -> int:
    """How far rewriting is. Raises: SettingsError."""
    sys.stdout.write(_told(_with_store(environment, lambda store: store.rewriting())))
    return 0


def _told(progress: RewriteProgress | None) -> str:
    if progress is None:
        return _NOTHING
    target = f"root key {progress.key_id}" if progress.key_id else "no encryption"
    state = "done" if progress.is_done else "under way"
    return (
        f"Rewriting to {target}: {state}.\n"
        f"  rewritten {progress.blobs} blobs, {progress.bytes} bytes\n"
        f"  remaining {progress.remaining_blobs} blobs, {progress.remaining_bytes} bytes\n"
        f"  unreadable {progress.failed}\n"
    )


def _with_store(
    environment: Mapping[str, str], operation: Callable[[ObjectStore], Awaitable[_T]]
) -> _T:
    config = store_config(load_settings(environment).settings)

    async def run() -> _T:
        store = await ObjectStore.open(config)
        try:
            return await operation(store)
        finally:
            await store.close()

    try:
        return asyncio.run(run())
    except KeyUnavailable as error:
        raise SettingsError(
            f"sse: {error}. Give that key as one of sse.previous_master_keys."
        ) from error
    except StorageError as error:
        raise SettingsError(f"The store cannot be used: {error}.") from error
