"""The disk cache of variants as broker and workers use it: sealed when what is stored is."""

import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from vexobj_cache import CacheEntry, CacheStats, DiskCacheReader, wipe
from vexobj_server.media.protocol import MediaFile, Rendering, anonymous_file

_CONTENT_TYPE = "content-type"
_NONCE_BYTES = 12
_SEALED = "sealed"


class VariantCache:
    """Over a DiskCache, which keeps, or a DiskCacheReader, which does not.

    With a `key` the data of an entry is AES-256-GCM with its name authenticated: what was sealed
    under another key is not found.
    """

    def __init__(self, disk: DiskCacheReader, key: bytes | None) -> None:
        self._disk = disk
        self._cipher = None if key is None else AESGCM(key)

    @property
    def stats(self) -> CacheStats:
        return self._disk.stats

    async def find(self, name: str) -> Rendering | None:
        if self._cipher is not None:
            return await self._find_sealed(self._cipher, name)
        opened = await self._disk.open(name)
        if opened is None:
            return None
        with opened:
            file = MediaFile(os.dup(opened.file.fileno()), opened.offset, opened.size)
        return Rendering(file, opened.metadata[_CONTENT_TYPE], cached=True)

    async def keep(self, name: str, rendering: Rendering) -> None:
        data = rendering.file.read()
        if self._cipher is not None:
            nonce = secrets.token_bytes(_NONCE_BYTES)
            data = nonce + self._cipher.encrypt(nonce, data, name.encode())
        await self._disk.put(name, CacheEntry(data, {_CONTENT_TYPE: rendering.content_type}))

    async def _find_sealed(self, cipher: AESGCM, name: str) -> Rendering | None:
        entry = await self._disk.get(name)
        if entry is None:
            return None
        nonce, sealed = entry.data[:_NONCE_BYTES], entry.data[_NONCE_BYTES:]
        try:
            data = cipher.decrypt(nonce, sealed, name.encode())
        except (InvalidTag, ValueError):
            return None
        with anonymous_file("variant") as file:
            file.write(data)
            file.flush()
            copy = MediaFile(os.dup(file.fileno()), 0, len(data))
        return Rendering(copy, entry.metadata[_CONTENT_TYPE], cached=True)


def cache_directory(root: Path, key: bytes | None) -> Path:
    """Where sealed variants are, or plain ones: never both in one place."""
    return root if key is None else root / _SEALED


def own_directory(root: Path, key: bytes | None) -> Path:
    """As `cache_directory`, for who owns it: what was kept under the other setting is removed."""
    wipe(root / _SEALED if key is None else root)
    return cache_directory(root, key)
