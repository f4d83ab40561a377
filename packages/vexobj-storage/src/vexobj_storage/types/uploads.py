"""Multipart uploads."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from vexobj_storage.types._value import value
from vexobj_storage.types.objects import Checksum, ObjectAttributes


@dataclass(frozen=True, slots=True)
class Upload:
    """An open multipart upload. `checksum` is what CreateMultipartUpload asked for, if anything."""

    bucket_id: int
    key: bytes
    upload_id: str
    created_at: datetime
    attributes: ObjectAttributes
    checksum_algorithm: str | None = None
    checksum_composite: bool = True


@dataclass(frozen=True, slots=True)
class UploadPage:
    uploads: Sequence[Upload]
    common_prefixes: Sequence[bytes]
    next_key: bytes | None = None
    next_upload_id: str | None = None


@value
class Part:
    number: int
    size: int
    etag: str
    modified_at: datetime
    checksum: Checksum | None = None


@dataclass(frozen=True, slots=True)
class PartPage:
    parts: Sequence[Part]
    next_number: int | None = None


@dataclass(frozen=True, slots=True)
class CompletedPart:
    """A part as the client names it in the completion; `checksum` only when it sent one."""

    number: int
    etag: str
    checksum: str | None = None
