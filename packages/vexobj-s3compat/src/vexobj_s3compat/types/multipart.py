"""Multipart uploads: begun, filled part by part, listed, completed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from vexobj_s3compat.content import Body
from vexobj_s3compat.types.common import ChecksumValue, ObjectHeaders, Owner, WriteConditions
from vexobj_s3compat.types.copies import CopySource
from vexobj_s3compat.types.locks import ObjectLockValue


@dataclass(frozen=True, slots=True)
class CreateMultipartUploadInput:
    bucket: str
    key: bytes
    object: ObjectHeaders
    acl: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    checksum_algorithm: str | None = None
    checksum_composite: bool = True
    lock: ObjectLockValue | None = None


@dataclass(frozen=True, slots=True)
class CreateMultipartUploadOutput:
    upload_id: str
    encrypted: bool = False


@dataclass(frozen=True, slots=True)
class UploadInput:
    """AbortMultipartUpload."""

    bucket: str
    key: bytes
    upload_id: str


@dataclass(frozen=True, slots=True)
class UploadPartInput:
    bucket: str
    key: bytes
    upload_id: str
    part_number: int
    body: Body


@dataclass(frozen=True, slots=True)
class UploadPartOutput:
    etag: str
    checksum: ChecksumValue | None = None
    encrypted: bool = False


@dataclass(frozen=True, slots=True)
class UploadPartCopyInput:
    """`source_range` is (first, last), both inclusive; None for the whole source."""

    bucket: str
    key: bytes
    upload_id: str
    part_number: int
    source: CopySource
    source_range: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class UploadPartCopyOutput:
    etag: str
    last_modified: datetime
    source_version_id: str | None = None


@dataclass(frozen=True, slots=True)
class CompletedPart:
    part_number: int
    etag: str
    checksum: str | None = None


@dataclass(frozen=True, slots=True)
class CompleteMultipartUploadInput:
    """`parts` as the client ordered them: the backend refuses a wrong order.

    `object_size` is what the client says they add up to: the backend refuses it if they do not.
    """

    bucket: str
    key: bytes
    upload_id: str
    parts: Sequence[CompletedPart]
    conditions: WriteConditions = field(default_factory=WriteConditions)
    checksum: ChecksumValue | None = None
    object_size: int | None = None


@dataclass(frozen=True, slots=True)
class CompleteMultipartUploadOutput:
    etag: str
    version_id: str | None = None
    checksum: ChecksumValue | None = None
    expiration: str | None = None
    encrypted: bool = False


@dataclass(frozen=True, slots=True)
class ListPartsInput:
    bucket: str
    key: bytes
    upload_id: str
    max_parts: int = 1000
    part_number_marker: int = 0


@dataclass(frozen=True, slots=True)
class PartEntry:
    part_number: int
    size: int
    etag: str
    last_modified: datetime
    checksum: ChecksumValue | None = None


@dataclass(frozen=True, slots=True)
class ListPartsOutput:
    owner: Owner
    parts: Sequence[PartEntry]
    next_part_number_marker: int | None = None
    checksum_algorithm: str | None = None
    checksum_composite: bool = True


@dataclass(frozen=True, slots=True)
class ListMultipartUploadsInput:
    bucket: str
    prefix: bytes = b""
    delimiter: bytes = b""
    key_marker: bytes = b""
    upload_id_marker: str | None = None
    max_uploads: int = 1000


@dataclass(frozen=True, slots=True)
class UploadEntry:
    key: bytes
    upload_id: str
    initiated_at: datetime
    owner: Owner


@dataclass(frozen=True, slots=True)
class ListMultipartUploadsOutput:
    uploads: Sequence[UploadEntry]
    common_prefixes: Sequence[bytes]
    next_key_marker: bytes | None = None
    next_upload_id_marker: str | None = None
