"""What scrub walks: every blob by its id; and what refers to blobs, to find whose they are."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from sqlalchemy import bindparam, func, select

from vexobj_storage.metadata.layout import Layout
from vexobj_storage.metadata.ops import sql
from vexobj_storage.metadata.ops.multipart import OPEN
from vexobj_storage.metadata.ops.references import CONDEMNED
from vexobj_storage.metadata.ops.rewriting import PARTS, page, walk
from vexobj_storage.metadata.tx import Row, Tx
from vexobj_storage.types import Location

_B = sql.BLOBS
_SUSPECTS = (
    select(
        *(_B.c[name] for name in ("blob_id", "size", "stored_size", "sha256", "location")),
        sql.INLINE_BLOBS.c.data,
        sql.FINDINGS.c.damage,
    )
    .select_from(
        _B.outerjoin(sql.INLINE_BLOBS, sql.INLINE_BLOBS.c.blob_id == _B.c.blob_id).outerjoin(
            sql.FINDINGS, sql.FINDINGS.c.blob_id == _B.c.blob_id
        )
    )
    .where(_B.c.state != CONDEMNED)
)
_PAGE = sql.query(
    _SUSPECTS.where(_B.c.blob_id > bindparam("after"), _B.c.created_us <= bindparam("before_us"))
    .order_by(_B.c.blob_id)
    .limit(bindparam("limit"))
)
_ONE = sql.query(_SUSPECTS.where(*sql.matches(_B, "blob_id")))
_TOTALS = sql.query(
    select(func.count(), func.sum(_B.c.size)).select_from(_B).where(_B.c.state != CONDEMNED)
)
_UPLOAD = sql.query(
    select(sql.UPLOADS.c.bucket_id, sql.UPLOADS.c.key, sql.UPLOADS.c.state).where(
        *sql.matches(sql.UPLOADS, "upload_id")
    )
)
_CONTENT = ("uid", "is_null", "blob_id", "manifest_id")
_OBJECTS = walk(sql.OBJECTS, (0, b""), ("bucket_id", "key"), *_CONTENT)
_VERSIONS = walk(sql.VERSIONS, (0, b"", 0), ("bucket_id", "key", "descending"), *_CONTENT)


@dataclass(frozen=True, slots=True)
class Suspect:
    """A blob to look at, as its row has it. `data` is what the metadata hold of an inline one."""

    blob_id: bytes
    size: int
    stored_size: int
    sha256: bytes
    location: Location
    data: bytes | None
    is_found: bool


@dataclass(frozen=True, slots=True)
class Place:
    """A row of `finding_places`."""

    blob_id: bytes
    bucket_id: int
    key: bytes
    uid: bytes
    is_null: int
    is_upload: int = 0


@dataclass(frozen=True, slots=True)
class Traced:
    """What one page of the walk showed; `after` is None at its end."""

    places: Sequence[Place]
    after: tuple[int | bytes, ...] | None


async def suspects(tx: Tx, after: bytes, before_us: int, limit: int) -> Sequence[Suspect]:
    """The blobs behind `after` that are no newer, those in quarantine too."""
    found = await tx.all(_PAGE, after=after, before_us=before_us, limit=limit)
    return [_suspect(row) for row in found]


async def suspect(tx: Tx, blob_id: bytes) -> Suspect | None:
    """One blob; None if it is condemned or gone."""
    row = await tx.one(_ONE, blob_id=blob_id)
    return None if row is None else _suspect(row)


def _suspect(row: Row) -> Suspect:
    return Suspect(row[0], row[1], row[2], row[3], Location(row[4]), row[5], row[6] is not None)


async def totals(tx: Tx) -> tuple[int, int]:
    """How many blobs there are to look at, and bytes of their contents."""
    row = await tx.one(_TOTALS)
    assert row is not None
    return row[0], int(row[1] or 0)


async def trace_parts(
    tx: Tx, blob_ids: AbstractSet[bytes], after: tuple[int | bytes, ...], limit: int
) -> tuple[Traced, Mapping[bytes, AbstractSet[bytes]]]:
    """Which uploads under way have them in parts; and of every upload, so of a manifest, which."""
    found = await page(tx, PARTS, after or PARTS.origin, limit)
    holding: dict[bytes, set[bytes]] = {}
    for upload_id, _, segments in found:
        held = {segment.blob_id for segment in Layout(segments)} & blob_ids
        if held:
            holding.setdefault(upload_id, set()).update(held)
    places = []
    for upload_id, held in holding.items():
        upload = await tx.one(_UPLOAD, upload_id=upload_id)
        if upload is not None and upload[2] == OPEN:
            places += [Place(b, upload[0], upload[1], upload_id, 0, 1) for b in sorted(held)]
    last = tuple(found[-1][:2]) if len(found) == limit else None
    return Traced(places, last), holding


async def trace_versions(
    tx: Tx,
    blob_ids: AbstractSet[bytes],
    manifests: Mapping[bytes, AbstractSet[bytes]],
    after: tuple[int | bytes, ...],
    limit: int,
    *,
    current: bool,
) -> Traced:
    """Which versions have them, themselves or in one of `manifests`."""
    table = _OBJECTS if current else _VERSIONS
    found = await page(tx, table, after or table.origin, limit)
    places = []
    for row in found:
        uid, is_null, blob_id, manifest_id = row[-4:]
        held = {blob_id} & blob_ids or manifests.get(manifest_id, set())
        places += [Place(each, row[0], row[1], uid, is_null) for each in sorted(held)]
    return Traced(places, tuple(found[-1][: len(table.key)]) if len(found) == limit else None)
