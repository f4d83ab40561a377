"""Listings of objects, versions and uploads, in byte order of their keys."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Table, bindparam, literal, select, tuple_, union_all

from vexobj_storage.metadata import rows
from vexobj_storage.metadata.ops import sql
from vexobj_storage.metadata.ops.multipart import OPEN, UPLOAD_COLUMNS, parse_upload_id, upload
from vexobj_storage.metadata.ops.versions import find_version
from vexobj_storage.metadata.ops.walk import Range, Source, Walked, jump_over, span, walk
from vexobj_storage.metadata.statement import Statement
from vexobj_storage.metadata.tx import Row, Tx
from vexobj_storage.types import (
    ListedObject,
    ListedVersion,
    ObjectDetails,
    ObjectPage,
    UploadPage,
    VersionPage,
)

_O, _V, _U = sql.OBJECTS, sql.VERSIONS, sql.UPLOADS


def _first(table: str, condition: str = "") -> str:
    return (
        f"SELECT key FROM {table} WHERE bucket_id = :bucket_id {condition}"  # noqa: S608 - ours
        " AND key >= {low} AND key < :high ORDER BY key LIMIT 1"
    )


def _scan_columns(*names: str) -> Statement:
    return sql.query(
        select(*(_O.c[name] for name in names))
        .where(
            *sql.matches(_O, "bucket_id"),
            _O.c.key >= sql.bytes_bind("low"),
            _O.c.key < sql.bytes_bind("high"),
        )
        .order_by(_O.c.key)
        .limit(bindparam("limit"))
    )


_SCAN_OBJECTS = _scan_columns(*rows.LISTED)
_SCAN_DETAILS = _scan_columns(*rows.DETAILS)
_JUMP_OBJECTS = jump_over(_first("objects"))


def _version_rows(table: Table, descending: ColumnElement[int], marker: Any) -> Any:
    """The columns of one table of versions: key, descending, marker, then LISTED_VERSION."""
    return select(
        table.c.key.label("key"), descending.label("descending"), marker.label("marker"),
        *(table.c[name].label(f"listed_{name}") for name in rows.LISTED_VERSION),
    ).where(
        *sql.matches(table, "bucket_id"),
        table.c.key >= sql.bytes_bind("low"),
        table.c.key < sql.bytes_bind("high"),
        tuple_(table.c.key, descending) > tuple_(sql.bytes_bind("low"), bindparam("skip")),
    )  # fmt: skip


_SCAN_VERSIONS = sql.query(
    union_all(
        _version_rows(_O, sql.LAST - _O.c.sequence, literal(0)),
        _version_rows(_V, _V.c.descending, _V.c.is_delete_marker),
    )
    .order_by("key", "descending")
    .limit(bindparam("limit"))
)
_JUMP_VERSIONS = jump_over(
    f"SELECT key FROM (SELECT * FROM ({_first('objects')}) AS o"  # noqa: S608 - ours
    f" UNION ALL SELECT * FROM ({_first('versions')}) AS v) AS k ORDER BY key LIMIT 1"
)
_SCAN_UPLOADS = sql.query(
    select(*UPLOAD_COLUMNS)
    .where(
        *sql.matches(_U, "bucket_id"),
        _U.c.state == OPEN,
        _U.c.key < sql.bytes_bind("high"),
        tuple_(_U.c.key, _U.c.upload_id) > tuple_(sql.bytes_bind("low"), sql.bytes_bind("skip")),
    )
    .order_by(_U.c.key, _U.c.upload_id)
    .limit(bindparam("limit"))
)
_JUMP_UPLOADS = jump_over(_first("uploads", f"AND state = {OPEN}"))


async def list_objects(
    tx: Tx, bucket_id: int, prefix: bytes, delimiter: bytes, after: bytes, limit: int
) -> ObjectPage[ListedObject]:
    walked = await _walk_objects(
        tx, _SCAN_OBJECTS, bucket_id, span(prefix, delimiter, after), limit
    )
    return ObjectPage(rows.listed(walked.rows), walked.prefixes, _key(walked.last))


async def list_object_details(
    tx: Tx, bucket_id: int, prefix: bytes, delimiter: bytes, after: bytes, limit: int
) -> ObjectPage[ObjectDetails]:
    walked = await _walk_objects(
        tx, _SCAN_DETAILS, bucket_id, span(prefix, delimiter, after), limit
    )
    return ObjectPage(rows.details(walked.rows), walked.prefixes, _key(walked.last))


async def list_versions(
    tx: Tx,
    bucket_id: int,
    prefix: bytes,
    delimiter: bytes,
    key_marker: bytes,
    version_id_marker: str | None,
    limit: int,
) -> VersionPage:
    """As `list_objects`, newest first within a key, and delete markers among them."""
    keys, skip = span(prefix, delimiter, key_marker), None
    if version_id_marker and keys.low == key_marker + b"\0":
        skip = await place(tx, bucket_id, key_marker, version_id_marker)
        if skip is not None:
            keys = type(keys)(prefix, delimiter, key_marker, keys.high)
    source = Source(
        partial(_scan_versions, tx, bucket_id),
        lambda row: (row[0], row[1]),
        -1,
        _JUMP_VERSIONS,
        {"bucket_id": bucket_id},
    )
    walked = await walk(tx, source, keys, limit, skip)
    page = _versions(walked.rows, None if skip is None else key_marker)
    last = walked.last
    version_id = page[-1].version_id if last is not None and not isinstance(last, bytes) else None
    return VersionPage(page, walked.prefixes, _key(last), version_id)


async def list_uploads(
    tx: Tx,
    bucket_id: int,
    prefix: bytes,
    delimiter: bytes,
    key_marker: bytes,
    upload_id_marker: str | None,
    limit: int,
) -> UploadPage:
    """Open uploads, the oldest of a key first."""
    keys, skip = span(prefix, delimiter, key_marker), None
    if upload_id_marker and keys.low == key_marker + b"\0":
        skip = parse_upload_id(upload_id_marker)
        keys = type(keys)(prefix, delimiter, key_marker, keys.high)
    source = Source(
        partial(_scan_uploads, tx, bucket_id),
        lambda row: (row[0], row[1]),
        b"",
        _JUMP_UPLOADS,
        {"bucket_id": bucket_id},
    )
    walked = await walk(tx, source, keys, limit, skip)
    page = [upload(bucket_id, row) for row in walked.rows]
    last = walked.last
    upload_id = page[-1].upload_id if last is not None and not isinstance(last, bytes) else None
    return UploadPage(page, walked.prefixes, _key(last), upload_id)


async def _walk_objects(
    tx: Tx, statement: Statement, bucket_id: int, keys: Range, limit: int
) -> Walked:
    source = Source(
        partial(_scan_objects, tx, statement, bucket_id),
        lambda row: (row[0] + b"\0", None),
        None,
        _JUMP_OBJECTS,
        {"bucket_id": bucket_id},
    )
    return await walk(tx, source, keys, limit)


async def _scan_objects(
    tx: Tx, statement: Statement, bucket_id: int, low: bytes, skip: None, high: bytes, limit: int
) -> Sequence[Row]:
    del skip
    return await tx.all(statement, bucket_id=bucket_id, low=low, high=high, limit=limit)


async def _scan_versions(
    tx: Tx, bucket_id: int, low: bytes, skip: int, high: bytes, limit: int
) -> Sequence[Row]:
    return await tx.all(
        _SCAN_VERSIONS, bucket_id=bucket_id, low=low, skip=skip, high=high, limit=limit
    )


async def _scan_uploads(
    tx: Tx, bucket_id: int, low: bytes, skip: bytes, high: bytes, limit: int
) -> Sequence[Row]:
    return await tx.all(
        _SCAN_UPLOADS, bucket_id=bucket_id, low=low, skip=skip, high=high, limit=limit
    )


_OBJECT_SEQUENCE = sql.query(
    select(_O.c.sequence, _O.c.uid, _O.c.is_null).where(*sql.matches(_O, "bucket_id", "key"))
)

_LONGEST_WAIT_US = 60_000_000


async def place(tx: Tx, bucket_id: int, key: bytes, version_id: str) -> int | None:
    """Where the listing of `key` goes on behind a version; None when the key is done with.

    A version that is gone meanwhile stood where its id's time says, or by as much higher as its
    transaction had to wait: what was written since then is rather told again than left out.
    """
    try:
        uid = rows.parse_version_id(version_id)
    except ValueError:
        return None
    current = await tx.one(_OBJECT_SEQUENCE, bucket_id=bucket_id, key=key)
    if current is not None and (current[2] if uid is None else current[1] == uid):
        return sql.LAST - int(current[0])
    found = await find_version(tx, bucket_id, key, uid)
    if found is None and uid is not None:
        return sql.LAST - int.from_bytes(uid[:6], "big") * 1000 - _LONGEST_WAIT_US
    return None if found is None else found.descending


def _versions(found: Sequence[Row], resumed: bytes | None) -> Sequence[ListedVersion]:
    """The first row of a key is its latest, unless the page began behind it."""
    page: list[ListedVersion] = []
    previous: bytes | None = resumed
    for row in found:
        key = row[0]
        page.append(
            rows.listed_version(
                key, row[3:], is_latest=key != previous, is_delete_marker=bool(row[2])
            )
        )
        previous = key
    return page


def _key(last: Row | bytes | None) -> bytes | None:
    if last is None or isinstance(last, bytes):
        return last
    return bytes(last[0])
