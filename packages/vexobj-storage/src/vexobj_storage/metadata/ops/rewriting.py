"""Exchanging blobs for others of the same content, wherever versions and parts refer to them.

What refers to blobs is walked page by page, in the order of its own key. An exchange is a
compare-and-set on the blob (or on the part's segments): where a client was faster, nothing is done.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Table, bindparam, exists, func, select, tuple_, update

from vexobj_storage.ids import new_id
from vexobj_storage.metadata.layout import Layout
from vexobj_storage.metadata.ops import references, sql
from vexobj_storage.metadata.ops.ledger import Ledger
from vexobj_storage.metadata.ops.multipart import referrer
from vexobj_storage.metadata.ops.versions import lock_head
from vexobj_storage.metadata.statement import Statement
from vexobj_storage.metadata.tx import Row, Tx
from vexobj_storage.types import Location, Segment, StagedContent, Versioning

_O, _V, _P, _B, _M = sql.OBJECTS, sql.VERSIONS, sql.PARTS, sql.BLOBS, sql.MANIFESTS


def _after(table: Table, key: tuple[str, ...], *columns: str) -> Statement:
    """A page of rows in the order of `key`, behind the one whose key is bound to `after_*`."""
    place = tuple_(*(table.c[name] for name in key))
    after = tuple_(*(bindparam(f"after_{name}", type_=table.c[name].type) for name in key))
    chosen = [table.c[name] for name in (*key, *columns)]
    order: list[ColumnElement[object]] = [table.c[name] for name in key]
    return sql.query(
        select(*chosen).where(place > after).order_by(*order).limit(bindparam("limit"))
    )


@dataclass(frozen=True, slots=True)
class Walk:
    """A table whose rows refer to blobs: `key` orders it, `origin` is before its first row."""

    key: tuple[str, ...]
    origin: tuple[int | bytes, ...]
    statement: Statement


def walk(table: Table, origin: tuple[int | bytes, ...], key: tuple[str, ...], *more: str) -> Walk:
    """Pages have the columns of `key`, then `more`."""
    return Walk(key, origin, _after(table, key, *more))


OBJECTS = walk(_O, (0, b""), ("bucket_id", "key"), "uid", "blob_id")
VERSIONS = walk(_V, (0, b"", 0), ("bucket_id", "key", "descending"), "uid", "blob_id")
PARTS = walk(_P, (b"", 0), ("upload_id", "part_number"), "segments")
WALKS = (OBJECTS, VERSIONS, PARTS)

_BLOB = sql.query(
    select(_B.c.size, _B.c.sha256, _B.c.location).where(
        *sql.matches(_B, "blob_id"), _B.c.state == 0
    )
)
_STATE = sql.query(select(_B.c.state).where(*sql.matches(_B, "blob_id")))
_TWIN = sql.query(
    select(_B.c.blob_id)
    .where(*sql.matches(_B, "sha256", "size", "key_id"), _B.c.state == 0)
    .limit(1)
)
_REMAINING = sql.query(
    select(func.count(), func.sum(_B.c.size)).where(
        _B.c.key_id != bindparam("key_id"),
        exists().where(sql.BLOB_REFS.c.blob_id == _B.c.blob_id),
    )
)
_BUCKET = sql.query(
    select(sql.BUCKETS.c.versioning)
    .where(sql.BUCKETS.c.id == bindparam("bucket_id"))
    .with_for_update(read=True)
)


_OF_VERSION = ("bucket_id", "key", "uid")


def _exchange(table: Table) -> Statement:
    return sql.query(
        update(table)
        .where(*sql.matches(table, *_OF_VERSION), table.c.blob_id == bindparam("old_blob"))
        .values(blob_id=bindparam("new_blob"))
    )


_EXCHANGE_OBJECT = _exchange(_O)
_EXCHANGE_VERSION = _exchange(_V)
_LOCK_UPLOAD = sql.query(
    select(sql.UPLOADS.c.state).where(*sql.matches(sql.UPLOADS, "upload_id")).with_for_update()
)
_LOCK_MANIFEST = sql.query(
    select(_M.c.layout).where(*sql.matches(_M, "manifest_id")).with_for_update()
)
_EXCHANGE_PART = sql.query(
    update(_P)
    .where(*sql.matches(_P, "upload_id", "part_number"), _P.c.segments == bindparam("old_segments"))
    .values(segments=bindparam("new_segments"))
)
_EXCHANGE_LAYOUT = sql.query(
    update(_M).where(*sql.matches(_M, "manifest_id")).values(layout=bindparam("new_layout"))
)


@dataclass(frozen=True, slots=True)
class StoredBlob:
    """A live blob: `size` and `sha256` are its content's."""

    blob_id: bytes
    size: int
    sha256: bytes
    location: Location


Replacement = StagedContent | StoredBlob
"""Content that is to become a blob, or a blob that is one already."""


async def page(tx: Tx, walk: Walk, after: tuple[int | bytes, ...], limit: int) -> Sequence[Row]:
    """Rows behind `after`: the columns of the walk's key, then what it says of content."""
    places = {f"after_{name}": at for name, at in zip(walk.key, after, strict=True)}
    return await tx.all(walk.statement, **places, limit=limit)


async def is_quarantined(tx: Tx, blob_id: bytes) -> bool:
    row = await tx.one(_STATE, blob_id=blob_id)
    return row is not None and row[0] == references.QUARANTINED


async def find_blob(tx: Tx, blob_id: bytes) -> StoredBlob | None:
    """A live blob by its id."""
    row = await tx.one(_BLOB, blob_id=blob_id)
    return None if row is None else StoredBlob(blob_id, row[0], row[1], Location(row[2]))


async def find_twin(tx: Tx, blob: StoredBlob, key_id: int) -> StoredBlob | None:
    """A live blob of the same content, sealed under the key."""
    row = await tx.one(_TWIN, sha256=blob.sha256, size=blob.size, key_id=key_id)
    return None if row is None else await find_blob(tx, row[0])


async def remaining(tx: Tx, key_id: int) -> tuple[int, int]:
    """Blobs in use that are not sealed under the key (0: that are sealed at all); their bytes."""
    row = await tx.one(_REMAINING, key_id=key_id)
    assert row is not None
    return row[0], int(row[1] or 0)


async def exchange_in_version(
    tx: Tx, name: tuple[int, bytes, bytes], old: bytes, new: Replacement, now_us: int
) -> bool:
    """Let the version `name` (bucket id, key, uid) have its content from `new`.

    False, and nothing has changed, if it has not the blob `old`, or `new` is gone.
    """
    bucket_id, key, uid = name
    bucket = await tx.one(_BUCKET, bucket_id=bucket_id)
    if bucket is None or not await _hold(tx, new):
        return False
    if bucket[0] != Versioning.OFF:
        await lock_head(tx, bucket_id, key)
    values = {
        "bucket_id": bucket_id,
        "key": key,
        "uid": uid,
        "old_blob": old,
        "new_blob": new.blob_id,
    }
    if not (await tx.run(_EXCHANGE_OBJECT, **values) or await tx.run(_EXCHANGE_VERSION, **values)):
        return False
    await _adopt(tx, new, now_us)
    await references.refer_to_blob(tx, new.blob_id, uid)
    ledger = Ledger(bucket_id, now_us, new_id())
    ledger.drop_blob(old, uid)
    await ledger.settle(tx)
    return True


async def exchange_in_parts(
    tx: Tx,
    upload_id: bytes,
    parts: Mapping[int, bytes],
    changes: Mapping[bytes, Replacement],
    now_us: int,
) -> bool:
    """In parts of one upload, by number and packed segments, put `changes` for blobs.

    Their manifest, if they have one by now, is changed with them. False, and nothing has changed,
    if a part is not as it is said to be any more, or a replacement is gone.
    """
    await tx.one(_LOCK_UPLOAD, upload_id=upload_id)
    manifest = await tx.one(_LOCK_MANIFEST, manifest_id=upload_id)
    for new in changes.values():
        if not await _hold(tx, new):
            return False
    changed = {number: _changed(Layout(packed), changes) for number, packed in parts.items()}
    for number, packed in parts.items():
        values = {"upload_id": upload_id, "part_number": number, "old_segments": packed}
        if not await tx.run(_EXCHANGE_PART, **values, new_segments=changed[number].packed):
            raise PartChanged
    if manifest is not None:
        both = {number: (Layout(packed), changed[number]) for number, packed in parts.items()}
        layout = Layout(manifest[0]).replaced(both)
        await tx.run(_EXCHANGE_LAYOUT, manifest_id=upload_id, new_layout=layout.packed)
    ledger = Ledger(0, now_us, b"")  # of no bucket: usage stays as it is
    for new in changes.values():
        await _adopt(tx, new, now_us)
    for number, packed in parts.items():
        name = referrer(upload_id.hex(), number)
        olds = {segment.blob_id for segment in Layout(packed)} & changes.keys()
        await references.refer_to_blobs(tx, sorted(changes[old].blob_id for old in olds), name)
        for old in olds:
            ledger.drop_blob(old, name)
    await ledger.settle(tx)
    return True


class PartChanged(Exception):
    """A part was sent again or dropped meanwhile: roll back."""


def _changed(layout: Layout, changes: Mapping[bytes, Replacement]) -> Layout:
    return Layout.pack(
        [
            Segment(s.start, changes[s.blob_id].blob_id, s.offset, s.length, _where(s, changes))
            if s.blob_id in changes
            else s
            for s in layout
        ]
    )


def _where(segment: Segment, changes: Mapping[bytes, Replacement]) -> Location:
    new = changes[segment.blob_id]
    if isinstance(new, StoredBlob):
        return new.location
    return Location.STORE if new.inline is None else Location.INLINE


async def _hold(tx: Tx, new: Replacement) -> bool:
    if isinstance(new, StagedContent):
        return True
    return await references.hold_blob(tx, new.blob_id) is not None


async def _adopt(tx: Tx, new: Replacement, now_us: int) -> None:
    if isinstance(new, StagedContent):
        await references.adopt(tx, new, now_us)
