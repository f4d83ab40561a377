"""Bytes that rot: what happens to blobs behind the store's back."""

from sqlalchemy import bindparam, update

from vexobj_storage.metadata.ops import objects, sql
from vexobj_storage.metadata.tx import Tx
from vexobj_storage.store import ObjectStore

_I = sql.INLINE_BLOBS
_SPOIL = sql.query(update(_I).where(*sql.matches(_I, "blob_id")).values(data=bindparam("new_data")))
_LOSE = sql.remove(_I, "blob_id")


def flipped(data: bytes) -> bytes:
    """One bit in its middle is another."""
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


async def stored_bytes(store: ObjectStore, blob_id: bytes) -> bytes:
    """As they are on the medium, or in the metadata."""
    blobs = store._blobs  # noqa: SLF001 - it looks behind the facade, as all here does
    stat = await blobs.stat(blob_id)
    if stat is None:
        return await store._metadata.read(objects.inline_data, blob_id) or b""  # noqa: SLF001
    return b"".join([chunk async for chunk in blobs.open(blob_id, 0, stat.size)])


async def spoil(store: ObjectStore, blob_id: bytes, data: bytes | None) -> None:
    """Have the blob hold `data`, or nothing at all."""
    blobs = store._blobs  # noqa: SLF001
    if await blobs.stat(blob_id) is None:
        await store._metadata.write(_spoil_inline, blob_id, data)  # noqa: SLF001
        return
    await blobs.delete(blob_id)
    if data is not None:
        await restore(store, blob_id, data)


async def restore(store: ObjectStore, blob_id: bytes, data: bytes) -> None:
    """Put the bytes of a blob of the blob store where they belong."""
    blobs = store._blobs  # noqa: SLF001
    await blobs.delete(blob_id)
    writer = blobs.create(blob_id)
    await writer.write(data)
    await writer.commit()


async def _spoil_inline(tx: Tx, blob_id: bytes, data: bytes | None) -> None:
    if data is None:
        await tx.run(_LOSE, blob_id=blob_id)
    else:
        await tx.run(_SPOIL, blob_id=blob_id, new_data=data)
