"""Objects made of other objects, on the server."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from vexobj_s3compat.types.common import ChecksumValue, ObjectHeaders, WriteConditions
from vexobj_s3compat.types.locks import ObjectLockValue


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
    lock: ObjectLockValue | None = None


@dataclass(frozen=True, slots=True)
class CopyObjectOutput:
    etag: str
    last_modified: datetime
    version_id: str | None = None
    source_version_id: str | None = None
    checksum: ChecksumValue | None = None
    expiration: str | None = None
    encrypted: bool = False
