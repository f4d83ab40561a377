"""`vexobj rekey`: wraps the root keys by the present master key, beside a running server or not."""

import asyncio
import sys
from collections.abc import Mapping

from vexobj_server.bootstrap import store_config
from vexobj_server.settings import SettingsError, load_settings
from vexobj_storage import KeyUnavailable, ObjectStore, StorageError, StoreConfig


def rekey(environment: Mapping[str, str]) -> int:
    """Raises: SettingsError."""
    settings = load_settings(environment).settings
    if settings.sse.master_key is None:
        raise SettingsError("vexobj rekey needs sse.master_key, the key to wrap with.")
    wrapped = asyncio.run(_rewrap(store_config(settings)))
    sys.stdout.write(f"Root keys that were wrapped by another master key: {wrapped}\n")
    return 0


async def _rewrap(config: StoreConfig) -> int:
    try:
        store = await ObjectStore.open(config)
        try:
            return await store.rewrap_keys()
        finally:
            await store.close()
    except KeyUnavailable as error:
        raise SettingsError(
            f"sse: {error}. Give that key as one of sse.previous_master_keys."
        ) from error
    except StorageError as error:
        raise SettingsError(f"The store cannot be opened: {error}.") from error
