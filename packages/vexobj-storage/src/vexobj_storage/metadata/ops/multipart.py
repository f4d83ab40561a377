"""Multipart uploads: opening, filling, completing and aborting them.

An upload's row is the lock: parts are written under its share lock, and completing or aborting
takes it exclusively. A part's blobs are referred to by (upload id, part number).
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, func, select, update

from vexobj_storage.errors import (
    EntityTooLarge,
    EntityTooSmall,
    InvalidPart,
    InvalidPartOrder,
    NoSuchUpload,
    NoSuchVersion,
)
from vexobj_storage.metadata import rows
from vexobj_storage.metadata.layout import Layout
from vexobj_storage.metadata.ops import objects, references, sql, versions
from vexobj_storage.metadata.ops.ledger import QUEUE, UPLOAD, Ledger
from vexobj_storage.metadata.rows import Draft
from vexobj_storage.metadata.tx import Row, Tx, repeatable
from vexobj_storage.types import (
    Bucket,
    Checksum,
    CompletedPart,
    Location,
    ObjectVersion,
    Part,
    PartPage,
    Segment,
    StagedContent,
    Upload,
    Versioning,
    WriteCondition,
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
_CLOSING = ("state", "changed_us", "etag", "version_uid", "named_parts")
UPLOAD_COLUMNS = [_U.c[name] for name in _UPLOAD]

_CREATE = sql.insert(_U)
_GET = sql.query(
    select(*UPLOAD_COLUMNS, _U.c.state, _U.c.etag, _U.c.version_uid, _U.c.named_parts).where(
        *sql.matches(_U, *_ID)
    )
)
_HOLD = sql.query(select(_U.c.state).where(*sql.matches(_U, *_ID)).with_for_update(read=True))
_LOCK = sql.query(
    select(*UPLOAD_COLUMNS, _U.c.state, _U.c.etag, _U.c.version_uid, _U.c.named_parts)
    .where(*sql.matches(_U, *_ID))
    .with_for_update()
)
_CLOSE = sql.query(
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
_PARTS = sql.query(
    select(_P.c.part_number, _P.c.size, _P.c.etag, _P.c.checksum, _P.c.segments)
    .where(*sql.matches(_P, "upload_id"))
    .order_by(_P.c.part_number)
)
_LIST_PARTS = sql.query(
    select(_P.c.part_number, _P.c.size, _P.c.etag, _P.c.modified_us, _P.c.checksum)
    .where(*sql.matches(_P, "upload_id"), _P.c.part_number > bindparam("after"))
    .order_by(_P.c.part_number)
    .limit(bindparam("limit"))
)
_UPLOADED = sql.query(
    select(func.count(), func.sum(_P.c.size)).where(*sql.matches(_P, "upload_id"))
)
_ADD_MANIFEST = sql.insert(sql.MANIFESTS)


@dataclass(frozen=True, slots=True)
class Completion:
    """What a client says an upload consists of."""

    parts: Sequence[CompletedPart]
    condition: WriteCondition
    checksum: Checksum | None
    minimum_part_bytes: int
    maximum_bytes: int

    def digest(self) -> bytes:
        """Equal for equal lists of parts."""
        listed = ",".join(f"{part.number}:{part.etag}" for part in self.parts)
        return hashlib.sha256(listed.encode()).digest()


async def create_upload(tx: Tx, bucket: Bucket, upload: Upload, now_us: int) -> None:
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
    )


async def get_upload(tx: Tx, bucket_id: int, key: bytes, upload_id: str) -> Upload:
    """An open upload. Raises: NoSuchUpload."""
    row = await tx.one(_GET, bucket_id=bucket_id, key=key, upload_id=parse_upload_id(upload_id))
    if row is None or row[10] != OPEN:
        raise NoSuchUpload(upload_id)
    return upload(bucket_id, row)


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


async def copy_part(
    tx: Tx, target: Upload, part: Part, source: ObjectVersion, segments: Sequence[Segment]
) -> None:
    """Write or replace a part by a range of another object. Raises: NoSuchUpload, NoSuchVersion."""
    await _hold(tx, target)
    blob_ids = sorted({segment.blob_id for segment in segments})
    for blob_id in blob_ids:
        if await references.hold_blob(tx, blob_id) is None:
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


@repeatable
async def complete_upload(
    tx: Tx, bucket: Bucket, key: bytes, upload_id: str, completion: Completion, now_us: int
) -> ObjectVersion:
    """Make the named parts an object; a completion repeated answers as the first did.

    Raises: NoSuchUpload, InvalidPart, InvalidPartOrder, EntityTooSmall, EntityTooLarge,
        PreconditionFailed, NoSuchKey, NoSuchBucket.
    """
    found = await versions.target(tx, bucket, key)
    manifest_id = parse_upload_id(upload_id)
    row = await tx.one(_LOCK, bucket_id=bucket.id, key=key, upload_id=manifest_id)
    if row is None or row[10] == ABORTED:
        raise NoSuchUpload(upload_id)
    if row[10] == COMPLETED:
        if row[13] != completion.digest():
            raise NoSuchUpload(upload_id)
        return await _completed(tx, bucket, row, found.versioning)
    uploaded = {part[0]: part for part in await tx.all(_PARTS, upload_id=manifest_id)}
    chosen = _choose(uploaded, completion)
    draft = _draft(bucket, upload(bucket.id, row), chosen, completion, now_us)
    ledger = Ledger(bucket.id, now_us, draft.uid)
    placed = await versions.place(tx, found, draft, None, manifest_id, completion.condition, ledger)
    layout = Layout.join((part[0], Layout(part[4])) for part in chosen)
    await tx.run(
        _ADD_MANIFEST,
        manifest_id=manifest_id,
        size=layout.size,
        parts_count=len(chosen),
        layout=layout.packed,
    )
    await references.refer_to_manifest(tx, manifest_id, draft.uid)
    ledger.upload_bytes -= sum(part[1] for part in uploaded.values())
    await ledger.settle(tx)
    await tx.run(
        _CLOSE,
        bucket_id=bucket.id,
        key=key,
        upload_id=manifest_id,
        state=COMPLETED,
        changed_us=now_us,
        etag=draft.values["etag"],
        version_uid=draft.uid,
        named_parts=completion.digest(),
    )
    await tx.run(QUEUE, due_us=now_us, kind=UPLOAD, id=manifest_id)
    return rows.placed_version(draft, placed)


async def abort_upload(tx: Tx, bucket: Bucket, key: bytes, upload_id: str, now_us: int) -> None:
    """Raises: NoSuchUpload, NoSuchBucket."""
    await versions.hold_bucket(tx, bucket)
    number = parse_upload_id(upload_id)
    row = await tx.one(_LOCK, bucket_id=bucket.id, key=key, upload_id=number)
    if row is None or row[10] != OPEN:
        raise NoSuchUpload(upload_id)
    _, size = await tx.one(_UPLOADED, upload_id=number) or (0, 0)
    ledger = Ledger(bucket.id, now_us, rows.new_id(), upload_bytes=-int(size or 0))
    await ledger.settle(tx)
    await tx.run(
        _CLOSE,
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
    ledger = Ledger(target.bucket_id, now_us, rows.new_id(), upload_bytes=part.size)
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


def _choose(uploaded: dict[int, Row], completion: Completion) -> list[Row]:
    """The rows of the parts that the client named, checked."""
    chosen: list[Row] = []
    if not completion.parts:
        raise InvalidPart(0, "")
    for named in completion.parts:
        if chosen and named.number <= chosen[-1][0]:
            raise InvalidPartOrder(named.number)
        row = uploaded.get(named.number)
        if row is None or row[2] != named.etag:
            raise InvalidPart(named.number, named.etag)
        stored = rows.unpack_checksum(row[3])
        if named.checksum is not None and (stored is None or stored.value != named.checksum):
            raise InvalidPart(named.number, named.etag)
        chosen.append(row)
    for row in chosen[:-1]:
        if row[1] < completion.minimum_part_bytes:
            raise EntityTooSmall(row[0], row[1], completion.minimum_part_bytes)
    if sum(row[1] for row in chosen) > completion.maximum_bytes:
        raise EntityTooLarge(completion.maximum_bytes)
    return chosen


def _draft(
    bucket: Bucket, source: Upload, chosen: Sequence[Row], completion: Completion, now_us: int
) -> Draft:
    digests = b"".join(bytes.fromhex(row[2]) for row in chosen)
    etag = hashlib.md5(digests, usedforsecurity=False).hexdigest()
    return rows.draft(
        bucket,
        source.key,
        rows.with_checksum(source.attributes, completion.checksum),
        now_us=now_us,
        size=sum(row[1] for row in chosen),
        etag=f"{etag}-{len(chosen)}",
        sha256=None,
        parts_count=len(chosen),
    )


async def _completed(tx: Tx, bucket: Bucket, row: Row, versioning: int) -> ObjectVersion:
    """What the first completion answered, as far as it is still known."""
    key, uid = row[0], row[12]
    found = await objects.find_uid(tx, bucket, key, uid)
    if found is not None:
        return found
    source = upload(bucket.id, row)
    return ObjectVersion(
        bucket.id, key, uid, rows.version_id(uid, int(versioning != Versioning.ENABLED)), 0,
        is_latest=False, is_delete_marker=False, size=0, etag=row[11], sha256=None,
        created_at=source.created_at, modified_at=source.created_at, attributes=source.attributes,
    )  # fmt: skip


def _location(staged: StagedContent) -> Location:
    return Location.STORE if staged.inline is None else Location.INLINE


def _part(row: Row) -> Part:
    return Part(row[0], row[1], row[2], rows.to_datetime(row[3]), rows.unpack_checksum(row[4]))
