"""Between rows and value objects; nothing here does I/O. Hot: see the figures in docs/design."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Any
from uuid import UUID

from vexobj_storage.ids import new_id
from vexobj_storage.metadata.tx import Row
from vexobj_storage.types import (
    Bucket,
    Checksum,
    ListedObject,
    ListedVersion,
    ObjectAttributes,
    ObjectDetails,
    ObjectVersion,
    Versioning,
    value,
)

NULL_VERSION = "null"

VERSION = (
    "key", "sequence", "uid", "is_null", "size", "etag", "sha256", "created_us", "modified_us",
    "owner_id", "content_type", "headers_metadata", "acl", "tags", "blob_id", "manifest_id",
    "parts_count",
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

BUCKET = ("id", "name", "owner_id", "created_us", "public", "versioning", "acl", "settings")

_NOTHING: Mapping[str, Any] = MappingProxyType({})


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
    """A version whose place in its key's history is not yet known; `values` are its columns."""

    bucket: Bucket
    key: bytes
    uid: bytes
    now_us: int
    attributes: ObjectAttributes
    values: Mapping[str, Any]


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
        "lock_mode": None,
        "retain_until_us": None,
        "legal_hold": 0,
        **attribute_values(attributes),
    }
    return Draft(bucket, key, uid, now_us, attributes, values)


@value
class Placed:
    """Where a transaction put a draft."""

    sequence: int
    is_null: int
    created_us: int
    blob_id: bytes | None
    manifest_id: bytes | None


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
    number, name, owner_id, created_us, public, versioning, acl, settings = row
    return Bucket(
        number,
        name,
        owner_id,
        to_datetime(created_us),
        bool(public),
        Versioning(versioning),
        acl,
        json.loads(settings),
    )


def bucket_settings(settings: Mapping[str, Any]) -> str:
    return _dumps(dict(settings))


def _checksum_list(checksum: Checksum) -> list[Any]:
    return [checksum.algorithm, checksum.value, checksum.composite]


def _dumps(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
