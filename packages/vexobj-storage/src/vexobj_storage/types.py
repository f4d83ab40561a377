"""The values that go into and come out of the store; nothing here does I/O.

Keys are `bytes`: valid UTF-8, 1 to 1024 bytes, no NUL (`names.py` checks). Times are aware UTC
datetimes. Sizes are bytes. Digests are raw bytes unless a name says hex. An ETag is kept without
its quotes: 32 hex digits of MD5 for a single PUT, `<hex>-<parts>` for a multipart object.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any, Generic, Protocol, TypeVar, dataclass_transform

from vexobj_storage.locks import UNLOCKED, LockRefusal, ObjectLock, ObjectLockConfiguration

T = TypeVar("T")
C = TypeVar("C")


@dataclass_transform(frozen_default=True)
def value(cls: type[C]) -> type[C]:
    """A dataclass that is frozen for type checkers alone.

    For what is made at every request, or a thousand times for one: at run time a frozen one of
    sixteen fields costs 2.9 us to make, this one 0.2.
    """
    return dataclass(slots=True)(cls)


class Versioning(IntEnum):
    OFF = 0
    ENABLED = 1
    SUSPENDED = 2


class Durability(StrEnum):
    """What has reached the disk when a write returned; the package's README says what may be lost.

    Content has, in either case. With RELAXED its metadata follow within about a second.
    """

    STRICT = "strict"
    RELAXED = "relaxed"


class Location(IntEnum):
    """Where a blob's bytes are: in the metadata store, or in the blob store."""

    INLINE = 0
    STORE = 1


@dataclass(frozen=True, slots=True)
class Quota:
    """How much a bucket may hold, noncurrent versions and unfinished parts included.

    Bytes are those of the objects, however little room deduplication makes of them. Delete
    markers are not counted. None is no limit.
    """

    max_bytes: int | None = None
    max_objects: int | None = None


@dataclass(frozen=True, slots=True)
class Bucket:
    """`id` is never reused. `acl` and `settings` are the caller's own, stored and returned.

    One setting the store knows: `host_aliases`, a list of host names that no other bucket has.
    With `object_lock` the bucket keeps versions, and new ones may begin with a retention.
    `quota` is what holds, None where there is no limit; `own_quota` says that it was set for this
    bucket rather than being the store's default.
    """

    id: int
    name: str
    owner_id: str
    created_at: datetime
    public: bool = False
    versioning: Versioning = Versioning.OFF
    acl: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    object_lock: ObjectLockConfiguration | None = None
    quota: Quota | None = None
    own_quota: bool = False


@dataclass(frozen=True, slots=True)
class BucketChange:
    """What `update_bucket` sets; None leaves a field as it is, as does a setting not named.

    `object_lock` replaces the whole configuration, and gives a bucket one that has none.
    """

    public: bool | None = None
    versioning: Versioning | None = None
    acl: str | None = None
    settings: Mapping[str, Any] | None = None
    object_lock: ObjectLockConfiguration | None = None


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


@dataclass(frozen=True, slots=True)
class Segment:
    """`length` bytes of a blob's plaintext from `offset`, standing at `start` in the object."""

    start: int
    blob_id: bytes
    offset: int
    length: int
    location: Location = Location.STORE


@value
class StoredObject:
    """A version together with what one lookup learned of its bytes.

    `inline` holds all the bytes when they live in the metadata store. `location` is None for an
    object of several segments: its manifest is read when its bytes are.
    """

    version: ObjectVersion
    inline: bytes | None = None
    location: Location | None = None


class Hasher(Protocol):
    """What hashlib's objects are."""

    def update(self, data: bytes, /) -> object: ...
    def digest(self) -> bytes: ...


@value
class StagedContent:
    """Bytes that are durable (or inline) but belong to nobody yet.

    It is consumed by exactly one `put_object` or `put_part`, or given back by `discard`. One that
    is forgotten falls to the sweep of orphans. `size` and the digests are the content's; `inline`
    and `stored_size` are as it is stored, sealed under the root key `key_id` unless that is 0.
    """

    size: int
    md5: bytes
    sha256: bytes
    inline: bytes | None
    blob_id: bytes
    stored_size: int
    key_id: int = 0


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


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """`after` is where the next page begins, or None when this was the last."""

    items: Sequence[T]
    after: T | str | bytes | None = None


@dataclass(frozen=True, slots=True)
class ObjectPage(Generic[T]):
    """One page of a listing in byte order of keys, of ListedObject or of ObjectDetails.

    `objects` and `common_prefixes` together are at most `limit`. `next_after` goes into the next
    call's `after`: a key, or a common prefix (everything under it has been told).
    """

    objects: Sequence[T]
    common_prefixes: Sequence[bytes]
    next_after: bytes | None = None


@dataclass(frozen=True, slots=True)
class VersionPage:
    """As ObjectPage, newest version of a key first; markers included."""

    versions: Sequence[ListedVersion]
    common_prefixes: Sequence[bytes]
    next_key: bytes | None = None
    next_version_id: str | None = None


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


@dataclass(frozen=True, slots=True)
class Identity:
    """Who owns buckets, objects and keys. `id` is S3's canonical id: 64 hex digits."""

    id: str
    display_name: str
    email: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class AccessKeyRecord:
    """An access key as it is stored: the secret sealed, found again by a keyed hash of it.

    `permissions` is a bit set and `buckets` the scope (None for all): the caller's meaning.
    """

    access_key_id: str
    identity_id: str
    name: str
    sealed_secret: bytes
    secret_lookup: bytes
    permissions: int
    buckets: Sequence[str] | None
    created_at: datetime
    expires_at: datetime | None = None
    last_used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class BucketUsage:
    """Exact at the moment of reading. `noncurrent_*` counts versions and parts that take room."""

    bucket_id: int
    objects: int
    bytes: int
    noncurrent_objects: int = 0
    noncurrent_bytes: int = 0
    upload_bytes: int = 0

    @property
    def all_objects(self) -> int:
        """What a quota of objects counts."""
        return self.objects + self.noncurrent_objects

    @property
    def all_bytes(self) -> int:
        """What a quota of bytes counts."""
        return self.bytes + self.noncurrent_bytes + self.upload_bytes


@dataclass(frozen=True, slots=True)
class QuotaReached:
    """A bucket holds `percent` of its quota or more, and did not the last time it was looked at."""

    bucket: str
    percent: int
    quota: Quota
    usage: BucketUsage


class BlobPlace(StrEnum):
    """Where blobs that are not inline may lie."""

    LOCAL = "local"
    S3 = "s3"


@dataclass(frozen=True, slots=True)
class BlobRecord:
    """What a blob's row says of its bytes; `sha256` is the content's, before it is sealed."""

    stored_size: int
    sha256: bytes


@dataclass(frozen=True, slots=True)
class GcReport:
    """What a collection did, and what still waits for its grace to end.

    `due_at` is when the earliest of the waiting ones may go.
    """

    condemned: int = 0
    removed: int = 0
    bytes_freed: int = 0
    waiting: int = 0
    waiting_bytes: int = 0
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class LifecycleReport:
    """What a sweep did. `expired` counts current versions that were removed or hidden.

    `bytes` is the size of the versions that went for good. `locked` ones stayed, as an object lock
    protects them. `held` when nothing was done because the clock cannot be believed.
    """

    expired: int = 0
    versions_removed: int = 0
    markers_removed: int = 0
    uploads_aborted: int = 0
    bytes: int = 0
    locked: int = 0
    held: bool = False


@dataclass(frozen=True, slots=True)
class Room:
    """What blobs take where they lie, shared ones once.

    `live_*` is in use: in the blob store, and inline in the metadata. `waiting_*` lost its last
    reference and waits for its grace to end; `unused_bytes` are those of multipart objects that
    are gone, whose parts count as live until their own grace begins. All that waits now may be
    removed between `first_due_at` and `last_due_at`, by the collections that follow these.
    """

    live_blobs: int
    live_bytes: int
    inline_bytes: int
    waiting_blobs: int
    waiting_bytes: int
    unused_bytes: int
    first_due_at: datetime | None = None
    last_due_at: datetime | None = None


class Damage(IntEnum):
    """What scrub found of a blob. UNREADABLE says nothing of its bytes: they could not be read."""

    CORRUPT = 1
    MISSING = 2
    UNREADABLE = 3


@dataclass(frozen=True, slots=True)
class FindingPlace:
    """A version that has damaged bytes; with `is_upload` an upload under way, `version_id` its id.

    `bucket` is None for a bucket that is gone.
    """

    bucket: str | None
    key: bytes
    version_id: str
    is_upload: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """A blob that is not as it was put, or could not be read, and what it is of.

    What is in quarantine is not read nor shared, and stays where it is as long as anything refers
    to it. `places` are the first of `places_count`; none are known before it is `traced`.
    """

    blob_id: bytes
    damage: Damage
    reason: str
    found_at: datetime
    size: int
    quarantined: bool
    traced: bool
    places_count: int = 0
    places: Sequence[FindingPlace] = ()


@dataclass(frozen=True, slots=True)
class ScrubPass:
    """One pass over all blobs: how far it is, or was when it ended, and what it found.

    `bytes` are those of contents that were read. `sealed_away` blobs could not be opened for want
    of a key. `halted` says in a clause why it does not go on, until it does.
    """

    began_at: datetime
    ended_at: datetime | None
    dry_run: bool
    blobs: int
    bytes: int
    all_blobs: int
    all_bytes: int
    corrupt: int
    missing: int
    unreadable: int
    sealed_away: int
    halted: str | None


@dataclass(frozen=True, slots=True)
class ScrubStep:
    """What one step of a pass did."""

    blobs: int = 0
    bytes: int = 0
    damaged: int = 0


@dataclass(frozen=True, slots=True)
class ScrubState:
    """`current` is the pass under way, or the last one; `completed` the last that was no dry run.

    `findings` counts what stands by damage.
    """

    current: ScrubPass | None
    completed: ScrubPass | None
    findings: Mapping[Damage, int]


@dataclass(frozen=True, slots=True)
class ClockState:
    """`wall_at` is what the clock says, `believed_at` the time by which things expire.

    `held` when the clock jumped ahead and nobody has said that it is right: see clock.py.
    """

    wall_at: datetime
    believed_at: datetime
    held: bool


@dataclass(frozen=True, slots=True)
class RewriteStep:
    """What one step of rewriting did; `failed` blobs could not be read."""

    blobs: int = 0
    bytes: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class RewriteProgress:
    """Of rewriting everything to be sealed under the root key `key_id` (0: to be plain).

    `failed` blobs could not be read and are left as they are; they count as remaining.
    """

    key_id: int
    blobs: int
    bytes: int
    failed: int
    remaining_blobs: int
    remaining_bytes: int
    is_done: bool


Clock = Callable[[], datetime]
