"""Multipart uploads: opening, filling, listing and aborting them; completion.py completes them.

An upload's row is the lock: parts are written under its share lock, and completing or aborting
takes it exclusively, the bucket's always first. A part's blobs are referred to by (upload id, part
number).
"""

from collections.abc import Sequence

from sqlalchemy import bindparam, func, select, update

from vexobj_storage.errors import (
    NoSuchUpload,
    NoSuchVersion,
)
from vexobj_storage.ids import new_id
from vexobj_storage.locks import ObjectLock
from vexobj_storage.metadata import rows
from vexobj_storage.metadata.layout import Layout
from vexobj_storage.metadata.ops import references, sql, versions
from vexobj_storage.metadata.ops.ledger import QUEUE, UPLOAD, Ledger
from vexobj_storage.metadata.tx import Row, Tx, repeatable, settled_by
from vexobj_storage.types import (
    Bucket,
    Location,
    ObjectVersion,
    Part,
    PartPage,
    Segment,
    StagedContent,
    Upload,
)

OPEN, COMPLETED, ABORTED = range(3)

_U, _P = sql.UPLOADS, sql.PARTS
_ID = ("bucket_id", "key", "upload_id")
_UPLOAD = (
    "key",
    "upload_id",
    "created_us",
    "owner_id",
    "content_type",
    "headers_metadata",
    "acl",
    "tags",
    "checksum_algorithm",
    "checksum_composite",
)
UPLOAD_COLUMNS = [_U.c[name] for name in _UPLOAD]

_CREATE = sql.insert(_U)
_GET = sql.query(
    select(*UPLOAD_COLUMNS, _U.c.state, _U.c.etag, _U.c.version_uid, _U.c.named_parts).where(
        *sql.matches(_U, *_ID)
    )
)
_HOLD = sql.query(
    select(_U.c.state)
    .select_from(sql.BUCKETS.join(_U, _U.c.bucket_id == sql.BUCKETS.c.id))
    .where(*sql.matches(_U, *_ID))
    .with_for_update(read=True)
)
LOCK = sql.query(
    select(
        *UPLOAD_COLUMNS, _U.c.state, _U.c.etag, _U.c.version_uid, _U.c.named_parts, _U.c.object_lock
    )
    .where(*sql.matches(_U, *_ID))
    .with_for_update()
)
CLOSE = sql.query(
    update(_U)
    .where(*sql.matches(_U, *_ID))
    .values(
        {
            name: bindparam(name)
            for name in ("state", "changed_us", "etag", "version_uid", "named_parts")
        }
    )
)
_TAKE_PART = sql.remove(_P, "upload_id", "part_number", returning=("size", "segments"))
_ADD_PART = sql.insert(_P)
_LIST_PARTS = sql.query(
    select(_P.c.part_number, _P.c.size, _P.c.etag, _P.c.modified_us, _P.c.checksum)
    .where(*sql.matches(_P, "upload_id"), _P.c.part_number > bindparam("after"))
    .order_by(_P.c.part_number)
    .limit(bindparam("limit"))
)
_UPLOADED = sql.query(
    select(func.count(), func.sum(_P.c.size)).where(*sql.matches(_P, "upload_id"))
)


@repeatable
async def create_upload(
    tx: Tx, bucket: Bucket, upload: Upload, lock: ObjectLock, now_us: int
) -> None:
    """Raises: NoSuchBucket."""
    await versions.hold_bucket(tx, bucket)
    await tx.run(
        _CREATE,
        bucket_id=bucket.id,
        key=upload.key,
        upload_id=bytes.fromhex(upload.upload_id),
        state=OPEN,
        created_us=now_us,
        changed_us=now_us,
        **rows.attribute_values(upload.attributes),
        checksum_algorithm=upload.checksum_algorithm,
        checksum_composite=int(upload.checksum_composite),
        etag=None,
        version_uid=None,
        named_parts=None,
        object_lock=rows.pack_lock(lock),
    )


async def get_upload(tx: Tx, bucket_id: int, key: bytes, upload_id: str) -> Upload:
    """An open upload. Raises: NoSuchUpload."""
    row = await tx.one(_GET, bucket_id=bucket_id, key=key, upload_id=parse_upload_id(upload_id))
    if row is None or row[10] != OPEN:
        raise NoSuchUpload(upload_id)
    return upload(bucket_id, row)


async def settle_part(
    tx: Tx, target: Upload, part: Part, staged: StagedContent, *, deduplicate: bool
) -> bytes:
    """`put_part` when it may have committed: by its blob, else once more."""
    if await references.is_adopted(tx, staged):
        return staged.blob_id
    return await put_part(tx, target, part, staged, deduplicate=deduplicate)


@settled_by(settle_part)
async def put_part(
    tx: Tx,
    target: Upload,
    part: Part,
    staged: StagedContent,
    *,
    deduplicate: bool,
) -> bytes:
    """Write or replace a part; the blob that it uses. Raises: NoSuchUpload."""
    await _hold(tx, target)
    blob_id, location = staged.blob_id, _location(staged)
    twin = await references.find_twin(tx, staged) if deduplicate else None
    if twin is not None:
        held = await references.hold_blob(tx, twin)
        if held is not None:
            blob_id, location = twin, held
    now_us = rows.to_us(part.modified_at)
    layout = Layout.pack([Segment(0, blob_id, 0, staged.size, location)])
    await _replace_part(tx, target, part, layout, now_us)
    if blob_id == staged.blob_id:
        await references.adopt(tx, staged, now_us)
    await references.refer_to_blob(tx, blob_id, referrer(target.upload_id, part.number))
    return blob_id


@repeatable
async def copy_part(
    tx: Tx, target: Upload, part: Part, source: ObjectVersion, segments: Sequence[Segment]
) -> None:
    """Write or replace a part by a range of another object.

    Raises: NoSuchUpload, NoSuchVersion, BlobCorrupt.
    """
    await _hold(tx, target)
    blob_ids = sorted({segment.blob_id for segment in segments})
    for blob_id in blob_ids:
        if not await references.hold_whole_blob(tx, blob_id):
            raise NoSuchVersion("", source.key.decode(errors="replace"), source.version_id)
    now_us = rows.to_us(part.modified_at)
    await _replace_part(tx, target, part, Layout.pack(segments), now_us)
    await references.refer_to_blobs(tx, blob_ids, referrer(target.upload_id, part.number))


async def list_parts(tx: Tx, target: Upload, after: int, limit: int) -> PartPage:
    """Of an open upload. Raises: NoSuchUpload."""
    await get_upload(tx, target.bucket_id, target.key, target.upload_id)
    found = await tx.all(
        _LIST_PARTS, upload_id=bytes.fromhex(target.upload_id), after=after, limit=limit + 1
    )
    page = [_part(row) for row in found[:limit]]
    return PartPage(page, page[-1].number if page and len(found) > limit else None)


async def manifest_parts(tx: Tx, manifest_id: bytes, layout: Layout) -> Sequence[Part]:
    """The parts that a completed object consists of."""
    named = set(layout.part_numbers)
    found = await tx.all(_LIST_PARTS, upload_id=manifest_id, after=0, limit=max(named) + len(named))
    return [_part(row) for row in found if row[0] in named]


async def abort_upload(tx: Tx, bucket: Bucket, key: bytes, upload_id: str, now_us: int) -> None:
    """Raises: NoSuchUpload, NoSuchBucket."""
    await versions.hold_bucket(tx, bucket)
    number = parse_upload_id(upload_id)
    row = await tx.one(LOCK, bucket_id=bucket.id, key=key, upload_id=number)
    if row is None or row[10] != OPEN:
        raise NoSuchUpload(upload_id)
    _, size = await tx.one(_UPLOADED, upload_id=number) or (0, 0)
    ledger = Ledger(bucket.id, now_us, new_id(), upload_bytes=-int(size or 0))
    await ledger.settle(tx)
    await tx.run(
        CLOSE,
        bucket_id=bucket.id,
        key=key,
        upload_id=number,
        state=ABORTED,
        changed_us=now_us,
        etag=None,
        version_uid=None,
        named_parts=None,
    )
    await tx.run(QUEUE, due_us=now_us, kind=UPLOAD, id=number)


def parse_upload_id(text: str) -> bytes:
    """Raises: NoSuchUpload for what no upload is called."""
    try:
        number = bytes.fromhex(text)
    except ValueError:
        raise NoSuchUpload(text) from None
    if len(number) != 16 or number.hex() != text:
        raise NoSuchUpload(text)
    return number


def referrer(upload_id: str, number: int) -> bytes:
    return bytes.fromhex(upload_id) + number.to_bytes(4, "big")


def upload(bucket_id: int, row: Row) -> Upload:
    """From UPLOAD_COLUMNS, and any after them."""
    return Upload(
        bucket_id,
        row[0],
        row[1].hex(),
        rows.to_datetime(row[2]),
        rows.attributes(row[3], row[4], row[5], row[6], row[7]),
        row[8],
        bool(row[9]),
    )


async def _hold(tx: Tx, target: Upload) -> None:
    """Keep the upload open and its bucket as it is until the commit. Raises: NoSuchUpload."""
    row = await tx.one(
        _HOLD,
        bucket_id=target.bucket_id,
        key=target.key,
        upload_id=parse_upload_id(target.upload_id),
    )
    if row is None or row[0] != OPEN:
        raise NoSuchUpload(target.upload_id)


async def _replace_part(tx: Tx, target: Upload, part: Part, layout: Layout, now_us: int) -> None:
    upload_id = bytes.fromhex(target.upload_id)
    ledger = Ledger(target.bucket_id, now_us, new_id(), upload_bytes=part.size)
    while True:
        old = await tx.one(_TAKE_PART, upload_id=upload_id, part_number=part.number)
        if old is not None:
            ledger.upload_bytes -= old[0]
            for blob_id in {segment.blob_id for segment in Layout(old[1])}:
                ledger.drop_blob(blob_id, referrer(target.upload_id, part.number))
        if await tx.run(
            _ADD_PART,
            upload_id=upload_id,
            part_number=part.number,
            size=part.size,
            etag=part.etag,
            checksum=rows.pack_checksum(part.checksum),
            modified_us=now_us,
            segments=layout.packed,
        ):
            break
    await ledger.settle(tx)


def _location(staged: StagedContent) -> Location:
    return Location.STORE if staged.inline is None else Location.INLINE


def _part(row: Row) -> Part:
    return Part(row[0], row[1], row[2], rows.to_datetime(row[3]), rows.unpack_checksum(row[4]))
