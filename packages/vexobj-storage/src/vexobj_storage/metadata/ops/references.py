"""Taking references to content: the counterpart of the ledger's dropping and of GC's condemning.

A reference is taken under a share lock of a live blob's row (or of a manifest's row), and GC
condemns under that row's exclusive lock after looking for references. So a condemned blob never
gains one.
"""

from collections.abc import Iterable

from sqlalchemy import select

from vexobj_storage.errors import BlobCorrupt, StoreBusy
from vexobj_storage.metadata.ops import sql
from vexobj_storage.metadata.tx import Tx
from vexobj_storage.types import Location, StagedContent

LIVE, CONDEMNED, QUARANTINED = range(3)
"""The states of a blob; only live ones gain references."""

_HOLD_BLOB = sql.query(
    select(sql.BLOBS.c.location)
    .where(*sql.matches(sql.BLOBS, "blob_id"), sql.BLOBS.c.state == LIVE)
    .with_for_update(read=True)
)
_STATE = sql.query(select(sql.BLOBS.c.state).where(*sql.matches(sql.BLOBS, "blob_id")))
_HAS_BLOB = sql.exists(sql.BLOBS, "blob_id", "sha256")
_HOLD_MANIFEST = sql.query(
    select(sql.MANIFESTS.c.size)
    .where(*sql.matches(sql.MANIFESTS, "manifest_id"))
    .with_for_update(read=True)
)
_ADD_BLOB = sql.insert(sql.BLOBS)
_ADD_INLINE = sql.insert(sql.INLINE_BLOBS)
_ADD_BLOB_REF = sql.insert(sql.BLOB_REFS)
_ADD_MANIFEST_REF = sql.insert(sql.MANIFEST_REFS)

_TWIN = (
    select(sql.BLOBS.c.blob_id)
    .where(
        *sql.matches(sql.BLOBS, "sha256", "size", "key_id"),
        sql.BLOBS.c.state == LIVE,
    )
    .limit(1)
)
TWIN = _TWIN.scalar_subquery()
"""A live blob of the same content, sealed alike, or NULL; with `sha256` bound to NULL none."""

_FIND_TWIN = sql.query(_TWIN)


async def find_twin(tx: Tx, staged: StagedContent) -> bytes | None:
    row = await tx.one(_FIND_TWIN, sha256=staged.sha256, size=staged.size, key_id=staged.key_id)
    return None if row is None else row[0]


async def hold_blob(tx: Tx, blob_id: bytes) -> Location | None:
    """Keep a live blob from being condemned until the commit; None when it is too late."""
    row = await tx.one(_HOLD_BLOB, blob_id=blob_id)
    return None if row is None else Location(row[0])


async def hold_whole_blob(tx: Tx, blob_id: bytes) -> bool:
    """As `hold_blob`, of a source whose bytes are to be shared. Raises: BlobCorrupt."""
    if await hold_blob(tx, blob_id) is not None:
        return True
    row = await tx.one(_STATE, blob_id=blob_id)
    if row is not None and row[0] == QUARANTINED:
        raise BlobCorrupt(blob_id.hex(), "it is in quarantine")
    return False


async def hold_manifest(tx: Tx, manifest_id: bytes) -> bool:
    return await tx.one(_HOLD_MANIFEST, manifest_id=manifest_id) is not None


async def adopt(tx: Tx, staged: StagedContent, now_us: int) -> None:
    """Make staged content a live blob.

    Raises: StoreBusy when its bytes lay unused for so long that they were condemned as an orphan.
    """
    location = Location.STORE if staged.inline is None else Location.INLINE
    added = await tx.run(
        _ADD_BLOB,
        blob_id=staged.blob_id,
        size=staged.size,
        stored_size=staged.stored_size,
        sha256=staged.sha256,
        location=int(location),
        key_id=staged.key_id,
        state=LIVE,
        created_us=now_us,
        condemned_us=None,
    )
    if not added:
        raise StoreBusy
    if staged.inline is not None:
        await tx.run(_ADD_INLINE, blob_id=staged.blob_id, data=staged.inline)


async def is_adopted(tx: Tx, staged: StagedContent) -> bool:
    """Whether the content was made a blob, even if nothing refers to it any more."""
    found = await tx.one(_HAS_BLOB, blob_id=staged.blob_id, sha256=staged.sha256)
    return found is not None


async def refer_to_blob(tx: Tx, blob_id: bytes, referrer: bytes) -> None:
    await tx.run(_ADD_BLOB_REF, blob_id=blob_id, referrer=referrer)


async def refer_to_blobs(tx: Tx, blob_ids: Iterable[bytes], referrer: bytes) -> None:
    await tx.many(_ADD_BLOB_REF, [{"blob_id": b, "referrer": referrer} for b in blob_ids])


async def refer_to_manifest(tx: Tx, manifest_id: bytes, referrer: bytes) -> None:
    await tx.run(_ADD_MANIFEST_REF, manifest_id=manifest_id, referrer=referrer)
