"""Rows of root keys: added and wrapped anew, never removed."""

from collections.abc import Sequence

from sqlalchemy import bindparam, select, update

from vexobj_storage.metadata.ops import sql
from vexobj_storage.metadata.tx import Tx, durable, repeatable
from vexobj_storage.sealing.keys import WrappedKey

_K, _B = sql.ROOT_KEYS, sql.BLOBS
_ALL = sql.query(select(_K.c.key_id, _K.c.master_key_id, _K.c.wrapped).order_by(_K.c.key_id))
_ADD = sql.insert(_K)
_REWRAP = sql.query(
    update(_K)
    .where(
        _K.c.key_id == bindparam("old_key_id"), _K.c.master_key_id == bindparam("old_master_key_id")
    )
    .values(master_key_id=bindparam("master_key_id"), wrapped=bindparam("wrapped"))
)
_IN_USE = sql.exists(_B, "key_id")


async def root_keys(tx: Tx) -> Sequence[WrappedKey]:
    """All, in the order of their ids."""
    return [WrappedKey(*row) for row in await tx.all(_ALL)]


@durable
@repeatable
async def add(tx: Tx, key: WrappedKey, now_us: int) -> None:
    """Nothing happens if another has taken the id: look at what is there afterwards."""
    await tx.run(
        _ADD,
        key_id=key.key_id,
        master_key_id=key.master_key_id,
        wrapped=key.wrapped,
        created_us=now_us,
    )


@durable
@repeatable
async def rewrap(tx: Tx, keys: Sequence[tuple[WrappedKey, WrappedKey]]) -> None:
    """Put the second in the place of the first of each pair, unless another was faster."""
    for old, new in keys:
        await tx.run(
            _REWRAP,
            old_key_id=old.key_id,
            old_master_key_id=old.master_key_id,
            master_key_id=new.master_key_id,
            wrapped=new.wrapped,
        )


async def is_used(tx: Tx, key_id: int) -> bool:
    """Whether a blob is sealed under the key; reads all blobs when none is."""
    return await tx.one(_IN_USE, key_id=key_id) is not None
