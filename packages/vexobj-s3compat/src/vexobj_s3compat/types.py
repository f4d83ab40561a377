"""The values of each operation: what a request means, and what its answer says.

Keys are `bytes`, exactly as they were percent-decoded from the path: valid UTF-8 of at most 1024
bytes without NUL. ETags are without quotes. Times are aware UTC datetimes. Names are S3's, in
snake case. What stands in an Input was checked for form, not for existence or permission.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar, dataclass_transform

from vexobj_s3compat.content import Body, Content

I_co = TypeVar("I_co", covariant=True)
C = TypeVar("C")

Headers = Mapping[str, str]
"""Lower-case names; a repeated header joined with commas."""


@dataclass_transform(frozen_default=True)
def value(cls: type[C]) -> type[C]:
    """A dataclass that is frozen for type checkers alone.

    For what is made at every request, or a thousand times for one page: a frozen one is made with
    `object.__setattr__` for each of its fields, which takes many times as long.
    """
    return dataclass(slots=True, unsafe_hash=True)(cls)


@value
class Caller:
    """Who signed the request. `principal` is whatever the credential store put into it.

    An anonymous caller has neither. `method` says how the caller proved itself.
    """

    access_key_id: str | None = None
    principal: Any = None
    method: Literal["anonymous", "header", "query", "bearer", "form"] = "anonymous"


ANONYMOUS = Caller()


@value
class Request(Generic[I_co]):
    """One call of an operation. `query` holds decoded pairs in order, transforms included."""

    operation: str
    input: I_co
    caller: Caller
    request_id: str
    method: str
    headers: Headers
    query: Sequence[tuple[str, str]]
    scope: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Owner:
    id: str
    display_name: str


@dataclass(frozen=True, slots=True)
class ChecksumValue:
    """`algorithm` is one of CRC32 CRC32C CRC64NVME SHA1 SHA256; `value` base64."""

    algorithm: str
    value: str
    composite: bool = False


@value
class ObjectHeaders:
    """What an object is served with, as its writer gave it.

    `headers`: cache-control, content-disposition, content-encoding (without aws-chunked),
    content-language, expires; only those that were sent. `metadata`: without `x-amz-meta-`.
    """

    content_type: str | None = None
    headers: Headers = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WriteConditions:
    """If-Match and If-None-Match of a write; `if_none_match` is only ever "*"."""

    if_match: str | None = None
    if_none_match: str | None = None


@dataclass(frozen=True, slots=True)
class ListBucketsInput:
    prefix: str = ""
    max_buckets: int = 10_000
    continuation_token: str = ""


@dataclass(frozen=True, slots=True)
class BucketEntry:
    name: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ListBucketsOutput:
    owner: Owner
    buckets: Sequence[BucketEntry]
    continuation_token: str | None = None


@dataclass(frozen=True, slots=True)
class CreateBucketInput:
    bucket: str
    location_constraint: str = ""
    acl: str | None = None
    object_lock_enabled: bool = False


@dataclass(frozen=True, slots=True)
class BucketInput:
    """HeadBucket, DeleteBucket, GetBucketLocation and every GET of a bucket's configuration."""

    bucket: str


@dataclass(frozen=True, slots=True)
class HeadBucketOutput:
    region: str


@dataclass(frozen=True, slots=True)
class AclOutput:
    """`canned` is `private` or `public-read`; the XML is made from it."""

    owner: Owner
    canned: str


@dataclass(frozen=True, slots=True)
class PutBucketAclInput:
    bucket: str
    canned: str


@dataclass(frozen=True, slots=True)
class PutObjectAclInput:
    bucket: str
    key: bytes
    canned: str
    version_id: str | None = None


@dataclass(frozen=True, slots=True)
class VersioningOutput:
    status: Literal["Enabled", "Suspended"] | None = None


@dataclass(frozen=True, slots=True)
class PutBucketVersioningInput:
    bucket: str
    status: Literal["Enabled", "Suspended"]


@dataclass(frozen=True, slots=True)
class TaggingOutput:
    tags: Mapping[str, str]
    version_id: str | None = None


@value
class ListObjectsInput:
    """Of v1 and v2 alike: `after` is the marker, start-after or decoded continuation token."""

    bucket: str
    prefix: bytes = b""
    delimiter: bytes = b""
    after: bytes = b""
    max_keys: int = 1000
    fetch_owner: bool = False


@value
class ObjectEntry:
    key: bytes
    size: int
    etag: str
    last_modified: datetime
    owner: Owner | None = None
    checksum_algorithm: str | None = None
    checksum_composite: bool = False


@value
class ListObjectsOutput:
    """`next_after` begins the next page: the last key or common prefix told; None at the end."""

    objects: Sequence[ObjectEntry]
    common_prefixes: Sequence[bytes]
    next_after: bytes | None = None


@dataclass(frozen=True, slots=True)
class ListObjectVersionsInput:
    bucket: str
    prefix: bytes = b""
    delimiter: bytes = b""
    key_marker: bytes = b""
    version_id_marker: str | None = None
    max_keys: int = 1000


@value
class VersionEntry:
    key: bytes
    version_id: str
    is_latest: bool
    is_delete_marker: bool
    last_modified: datetime
    owner: Owner
    size: int = 0
    etag: str = ""


@dataclass(frozen=True, slots=True)
class ListObjectVersionsOutput:
    versions: Sequence[VersionEntry]
    common_prefixes: Sequence[bytes]
    next_key_marker: bytes | None = None
    next_version_id_marker: str | None = None


@value
class PutObjectInput:
    bucket: str
    key: bytes
    body: Body
    object: ObjectHeaders
    acl: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    conditions: WriteConditions = field(default_factory=WriteConditions)


@value
class PutObjectOutput:
    etag: str
    version_id: str | None = None
    checksum: ChecksumValue | None = None


@value
class ObjectInput:
    """GetObject, HeadObject, GetObjectAcl, GetObjectTagging: an object or one version of it.

    Range, conditions, partNumber and response-* are the protocol's own affair.
    """

    bucket: str
    key: bytes
    version_id: str | None = None


@value
class ObjectOutput:
    """GetObject and HeadObject. For HEAD the content is never opened.

    `extra_headers` go out as they are (`vary`, `x-vexobj-*`, and so on). `public_cors` lets any
    origin read this answer. `sandbox` is set for content that a browser could execute.
    """

    etag: str
    last_modified: datetime
    object: ObjectHeaders
    content: Content
    version_id: str | None = None
    parts_count: int | None = None
    checksum: ChecksumValue | None = None
    tag_count: int = 0
    extra_headers: Sequence[tuple[str, str]] = ()
    public_cors: bool = False


@dataclass(frozen=True, slots=True)
class DeleteObjectInput:
    bucket: str
    key: bytes
    version_id: str | None = None


@dataclass(frozen=True, slots=True)
class DeleteObjectOutput:
    version_id: str | None = None
    delete_marker: bool = False


@value
class ObjectIdentifier:
    key: bytes
    version_id: str | None = None


@dataclass(frozen=True, slots=True)
class DeleteObjectsInput:
    """At most 1000; Quiet is the protocol's affair."""

    bucket: str
    objects: Sequence[ObjectIdentifier]


@value
class DeletedEntry:
    key: bytes
    version_id: str | None = None
    delete_marker: bool = False
    delete_marker_version_id: str | None = None


@dataclass(frozen=True, slots=True)
class DeleteErrorEntry:
    key: bytes
    version_id: str | None
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class DeleteObjectsOutput:
    results: Sequence[DeletedEntry | DeleteErrorEntry]


@dataclass(frozen=True, slots=True)
class CopySource:
    """`x-amz-copy-source` decoded, and its conditions (ETags without quotes)."""

    bucket: str
    key: bytes
    version_id: str | None = None
    if_match: str | None = None
    if_none_match: str | None = None
    if_modified_since: datetime | None = None
    if_unmodified_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class CopyObjectInput:
    """`object` and `tags` count only where the directive is REPLACE."""

    bucket: str
    key: bytes
    source: CopySource
    object: ObjectHeaders
    metadata_directive: Literal["COPY", "REPLACE"] = "COPY"
    tagging_directive: Literal["COPY", "REPLACE"] = "COPY"
    acl: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    conditions: WriteConditions = field(default_factory=WriteConditions)


@dataclass(frozen=True, slots=True)
class CopyObjectOutput:
    etag: str
    last_modified: datetime
    version_id: str | None = None
    source_version_id: str | None = None
    checksum: ChecksumValue | None = None


@dataclass(frozen=True, slots=True)
class CreateMultipartUploadInput:
    bucket: str
    key: bytes
    object: ObjectHeaders
    acl: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    checksum_algorithm: str | None = None
    checksum_composite: bool = True


@dataclass(frozen=True, slots=True)
class CreateMultipartUploadOutput:
    upload_id: str


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
    """`parts` as the client ordered them: the backend refuses a wrong order."""

    bucket: str
    key: bytes
    upload_id: str
    parts: Sequence[CompletedPart]
    conditions: WriteConditions = field(default_factory=WriteConditions)
    checksum: ChecksumValue | None = None


@dataclass(frozen=True, slots=True)
class CompleteMultipartUploadOutput:
    etag: str
    version_id: str | None = None
    checksum: ChecksumValue | None = None


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
