"""The one refusal of object lock: whatever would destroy a version asks here first.

It asks about a row that it owns until its commit (in a bucket with versions the key is locked), or
destroys by a statement that finds the row only as it was when it asked.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import Table, bindparam, func
from sqlalchemy.sql.elements import ColumnElement

from vexobj_storage import locks
from vexobj_storage.errors import ObjectLocked
from vexobj_storage.locks import LockRefusal
from vexobj_storage.metadata import rows
from vexobj_storage.metadata.rows import Draft
from vexobj_storage.metadata.tx import Tx
from vexobj_storage.types import Bucket, value


class Summary(NamedTuple):
    """A version as far as removing it needs to know it."""

    uid: bytes
    is_null: int
    size: int
    blob_id: bytes | None
    manifest_id: bytes | None
    lock_mode: int | None
    retain_until_us: int | None
    legal_hold: int


@value
class Removal:
    """Who removes, with what rights, and the believed time by which locks have ended or not.

    `owner_id` will own the delete marker, if one is written. `bypasses_governance` passes over a
    retention in governance mode. Without `hides_locked` a delete is refused too that would only
    put a marker over a locked version.
    """

    locks_at_us: int
    owner_id: str = ""
    bypasses_governance: bool = False
    hides_locked: bool = True


def refusal(found: Summary, removal: Removal) -> LockRefusal | None:
    """Why the version must not be destroyed; None when it may be."""
    if not has_lock(found):
        return None
    lock = rows.object_lock(found.lock_mode, found.retain_until_us, found.legal_hold)
    now = rows.to_datetime(removal.locks_at_us)
    return locks.refusal(lock, now, bypass_governance=removal.bypasses_governance)


def refuse(bucket: Bucket, key: bytes, found: Summary, removal: Removal) -> None:
    """Raises: ObjectLocked."""
    reason = refusal(found, removal)
    if reason is not None:
        raise locked(bucket, key, rows.version_id(found.uid, found.is_null), reason)


async def refuse_to_write(tx: Tx, draft: Draft, found: Summary) -> None:
    """What a draft would replace. What time it is costs too much to ask without a lock.

    Raises: ObjectLocked.
    """
    if has_lock(found):
        refuse(draft.bucket, draft.key, found, Removal(await draft.locks_at_us(tx)))


def locked(bucket: Bucket, key: bytes, version_id: str, reason: LockRefusal) -> ObjectLocked:
    return ObjectLocked(bucket.name, key.decode(errors="replace"), version_id, reason)


def has_lock(found: Summary) -> bool:
    """Whether there is any, if only one that is over."""
    return found.lock_mode is not None or bool(found.legal_hold)


def never_locked(table: Table) -> list[ColumnElement[bool]]:
    """The rows for which `has_lock` is False."""
    return [table.c.lock_mode.is_(None), table.c.legal_hold == 0]


def locked_as_seen(table: Table) -> list[ColumnElement[bool]]:
    """The rows whose lock is still what `seen` binds."""
    return [
        func.coalesce(table.c[name], 0) == bindparam(f"seen_{name}", type_=table.c[name].type)
        for name in rows.LOCK
    ]


def seen(lock: Mapping[str, int | None]) -> Mapping[str, Any]:
    """From the columns LOCK."""
    return {f"seen_{name}": lock[name] or 0 for name in rows.LOCK}


def seen_of(found: Summary) -> Mapping[str, Any]:
    return seen(found._asdict())
