"""Between rows and value objects; nothing here does I/O. Hot: see the figures in docs/design."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Any
from uuid import UUID

from vexobj_storage.ids import new_id
from vexobj_storage.locks import (
    UNLOCKED,
    DefaultRetention,
    ObjectLock,
    ObjectLockConfiguration,
    Retention,
    RetentionMode,
)
from vexobj_storage.metadata.tx import Row, Tx
from vexobj_storage.types import (
    Bucket,
    Checksum,
    ListedObject,
    ListedVersion,
    ObjectAttributes,
    ObjectDetails,
    ObjectVersion,
    Quota,
    Versioning,
    value,
)

NULL_VERSION = "null"

VERSION = (
    "key", "sequence", "uid", "is_null", "size", "etag", "sha256", "created_us", "modified_us",
    "owner_id", "content_type", "headers_metadata", "acl", "tags", "blob_id", "manifest_id",
    "parts_count", "lock_mode", "retain_until_us", "legal_hold",
)  # fmt: skip
"""The columns that `version` wants, in its order."""

LISTED = ("key", "size", "etag", "modified_us", "owner_id")
"""The columns that `listed` wants, in its order."""

LISTED_VERSION = ("uid", "is_null", "size", "etag", "modified_us", "owner_id")
"""The columns that `listed_version` wants, in its order."""

DETAILS = (
    "key", "uid", "size", "etag", "sha256", "created_us", "modified_us", "content_type",
)  # fmt: skip
"""The columns that `details` wants, in its order."""

LOCK = ("lock_mode", "retain_until_us", "legal_hold")

BUCKET = (
    "id", "name", "owner_id", "created_us", "public", "versioning", "acl", "settings",
    "object_lock", "quota_bytes", "quota_objects", "quota_own",
)  # fmt: skip
"""The columns that `bucket` wants, in its order."""

_NOTHING: Mapping[str, Any] = MappingProxyType({})
_HOLDS = (None, True, False)
_NO_LOCK: Mapping[str, Any] = {"lock_mode": None, "retain_until_us": None, "legal_hold": 0}


def to_us(moment: datetime) -> int:
    return round(moment.timestamp() * 1_000_000)


def to_datetime(microseconds: int) -> datetime:
    return datetime.fromtimestamp(microseconds / 1_000_000, UTC)


def version_id(uid: bytes, is_null: int) -> str:
    if is_null:
        return NULL_VERSION
    text = uid.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def parse_version_id(text: str) -> bytes | None:
    """The uid, or None for the "null" version. Raises: ValueError for what no version has."""
    return None if text == NULL_VERSION else UUID(text).bytes


@value
class Draft:
    """A version whose place in its key's history is not yet known; `values` are its columns.

    `locks_at_us` tells the believed time by which the lock of what it replaces has ended or not.
    """

    bucket: Bucket
    key: bytes
    uid: bytes
    now_us: int
    attributes: ObjectAttributes
    values: Mapping[str, Any]
    lock: ObjectLock
    locks_at_us: Callable[[Tx], Awaitable[int]]


def draft(
    bucket: Bucket,
    key: bytes,
    attributes: ObjectAttributes,
    *,
    now_us: int,
    size: int,
    etag: str,
    sha256: bytes | None,
    parts_count: int | None = None,
    lock: ObjectLock = UNLOCKED,
    locks_at_us: Callable[[Tx], Awaitable[int]],
) -> Draft:
    uid = new_id()
    values = {
        "bucket_id": bucket.id,
        "key": key,
        "uid": uid,
        "size": size,
        "etag": etag,
        "sha256": sha256,
        "modified_us": now_us,
        "parts_count": parts_count,
        **(_NO_LOCK if lock is UNLOCKED else lock_values(lock)),
        **attribute_values(attributes),
    }
    return Draft(bucket, key, uid, now_us, attributes, values, lock, locks_at_us)


@value
class Placed:
    """Where a transaction put a draft."""

    sequence: int
    is_null: int
    created_us: int
    blob_id: bytes | None
    manifest_id: bytes | None
    lock: ObjectLock


def placed_version(draft: Draft, placed: Placed) -> ObjectVersion:
    values = draft.values
    return ObjectVersion(
        bucket_id=draft.bucket.id,
        key=draft.key,
        uid=draft.uid,
        version_id=version_id(draft.uid, placed.is_null),
        sequence=placed.sequence,
        is_latest=True,
        is_delete_marker=False,
        size=values["size"],
        etag=values["etag"],
        sha256=values["sha256"],
        created_at=to_datetime(placed.created_us),
        modified_at=to_datetime(draft.now_us),
        attributes=draft.attributes,
        blob_id=placed.blob_id,
        manifest_id=placed.manifest_id,
        parts_count=values["parts_count"],
        lock=placed.lock,
    )


def version(
    bucket_id: int, row: Row, *, is_latest: bool = True, is_delete_marker: bool = False
) -> ObjectVersion:
    """From the columns VERSION, and any after them."""
    modified_at = to_datetime(row[8])
    return ObjectVersion(
        bucket_id,
        row[0],
        row[2],
        version_id(row[2], row[3]),
        row[1],
        is_latest,
        is_delete_marker,
        row[4],
        row[5],
        row[6],
        modified_at if row[7] == row[8] else to_datetime(row[7]),
        modified_at,
        attributes(row[9], row[10], row[11], row[12], row[13]),
        row[14],
        row[15],
        row[16],
        UNLOCKED if row[17] is None and not row[19] else object_lock(row[17], row[18], row[19]),
    )


def listed(found: Sequence[Row]) -> list[ListedObject]:
    """From rows of the columns LISTED."""
    moment = datetime.fromtimestamp
    return [
        ListedObject(key, size, etag, moment(modified_us / 1_000_000, UTC), owner_id)
        for key, size, etag, modified_us, owner_id in found
    ]


def listed_version(
    key: bytes, row: Row, *, is_latest: bool, is_delete_marker: bool
) -> ListedVersion:
    """From a row of the columns LISTED_VERSION."""
    uid, is_null, size, etag, modified_us, owner_id = row
    return ListedVersion(
        key,
        version_id(uid, is_null),
        size,
        etag,
        to_datetime(modified_us),
        owner_id,
        is_latest,
        is_delete_marker,
    )


def details(found: Sequence[Row]) -> list[ObjectDetails]:
    """From rows of the columns DETAILS."""
    return [
        ObjectDetails(
            key, uid, size, etag, sha256, to_datetime(created_us), to_datetime(modified_us), kind
        )
        for key, uid, size, etag, sha256, created_us, modified_us, kind in found
    ]


def attribute_values(given: ObjectAttributes) -> dict[str, Any]:
    packed: dict[str, Any] = {}
    if given.headers:
        packed["h"] = dict(given.headers)
    if given.metadata:
        packed["m"] = dict(given.metadata)
    if given.checksum is not None:
        packed["c"] = _checksum_list(given.checksum)
    return {
        "owner_id": given.owner_id,
        "content_type": given.content_type,
        "headers_metadata": _dumps(packed) if packed else None,
        "acl": given.acl,
        "tags": _dumps(dict(given.tags)) if given.tags else None,
    }


@lru_cache(maxsize=1024)
def attributes(
    owner_id: str, content_type: str, packed: str | None, acl: str | None, tags: str | None
) -> ObjectAttributes:
    """Those asked for last are remembered: objects alike share one value, read twice none."""
    more = _NOTHING if packed is None else json.loads(packed)
    checksum = more.get("c")
    return ObjectAttributes(
        content_type,
        more.get("h", _NOTHING),
        more.get("m", _NOTHING),
        owner_id,
        acl,
        _NOTHING if tags is None else json.loads(tags),
        None if checksum is None else Checksum(*checksum),
    )


def with_checksum(given: ObjectAttributes, checksum: Checksum | None) -> ObjectAttributes:
    return given if checksum is None else replace(given, checksum=checksum)


def pack_checksum(checksum: Checksum | None) -> str | None:
    return None if checksum is None else _dumps(_checksum_list(checksum))


def unpack_checksum(text: str | None) -> Checksum | None:
    return None if text is None else Checksum(*json.loads(text))


def pack_tags(tags: Mapping[str, str]) -> str:
    return _dumps(dict(tags))


def bucket(row: Row) -> Bucket:
    """From the columns BUCKET."""
    number, name, owner_id, created_us, public, versioning, acl, settings, lock = row[:9]
    return Bucket(
        number,
        name,
        owner_id,
        to_datetime(created_us),
        bool(public),
        Versioning(versioning),
        acl,
        json.loads(settings),
        lock_configuration(lock),
        quota(row[9], row[10]),
        bool(row[11]),
    )


def quota(max_bytes: int | None, max_objects: int | None) -> Quota | None:
    return None if max_bytes is max_objects is None else Quota(max_bytes, max_objects)


def bucket_settings(settings: Mapping[str, Any]) -> str:
    return _dumps(dict(settings))


def lock_values(lock: ObjectLock) -> dict[str, Any]:
    """The columns of LOCK."""
    retention = lock.retention
    return {
        "lock_mode": None if retention is None else int(retention.mode),
        "retain_until_us": None if retention is None else to_us(retention.until),
        "legal_hold": _HOLDS.index(lock.legal_hold),
    }


def object_lock(mode: int | None, retain_until_us: int | None, legal_hold: int) -> ObjectLock:
    """From the columns LOCK."""
    retention = None
    if mode is not None and retain_until_us is not None:
        retention = Retention(RetentionMode(mode), to_datetime(retain_until_us))
    return ObjectLock(retention, _HOLDS[legal_hold])


def pack_lock(lock: ObjectLock) -> str | None:
    return None if lock == UNLOCKED else _dumps(list(lock_values(lock).values()))


def unpack_lock(text: str | None) -> ObjectLock:
    return UNLOCKED if text is None else object_lock(*json.loads(text))


def pack_lock_configuration(given: ObjectLockConfiguration | None) -> str | None:
    if given is None:
        return None
    default = given.default_retention
    if default is None:
        return "{}"
    return _dumps({"default": [default.mode, default.days, default.years]})


@lru_cache(maxsize=1024)
def lock_configuration(text: str | None) -> ObjectLockConfiguration | None:
    if text is None:
        return None
    default = json.loads(text).get("default")
    if default is None:
        return ObjectLockConfiguration()
    mode, days, years = default
    return ObjectLockConfiguration(DefaultRetention(RetentionMode(mode), days, years))


def _checksum_list(checksum: Checksum) -> list[Any]:
    return [checksum.algorithm, checksum.value, checksum.composite]


def _dumps(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
