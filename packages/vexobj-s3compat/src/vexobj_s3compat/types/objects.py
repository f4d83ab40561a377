"""Objects written and read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from vexobj_s3compat.content import Body, Content
from vexobj_s3compat.types._value import value
from vexobj_s3compat.types.common import ChecksumValue, ObjectHeaders, WriteConditions
from vexobj_s3compat.types.locks import ObjectLockValue


@value
class PutObjectInput:
    bucket: str
    key: bytes
    body: Body
    object: ObjectHeaders
    acl: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    conditions: WriteConditions = field(default_factory=WriteConditions)
    lock: ObjectLockValue | None = None


@value
class PutObjectOutput:
    """`expiration` is the value of x-amz-expiration, where a lifecycle rule concerns the object.

    `encrypted` says here and elsewhere that all of the object's bytes are, at rest.
    """

    etag: str
    version_id: str | None = None
    checksum: ChecksumValue | None = None
    expiration: str | None = None
    encrypted: bool = False


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
    lock: ObjectLockValue | None = None
    encrypted: bool = False
    extra_headers: Sequence[tuple[str, str]] = ()
    public_cors: bool = False


@dataclass(frozen=True, slots=True)
class TaggingOutput:
    tags: Mapping[str, str]
    version_id: str | None = None
