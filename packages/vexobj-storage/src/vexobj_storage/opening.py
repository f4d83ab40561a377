"""What blobs hold, as it was put: plain ones straight from the store, sealed ones opened.

Frames are opened where their bytes arrive, on the event loop: 64 KiB take 14 us, and a thread
would need the interpreter's lock for it all the same.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing

from vexobj_storage.blobs.base import BlobStore
from vexobj_storage.errors import BlobCorrupt, BlobMissing
from vexobj_storage.keyring import KeyRing
from vexobj_storage.recent import Recent
from vexobj_storage.sealing.frames import FrameBroken, Opener, open_sealed
from vexobj_storage.sealing.ids import sealing_key
from vexobj_storage.sealing.keys import RootKey

_DATA_KEYS = 1024


class OpenedBlobs:
    """Ranges of contents. `sizes` tells a content's size by its blob's id, None for no blob."""

    def __init__(
        self, blobs: BlobStore, keys: KeyRing, sizes: Callable[[bytes], Awaitable[int | None]]
    ) -> None:
        self._blobs = blobs
        self._keys = keys
        self._sizes = sizes
        self._data_keys: Recent[bytes, bytes] = Recent(_DATA_KEYS * 64)

    def open(
        self, blob_id: bytes, offset: int, length: int, size: int | None = None
    ) -> AsyncGenerator[bytes, None]:
        """As BlobStore.open, of the content. `size` is all of it, if the caller knows.

        Raises: BlobMissing, BlobCorrupt, KeyUnavailable.
        """
        if not sealing_key(blob_id):
            return self._blobs.open(blob_id, offset, length)
        return self._open(blob_id, offset, length, size)

    def read_now(self, blob_id: bytes, offset: int, length: int, size: int) -> bytes | None:
        """As BlobStore.read_now, of the content, all of which has `size` bytes.

        Raises: BlobCorrupt.
        """
        key_id = sealing_key(blob_id)
        if not key_id:
            return self._blobs.read_now(blob_id, offset, length)
        key = self._keys.known(key_id)
        if key is None or offset + length > size:
            return None
        opener = Opener(self._data_key(key, blob_id), size, offset, length)
        sealed = self._blobs.read_now(blob_id, opener.offset, opener.length)
        return None if sealed is None else _opened(blob_id, opener, sealed)

    async def inline(self, blob_id: bytes, data: bytes) -> bytes:
        """The content of which the metadata hold `data`. Raises: BlobCorrupt, KeyUnavailable."""
        key_id = sealing_key(blob_id)
        if not key_id:
            return data
        key = await self._keys.key(key_id)
        try:
            return open_sealed(key.data_key(blob_id), data)
        except FrameBroken as error:
            raise BlobCorrupt(blob_id.hex(), str(error)) from error

    async def _open(
        self, blob_id: bytes, offset: int, length: int, size: int | None
    ) -> AsyncGenerator[bytes, None]:
        if length <= 0:
            return
        key = await self._keys.key(sealing_key(blob_id))
        if size is None:
            size = await self._sizes(blob_id)
        if size is None:
            raise BlobMissing(blob_id.hex())
        if offset + length > size:
            raise BlobCorrupt(blob_id.hex(), f"{offset + length - size} bytes are missing")
        opener = Opener(self._data_key(key, blob_id), size, offset, length)
        async with aclosing(self._blobs.open(blob_id, opener.offset, opener.length)) as sealed:
            async for chunk in sealed:
                opened = _opened(blob_id, opener, chunk)
                if opened:
                    yield opened

    def _data_key(self, key: RootKey, blob_id: bytes) -> bytes:
        """Those used last are remembered: deriving one costs nearly what opening a frame does."""
        known = self._data_keys.get(blob_id)
        if known is None:
            known = key.data_key(blob_id)
            self._data_keys.put(blob_id, known, 64)
        return known


def _opened(blob_id: bytes, opener: Opener, sealed: bytes) -> bytes:
    try:
        return opener.update(sealed)
    except FrameBroken as error:
        raise BlobCorrupt(blob_id.hex(), str(error)) from error
