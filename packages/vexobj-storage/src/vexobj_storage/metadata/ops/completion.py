"""Completing a multipart upload: its parts become an object, and no byte is moved."""

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from vexobj_storage.errors import (
    EntityTooLarge,
    EntityTooSmall,
    InvalidPart,
    InvalidPartOrder,
    NoSuchUpload,
    SizeMismatch,
)
from vexobj_storage.locks import ObjectLock
from vexobj_storage.metadata import rows
from vexobj_storage.metadata.layout import Layout
from vexobj_storage.metadata.ops import objects, references, sql, versions
from vexobj_storage.metadata.ops.ledger import QUEUE, UPLOAD, Ledger
from vexobj_storage.metadata.ops.multipart import (
    ABORTED,
    CLOSE,
    COMPLETED,
    LOCK,
    parse_upload_id,
    upload,
)
from vexobj_storage.metadata.ops.outbox import Cause
from vexobj_storage.metadata.rows import Draft
from vexobj_storage.metadata.tx import Row, Tx, repeatable
from vexobj_storage.types import (
    Bucket,
    Checksum,
    CompletedPart,
    ObjectVersion,
    Upload,
    Versioning,
    WriteCondition,
)

_P = sql.PARTS
_PARTS = sql.query(
    select(_P.c.part_number, _P.c.size, _P.c.etag, _P.c.checksum, _P.c.segments)
    .where(*sql.matches(_P, "upload_id"))
    .order_by(_P.c.part_number)
)
_ADD_MANIFEST = sql.insert(sql.MANIFESTS)


@dataclass(frozen=True, slots=True)
class Completion:
    """What a client says an upload consists of."""

    parts: Sequence[CompletedPart]
    condition: WriteCondition
    checksum: Checksum | None
    size: int | None
    minimum_part_bytes: int
    maximum_bytes: int
    locks_at_us: Callable[[Tx], Awaitable[int]]

    def digest(self) -> bytes:
        """Equal for equal lists of parts."""
        listed = ",".join(f"{part.number}:{part.etag}" for part in self.parts)
        return hashlib.sha256(listed.encode()).digest()


@repeatable
async def complete_upload(
    tx: Tx, bucket: Bucket, key: bytes, upload_id: str, completion: Completion, now_us: int
) -> ObjectVersion:
    """Make the named parts an object; a completion repeated answers as the first did.

    Raises: NoSuchUpload, InvalidPart, InvalidPartOrder, EntityTooSmall, EntityTooLarge,
        SizeMismatch, PreconditionFailed, NoSuchKey, NoSuchBucket, ObjectLocked.
    """
    found = await versions.target(tx, bucket, key)
    manifest_id = parse_upload_id(upload_id)
    row = await tx.one(LOCK, bucket_id=bucket.id, key=key, upload_id=manifest_id)
    if row is None or row[10] == ABORTED:
        raise NoSuchUpload(upload_id)
    if row[10] == COMPLETED:
        if row[13] != completion.digest():
            raise NoSuchUpload(upload_id)
        return await _completed(tx, bucket, row, found.versioning)
    uploaded = {part[0]: part for part in await tx.all(_PARTS, upload_id=manifest_id)}
    chosen = _choose(uploaded, completion)
    lock = rows.unpack_lock(row[14])
    draft = _draft(bucket, upload(bucket.id, row), chosen, completion, lock, now_us)
    ledger = Ledger(bucket.id, now_us, draft.uid, found.limited, found.subscribed, Cause.MULTIPART)
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
        CLOSE,
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
    size = sum(row[1] for row in chosen)
    if completion.size not in (None, size):
        raise SizeMismatch(completion.size or 0, size)
    if size > completion.maximum_bytes:
        raise EntityTooLarge(completion.maximum_bytes)
    return chosen


def _draft(
    bucket: Bucket,
    source: Upload,
    chosen: Sequence[Row],
    completion: Completion,
    lock: ObjectLock,
    now_us: int,
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
        lock=lock,
        locks_at_us=completion.locks_at_us,
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
