"""Finding whole blobs for those in quarantine, and what still refers to these."""

from collections.abc import Mapping, Sequence

from sqlalchemy import bindparam, or_, select

from vexobj_storage.metadata.ops import sql
from vexobj_storage.metadata.ops.references import LIVE
from vexobj_storage.metadata.ops.rewriting import StoredBlob
from vexobj_storage.metadata.tx import Tx
from vexobj_storage.types import Location

_B, _F, _P = sql.BLOBS, sql.FINDINGS, sql.FINDING_PLACES
_TWIN = _B.alias("twin")
_REFERRER_OF_PART = 20

_HEALABLE = sql.query(
    select(
        _F.c.blob_id,
        _TWIN.c.blob_id.label("twin_id"),
        _TWIN.c.size,
        _TWIN.c.sha256,
        _TWIN.c.location,
    )
    .select_from(
        _F.join(_B, _B.c.blob_id == _F.c.blob_id).join(
            _TWIN,
            (_TWIN.c.sha256 == _B.c.sha256)
            & (_TWIN.c.size == _B.c.size)
            & (_TWIN.c.state == LIVE)
            & or_(_B.c.key_id == 0, _TWIN.c.key_id != 0),
        )
    )
    .where(_F.c.quarantined == 1, _F.c.traced == 1, _F.c.blob_id > bindparam("after"))
    .order_by(_F.c.blob_id, _TWIN.c.blob_id)
    .limit(bindparam("limit"))
)
_VERSIONS = sql.query(
    select(_P.c.bucket_id, _P.c.key, _P.c.uid)
    .select_from(
        _P.join(
            sql.BLOB_REFS,
            (sql.BLOB_REFS.c.blob_id == _P.c.blob_id) & (sql.BLOB_REFS.c.referrer == _P.c.uid),
        )
    )
    .where(*sql.matches(_P, "blob_id"))
    .limit(bindparam("limit"))
)
_REFERRERS = sql.query(
    select(sql.BLOB_REFS.c.referrer).where(*sql.matches(sql.BLOB_REFS, "blob_id"))
)
_SEGMENTS = sql.query(
    select(sql.PARTS.c.segments).where(*sql.matches(sql.PARTS, "upload_id", "part_number"))
)
_IS_REFERRED = sql.exists(sql.BLOB_REFS, "blob_id")


async def healable(
    tx: Tx, after: bytes, limit: int
) -> Sequence[tuple[bytes, Sequence[StoredBlob]]]:
    """Blobs in quarantine behind `after`, each with live ones of its content.

    What was put to be sealed is not healed by what is plain.
    """
    found: dict[bytes, list[StoredBlob]] = {}
    for row in await tx.all(_HEALABLE, after=after, limit=limit):
        twin = StoredBlob(row[1], row[2], row[3], Location(row[4]))
        found.setdefault(row[0], []).append(twin)
    return list(found.items())


async def versions_of(tx: Tx, blob_id: bytes, limit: int) -> Sequence[tuple[int, bytes, bytes]]:
    """Versions (bucket id, key, uid) that refer to it, as far as it was traced."""
    return [
        (row[0], row[1], row[2]) for row in await tx.all(_VERSIONS, blob_id=blob_id, limit=limit)
    ]


async def parts_of(tx: Tx, blob_id: bytes) -> Mapping[bytes, Mapping[int, bytes]]:
    """Parts that refer to it: of each upload, their packed segments by number."""
    parts: dict[bytes, dict[int, bytes]] = {}
    for (name,) in await tx.all(_REFERRERS, blob_id=blob_id):
        if len(name) == _REFERRER_OF_PART:
            upload_id, number = name[:16], int.from_bytes(name[16:], "big")
            row = await tx.one(_SEGMENTS, upload_id=upload_id, part_number=number)
            if row is not None:
                parts.setdefault(upload_id, {})[number] = row[0]
    return parts


async def is_referred(tx: Tx, blob_id: bytes) -> bool:
    return await tx.one(_IS_REFERRED, blob_id=blob_id) is not None
