"""From a stream of chunks to StagedContent: digests, and the bytes durable or inline.

A digest that the caller was promised does not save computing it here: whether the promise was
kept is what the computed one is for.
"""

import hashlib
from collections.abc import AsyncIterable, Iterable, Mapping

from vexobj_storage.blobs.base import BlobStore, BlobWriter
from vexobj_storage.errors import EntityTooLarge, SizeMismatch
from vexobj_storage.files import Buffer
from vexobj_storage.sealing.frames import Sealer, seal, sealed_size
from vexobj_storage.sealing.ids import new_blob_id
from vexobj_storage.sealing.keys import RootKey
from vexobj_storage.types import Hasher, StagedContent

_MIN_WRITE = 128 * 1024
_HELD = 2047


def stage_bytes(
    data: bytes, *, sha256: bytes | None = None, key: RootKey | None = None
) -> StagedContent:
    """Inline content. `sha256` only if the caller computed it over these very bytes."""
    md5 = _digest(hashlib.md5(usedforsecurity=False), data)
    return _inline(data, md5, sha256 or _digest(hashlib.sha256(), data), key)


def _digest(hasher: Hasher, data: bytes) -> bytes:
    """Of few bytes: in pieces for which hashlib does not let go of the interpreter's lock."""
    for at in range(0, len(data), _HELD):
        hasher.update(data[at : at + _HELD])
    return hasher.digest()


async def stage(
    blobs: BlobStore,
    chunks: AsyncIterable[bytes],
    *,
    inline_max_bytes: int,
    max_bytes: int,
    size: int | None = None,
    hashers: Mapping[str, Hasher] | None = None,
    key: RootKey | None = None,
) -> StagedContent:
    """Read all of `chunks`, holding at most 128 KiB (or `inline_max_bytes`) and one chunk.

    Content of at most `inline_max_bytes` is kept inline and never touches the store. Else the
    blob is durable on return. Every byte passes through MD5, SHA-256 and `hashers`, in the same
    worker-thread call that writes it, sealed under `key` if there is one. Whatever `chunks` raises
    passes through, and after any exception, cancellation included, nothing is left behind.

    Raises:
        EntityTooLarge: more than `max_bytes` were announced or came.
        SizeMismatch: not the announced `size`.
        OutOfSpace, WriteFailed: as the store has it.
    """
    if size is not None and size > max_bytes:
        raise EntityTooLarge(max_bytes)
    digests = _Digests(() if hashers is None else hashers.values())
    sink = _Sink(blobs, digests, max(inline_max_bytes, _MIN_WRITE), size, key)
    received = 0
    try:
        async for chunk in chunks:
            received += len(chunk)
            if received > max_bytes:
                raise EntityTooLarge(max_bytes)  # noqa: TRY301 - the way out is below
            if size is not None and received > size:
                raise SizeMismatch(size, received)  # noqa: TRY301
            await sink.add(chunk)
        if size is not None and received != size:
            raise SizeMismatch(size, received)  # noqa: TRY301
        if received <= inline_max_bytes:
            inline = sink.held()
            digests.update(inline)
            return _inline(inline, digests.md5, digests.sha256, key)
        await sink.commit()
    except BaseException:
        await sink.abort()
        raise
    stored_size, key_id = (received, 0) if key is None else (sealed_size(received), key.id)
    return StagedContent(
        received, digests.md5, digests.sha256, None, sink.blob_id, stored_size, key_id
    )


def _inline(data: bytes, md5: bytes, sha256: bytes, key: RootKey | None) -> StagedContent:
    if key is None:
        return StagedContent(len(data), md5, sha256, data, new_blob_id(), len(data))
    blob_id = new_blob_id(key.id)
    sealed = seal(key.data_key(blob_id), data)
    return StagedContent(len(data), md5, sha256, sealed, blob_id, len(sealed), key.id)


class _Digests:
    """The digests of one content; `update` hands the bytes on, as BlobWriter's `through` does."""

    def __init__(self, others: Iterable[Hasher]) -> None:
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._sha256 = hashlib.sha256()
        self._others = tuple(others)

    def update(self, chunk: Buffer) -> Buffer:
        self._md5.update(chunk)
        self._sha256.update(chunk)
        if self._others:
            data = bytes(chunk)
            for hasher in self._others:
                hasher.update(data)
        return chunk

    @property
    def md5(self) -> bytes:
        return self._md5.digest()

    @property
    def sha256(self) -> bytes:
        return self._sha256.digest()


class _Sink:
    """Holds bytes back until there are more than `threshold`, then writes a blob.

    So small content opens no file, and a client that sends byte by byte costs no thread hop each.
    """

    def __init__(
        self,
        blobs: BlobStore,
        digests: _Digests,
        threshold: int,
        size: int | None,
        key: RootKey | None,
    ) -> None:
        self.blob_id = new_blob_id(0 if key is None else key.id)
        self._blobs = blobs
        self._digests = digests
        self._threshold = threshold
        self._size = size
        self._sealer = None if key is None else Sealer(key.data_key(self.blob_id))
        self._held = bytearray()
        self._writer: BlobWriter | None = None

    def held(self) -> bytes:
        return bytes(self._held)

    async def add(self, chunk: bytes) -> None:
        if not self._held and len(chunk) > self._threshold:
            await self._write(chunk)
            return
        self._held += chunk
        if len(self._held) > self._threshold:
            await self._write_held()

    async def commit(self) -> None:
        if self._held:
            await self._write_held()
        assert self._writer is not None
        if self._sealer is not None:
            await self._writer.write(b"", self._last_frame)
        await self._writer.commit()

    async def abort(self) -> None:
        if self._writer is not None:
            await self._writer.abort()

    async def _write_held(self) -> None:
        held, self._held = self._held, bytearray()
        await self._write(held)

    async def _write(self, data: Buffer) -> None:
        if self._writer is None:
            size = self._size
            stored = size if size is None or self._sealer is None else sealed_size(size)
            self._writer = self._blobs.create(self.blob_id, stored)
        through = self._digests.update if self._sealer is None else self._digest_and_seal
        await self._writer.write(data, through)

    def _digest_and_seal(self, chunk: Buffer) -> Buffer:
        assert self._sealer is not None
        return self._sealer.update(self._digests.update(chunk))

    def _last_frame(self, _nothing: Buffer) -> Buffer:
        assert self._sealer is not None
        return self._sealer.finish()
