"""Identities and their access keys."""

import json
from collections.abc import Callable, Sequence

from sqlalchemy import bindparam, or_, select, update

from vexobj_storage.errors import AccessKeyAlreadyExists, NoSuchAccessKey, NoSuchIdentity
from vexobj_storage.metadata import rows
from vexobj_storage.metadata.ops import sql
from vexobj_storage.metadata.tx import Row, Tx, repeatable
from vexobj_storage.types import AccessKeyRecord, Identity

_FIRST = "first identity"
_I, _K = sql.IDENTITIES, sql.ACCESS_KEYS
_IDENTITY = [_I.c[name] for name in ("id", "display_name", "email", "created_us")]
_KEY = [
    _K.c[name]
    for name in (
        "access_key_id",
        "identity_id",
        "name",
        "sealed_secret",
        "secret_lookup",
        "permissions",
        "buckets",
        "created_us",
        "expires_us",
        "last_used_us",
    )
]

_CREATE_IDENTITY = sql.insert(_I)
_GET_IDENTITY = sql.query(select(*_IDENTITY).where(*sql.matches(_I, "id")))
_HOLD_IDENTITY = sql.query(select(_I.c.id).where(*sql.matches(_I, "id")).with_for_update(read=True))
_LIST_IDENTITIES = sql.query(select(*_IDENTITY).order_by(_I.c.id))
_OLDEST_IDENTITY = sql.query(select(*_IDENTITY).order_by(_I.c.created_us, _I.c.id).limit(1))
# Whoever makes the first of something holds this row, though there be nothing else to hold yet.
_BE_FIRST = sql.upsert(sql.COUNTERS, lambda counters, _: {"value": counters.c.value}, "value")
_CREATE_KEY = sql.insert(_K)
_ANY_KEY = sql.query(select(_K.c.access_key_id).limit(1))
_GET_KEY = sql.query(select(*_KEY).where(*sql.matches(_K, "access_key_id")))
_FIND_KEY = sql.query(select(*_KEY).where(*sql.matches(_K, "secret_lookup")))
_LIST_KEYS = sql.query(select(*_KEY).order_by(_K.c.access_key_id))
_LIST_IDENTITY_KEYS = sql.query(
    select(*_KEY).where(*sql.matches(_K, "identity_id")).order_by(_K.c.access_key_id)
)
_HOLD_KEYS = sql.query(select(*_KEY).order_by(_K.c.access_key_id).with_for_update())
_DELETE_KEY = sql.remove(_K, "access_key_id")
_TOUCH = sql.query(
    update(_K)
    .where(
        *sql.matches(_K, "access_key_id"),
        or_(_K.c.last_used_us.is_(None), _K.c.last_used_us < bindparam("used_us")),
    )
    .values(last_used_us=bindparam("used_us"))
)


Spare = Callable[[AccessKeyRecord, Sequence[AccessKeyRecord]], bool]
"""Whether a key is to be kept, given all the others."""


async def create_identity(tx: Tx, identity: Identity) -> None:
    """Idempotent for the same id: the first stays."""
    await tx.run(
        _CREATE_IDENTITY,
        id=identity.id,
        display_name=identity.display_name,
        email=identity.email,
        created_us=rows.to_us(identity.created_at),
    )
    tx.bump_epoch()


@repeatable
async def first_identity(tx: Tx, identity: Identity) -> Identity:
    """The oldest there is; where there is none, `identity` becomes it."""
    await tx.one(_BE_FIRST, name=_FIRST, value=1)
    row = await tx.one(_OLDEST_IDENTITY)
    if row is not None:
        return _identity(row)
    await create_identity(tx, identity)
    return identity


async def get_identity(tx: Tx, identity_id: str) -> Identity:
    """Raises: NoSuchIdentity."""
    row = await tx.one(_GET_IDENTITY, id=identity_id)
    if row is None:
        raise NoSuchIdentity(identity_id)
    return _identity(row)


async def list_identities(tx: Tx) -> Sequence[Identity]:
    return [_identity(row) for row in await tx.all(_LIST_IDENTITIES)]


async def create_access_key(tx: Tx, record: AccessKeyRecord) -> None:
    """Raises: NoSuchIdentity; AccessKeyAlreadyExists when the id or the secret is taken."""
    if await tx.one(_HOLD_IDENTITY, id=record.identity_id) is None:
        raise NoSuchIdentity(record.identity_id)
    created = await tx.run(
        _CREATE_KEY,
        access_key_id=record.access_key_id,
        identity_id=record.identity_id,
        name=record.name,
        sealed_secret=record.sealed_secret,
        secret_lookup=record.secret_lookup,
        permissions=record.permissions,
        buckets=None if record.buckets is None else json.dumps(list(record.buckets)),
        created_us=rows.to_us(record.created_at),
        expires_us=None if record.expires_at is None else rows.to_us(record.expires_at),
        last_used_us=None if record.last_used_at is None else rows.to_us(record.last_used_at),
    )
    if not created:
        raise AccessKeyAlreadyExists(record.access_key_id)
    tx.bump_epoch()


async def create_first_access_key(tx: Tx, record: AccessKeyRecord) -> bool:
    """False, and nothing done, when there is a key already. Raises: NoSuchIdentity."""
    await tx.one(_BE_FIRST, name=_FIRST, value=1)
    if await tx.one(_ANY_KEY) is not None:
        return False
    await create_access_key(tx, record)
    return True


async def replace_access_key(tx: Tx, record: AccessKeyRecord) -> None:
    """In the place of the one of that id, if there is one.

    Raises: NoSuchIdentity; AccessKeyAlreadyExists when the secret is taken.
    """
    await tx.run(_DELETE_KEY, access_key_id=record.access_key_id)
    await create_access_key(tx, record)


async def get_access_key(tx: Tx, access_key_id: str) -> AccessKeyRecord:
    """Raises: NoSuchAccessKey."""
    row = await tx.one(_GET_KEY, access_key_id=access_key_id)
    if row is None:
        raise NoSuchAccessKey(access_key_id)
    return _record(row)


async def find_access_key(tx: Tx, secret_lookup: bytes) -> AccessKeyRecord:
    """Raises: NoSuchAccessKey, with an empty id."""
    row = await tx.one(_FIND_KEY, secret_lookup=secret_lookup)
    if row is None:
        raise NoSuchAccessKey("")
    return _record(row)


async def list_access_keys(tx: Tx, identity_id: str | None) -> Sequence[AccessKeyRecord]:
    if identity_id is None:
        found = await tx.all(_LIST_KEYS)
    else:
        found = await tx.all(_LIST_IDENTITY_KEYS, identity_id=identity_id)
    return [_record(row) for row in found]


async def delete_access_key(tx: Tx, access_key_id: str, spare: Spare | None) -> bool:
    """False when `spare` wants the key kept, seeing all others, which are held until the commit.

    Raises: NoSuchAccessKey.
    """
    if spare is not None:
        records = [_record(row) for row in await tx.all(_HOLD_KEYS)]
        doomed = [record for record in records if record.access_key_id == access_key_id]
        others = [record for record in records if record.access_key_id != access_key_id]
        if doomed and spare(doomed[0], others):
            return False
    if not await tx.run(_DELETE_KEY, access_key_id=access_key_id):
        raise NoSuchAccessKey(access_key_id)
    tx.bump_epoch()
    return True


async def touch_access_key(tx: Tx, access_key_id: str, used_us: int) -> None:
    """Not a change that outdates caches."""
    await tx.run(_TOUCH, access_key_id=access_key_id, used_us=used_us)


def _identity(row: Row) -> Identity:
    identity_id, display_name, email, created_us = row
    return Identity(identity_id, display_name, email, rows.to_datetime(created_us))


def _record(row: Row) -> AccessKeyRecord:
    access_key_id, identity_id, name, sealed, lookup, permissions, buckets, *times = row
    created_us, expires_us, last_used_us = times
    return AccessKeyRecord(
        access_key_id,
        identity_id,
        name,
        sealed,
        lookup,
        permissions,
        None if buckets is None else tuple(json.loads(buckets)),
        rows.to_datetime(created_us),
        None if expires_us is None else rows.to_datetime(expires_us),
        None if last_used_us is None else rows.to_datetime(last_used_us),
    )
