"""Objects and their versions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from vexobj_storage.locks import UNLOCKED, LockRefusal, ObjectLock
from vexobj_storage.types._value import value
from vexobj_storage.types.content import Location


@dataclass(frozen=True, slots=True)
class Checksum:
    """An S3 additional checksum: `value` is base64; `composite` as multipart uploads have it."""

    algorithm: str
    value: str
    composite: bool = False


@value
class ObjectAttributes:
    """What a writer says about an object beside its bytes.

    `headers` holds Cache-Control, Content-Disposition, Content-Encoding, Content-Language and
    Expires under their lower-case names; `metadata` the user metadata without `x-amz-meta-`.
    """

    content_type: str = "application/octet-stream"
    headers: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)
    owner_id: str = ""
    acl: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    checksum: Checksum | None = None


@value
class ObjectVersion:
    """One version of an object, or a delete marker.

    `version_id` is `"null"` for a version written while versioning was off or suspended, else a
    UUID. `uid` is unique among all versions of the store. Exactly one of `blob_id` and
    `manifest_id` is set, none for a delete marker. `sha256` is None while it is not known (an
    object of several segments). `created_at` is the first write of the key without a gap,
    `modified_at` this version's.
    """

    bucket_id: int
    key: bytes
    uid: bytes
    version_id: str
    sequence: int
    is_latest: bool
    is_delete_marker: bool
    size: int
    etag: str
    sha256: bytes | None
    created_at: datetime
    modified_at: datetime
    attributes: ObjectAttributes
    blob_id: bytes | None = None
    manifest_id: bytes | None = None
    parts_count: int | None = None
    lock: ObjectLock = UNLOCKED


@value
class ListedObject:
    """An object as most pages of a bucket tell of it: with fields of ObjectVersion."""

    key: bytes
    size: int
    etag: str
    modified_at: datetime
    owner_id: str


@value
class ListedVersion:
    """A version, or delete marker, as pages of versions tell of it."""

    key: bytes
    version_id: str
    size: int
    etag: str
    modified_at: datetime
    owner_id: str
    is_latest: bool
    is_delete_marker: bool


@value
class ObjectDetails:
    """What can be told of an object without looking at its attributes."""

    key: bytes
    uid: bytes
    size: int
    etag: str
    sha256: bytes | None
    created_at: datetime
    modified_at: datetime
    content_type: str


@value
class StoredObject:
    """A version together with what one lookup learned of its bytes.

    `inline` holds all the bytes when they live in the metadata store. `location` is None for an
    object of several segments: its manifest is read when its bytes are.
    """

    version: ObjectVersion
    inline: bytes | None = None
    location: Location | None = None


@dataclass(frozen=True, slots=True)
class WriteCondition:
    """What must hold of the current version for a write to happen, decided in its transaction.

    `if_none_match_any`: there is no live object. `if_match`: the live object's ETag (without
    quotes), or `"*"` for any live object.
    """

    if_match: str | None = None
    if_none_match_any: bool = False


@value
class ObjectName:
    """An object, or one version of it, to be deleted."""

    key: bytes
    version_id: str | None = None


@value
class Deleted:
    """What a delete did.

    `existed` is False when there was nothing to delete. `version_id` is the version removed or
    the marker written, None in a bucket that never had versions. `refusal` says why nothing was
    done: `version_id` is then the version that is locked.
    """

    key: bytes
    existed: bool
    version_id: str | None = None
    is_delete_marker: bool = False
    refusal: LockRefusal | None = None


@dataclass(frozen=True, slots=True)
class PurgeReport:
    """How many versions and delete markers a purge removed, and of what size.

    `contents` is how many of them had content of their own for garbage collection to look at.
    """

    versions: int = 0
    contents: int = 0
    bytes: int = 0

    def __add__(self, other: "PurgeReport") -> "PurgeReport":
        return PurgeReport(
            self.versions + other.versions,
            self.contents + other.contents,
            self.bytes + other.bytes,
        )
