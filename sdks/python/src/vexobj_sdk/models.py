"""The values of the native API, named as the contract names them.

What a newer server adds to an answer is left out. Times are aware, sizes are bytes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Literal, Self, TypedDict

Json = Mapping[str, Any]


class _Model:
    """`parse` reads what the server sent; raises KeyError, TypeError or ValueError if it cannot."""

    __slots__ = ()

    @classmethod
    def parse(cls, data: Json) -> Self:
        return cls._from(data)

    @classmethod
    def _from(cls, data: Json, **parsed: Any) -> Self:
        names = [each.name for each in fields(cls) if each.name not in parsed]  # type: ignore[arg-type]
        return cls(**{name: _plain(name, data[name]) for name in names}, **parsed)


def _plain(name: str, value: Any) -> Any:
    is_time = name.endswith(("_at", "_until")) and value is not None
    return datetime.fromisoformat(value) if is_time else value


class Transform(TypedDict, total=False):
    """How an image is delivered: what is left out is the server's choice."""

    w: int
    h: int
    format: Literal["auto", "jpeg", "png", "webp", "avif", "gif"]
    quality: int
    fit: Literal["cover", "contain", "fill"]


@dataclass(frozen=True, slots=True)
class BucketSettings(_Model):
    """Whether images may be transformed, and the host names whose paths are the bucket's keys."""

    transforms: Literal["off", "open"] = "open"
    host_aliases: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class BucketRetention(_Model):
    """Either so many days or so many years, from when a version is written."""

    mode: Literal["governance", "compliance"]
    days: int | None = None
    years: int | None = None


@dataclass(frozen=True, slots=True)
class BucketObjectLock(_Model):
    """What a bucket's versions are locked by that bring no retention of their own."""

    default_retention: BucketRetention | None = None

    @classmethod
    def parse(cls, data: Json) -> Self:
        default = data["default_retention"]
        return cls(None if default is None else BucketRetention.parse(default))


@dataclass(frozen=True, slots=True)
class Bucket(_Model):
    """Anyone may read the objects of a public bucket; `owner` is an identity's id.

    `object_lock` is None for a bucket whose versions S3 clients cannot lock.
    """

    id: str
    name: str
    created_at: datetime
    public: bool
    versioning: Literal["off", "enabled", "suspended"]
    owner: str
    settings: BucketSettings
    object_lock: BucketObjectLock | None

    @classmethod
    def parse(cls, data: Json) -> Self:
        lock = data["object_lock"]
        return cls._from(
            data,
            settings=BucketSettings.parse(data["settings"]),
            object_lock=None if lock is None else BucketObjectLock.parse(lock),
        )


@dataclass(frozen=True, slots=True)
class ObjectMeta(_Model):
    """An object without its bytes; `sha256` is hex, None while it is not known."""

    id: str
    bucket: str
    key: str
    size: int
    content_type: str
    etag: str
    sha256: str | None
    created_at: datetime
    updated_at: datetime
    metadata: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class BucketVersioning(_Model):
    bucket: str
    versioning: Literal["off", "enabled", "suspended"]


@dataclass(frozen=True, slots=True)
class ObjectVersion(_Model):
    """A version of an object, or a delete marker; removing the marker brings the object back."""

    id: str
    bucket: str
    key: str
    version_id: str
    size: int
    content_type: str
    etag: str
    sha256: str | None
    created_at: datetime
    is_latest: bool
    is_delete_marker: bool


@dataclass(frozen=True, slots=True)
class VersionList(_Model):
    versions: Sequence[ObjectVersion]
    is_truncated: bool
    next_continuation_token: str | None

    @classmethod
    def parse(cls, data: Json) -> Self:
        return cls._from(data, versions=[ObjectVersion.parse(each) for each in data["versions"]])


@dataclass(frozen=True, slots=True)
class PurgeResult(_Model):
    bucket: str
    key: str
    blobs_removed: int
    versions_removed: int
    bytes_removed: int


@dataclass(frozen=True, slots=True)
class ObjectLock(_Model):
    """What an object is kept by; a retention in compliance mode nobody can end before its time."""

    retain_until: datetime | None
    legal_hold: bool
    mode: Literal["governance", "compliance"] | None


@dataclass(frozen=True, slots=True)
class ObjectList(_Model):
    """One page of a listing; `next_continuation_token` asks for the next, None on the last."""

    objects: Sequence[ObjectMeta]
    common_prefixes: Sequence[str]
    is_truncated: bool
    next_continuation_token: str | None

    @classmethod
    def parse(cls, data: Json) -> Self:
        return cls._from(data, objects=[ObjectMeta.parse(item) for item in data["objects"]])


@dataclass(frozen=True, slots=True)
class Identity(_Model):
    """Someone who owns buckets and objects, and has keys."""

    id: str
    display_name: str
    email: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Permissions(_Model):
    """`admin` implies the others."""

    read: bool = True
    write: bool = True
    delete: bool = False
    admin: bool = False


@dataclass(frozen=True, slots=True)
class ApiKey(_Model):
    """`id` is the access key id, `identity` whose key it is; `buckets` None means all buckets."""

    id: str
    name: str
    key_prefix: str
    identity: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    permissions: Permissions
    buckets: Sequence[str] | None

    @classmethod
    def parse(cls, data: Json) -> Self:
        access = data["bucket_access"]
        return cls._from(
            data,
            permissions=Permissions.parse(data["permissions"]),
            buckets=access["buckets"] if access["type"] == "specific" else None,
        )


@dataclass(frozen=True, slots=True)
class CreatedApiKey(_Model):
    """The only moment at which the secret is known: it is the bearer token too."""

    key: ApiKey
    access_key_id: str
    secret: str = field(repr=False)

    @classmethod
    def parse(cls, data: Json) -> Self:
        return cls._from(data, key=ApiKey.parse(data["key"]))


@dataclass(frozen=True, slots=True)
class BucketStats(_Model):
    """`noncurrent_*` counts versions that are not the latest, `upload_size` unfinished uploads."""

    name: str
    objects: int
    size: int
    noncurrent_objects: int
    noncurrent_size: int
    upload_size: int


@dataclass(frozen=True, slots=True)
class Stats(_Model):
    """What the server holds, and the room that its data directory takes."""

    buckets: int
    total_objects: int
    total_size: int
    disk_usage: int
    version: str
    bucket_details: Sequence[BucketStats]

    @classmethod
    def parse(cls, data: Json) -> Self:
        details = [BucketStats.parse(item) for item in data["bucket_details"]]
        return cls._from(data, bucket_details=details)


@dataclass(frozen=True, slots=True)
class BucketQuota(_Model):
    """What a bucket may hold, None being no limit, and what it does.

    Noncurrent versions and unfinished parts count. `is_default`: the server's, not its own.
    """

    bucket: str
    max_bytes: int | None
    max_objects: int | None
    is_default: bool
    used_bytes: int
    used_objects: int


@dataclass(frozen=True, slots=True)
class Usage(_Model):
    """What takes room on the disk. `buckets` counts each copy, `stored_*` what is really there.

    `waiting_*` was deleted and is removed between `first_due_at` and `last_due_at`;
    `unused_bytes` are deleted multipart objects that begin to wait soon.
    """

    buckets: Sequence[BucketStats]
    stored_blobs: int
    stored_bytes: int
    inline_bytes: int
    waiting_blobs: int
    waiting_bytes: int
    first_due_at: datetime | None
    last_due_at: datetime | None
    unused_bytes: int
    cache_bytes: int
    metadata_bytes: int
    disk_usage: int
    disk_free: int

    @classmethod
    def parse(cls, data: Json) -> Self:
        return cls._from(data, buckets=[BucketStats.parse(item) for item in data["buckets"]])


@dataclass(frozen=True, slots=True)
class GcResult(_Model):
    """What was collected; what waits is due at `due_at`, None when nothing waits."""

    blobs_scanned: int
    orphans_removed: int
    bytes_freed: int
    waiting: int
    waiting_bytes: int
    due_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLifecycleRule:
    """Which objects: those with `prefix` and all of `tags`, their size between the two bounds.

    Current versions expire after `expire_days` or at `expire_at` (midnight UTC), delete markers
    that hide nothing with `expire_delete_markers`; noncurrent versions after `noncurrent_days`,
    but the `keep_noncurrent` newest stay; uploads are aborted after `abort_upload_days`.
    """

    id: str = ""
    enabled: bool = True
    prefix: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    size_greater_than: int | None = None
    size_less_than: int | None = None
    expire_days: int | None = None
    expire_at: datetime | None = None
    expire_delete_markers: bool = False
    noncurrent_days: int | None = None
    keep_noncurrent: int | None = None
    abort_upload_days: int | None = None


@dataclass(frozen=True, slots=True)
class LifecycleRule(_Model):
    """A rule as the server keeps it; the fields mean what NewLifecycleRule says."""

    id: str
    bucket: str
    created_at: datetime
    enabled: bool
    prefix: str
    tags: Mapping[str, str]
    size_greater_than: int | None
    size_less_than: int | None
    expire_days: int | None
    expire_at: datetime | None
    expire_delete_markers: bool
    noncurrent_days: int | None
    keep_noncurrent: int | None
    abort_upload_days: int | None


@dataclass(frozen=True, slots=True)
class LifecycleRun(_Model):
    """What a run did. `held`: nothing, as the server's clock is not believed.

    `objects_expired` counts current versions, removed or hidden by a delete marker; `bytes_freed`
    is what versions that went for good take, until garbage collection frees it.
    """

    objects_expired: int
    versions_removed: int
    markers_removed: int
    uploads_aborted: int
    bytes_freed: int
    locked: int
    held: bool


@dataclass(frozen=True, slots=True)
class ClockInfo(_Model):
    """`believed_at` is the time by which things expire: the clock's own unless it is `held`."""

    wall_at: datetime
    believed_at: datetime
    held: bool


@dataclass(frozen=True, slots=True)
class ScrubPass(_Model):
    """One pass over all stored blobs; `all_blobs` and `all_bytes` are of its beginning.

    `locked_away` blobs could not be opened for want of an encryption key. `halted` says why it
    does not go on for now.
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
    locked_away: int
    halted: str | None


@dataclass(frozen=True, slots=True)
class FindingPlace(_Model):
    """A version that has damaged bytes; with `is_upload` an upload under way, by its id.

    `bucket` is None when it is gone.
    """

    bucket: str | None
    key: str
    version_id: str
    is_upload: bool


@dataclass(frozen=True, slots=True)
class Finding(_Model):
    """A blob that is not as it was put. While it is `quarantined`, what has it cannot be read.

    `places` are the first 100 of `places_count`; they are known once it is `traced`.
    """

    blob_id: str
    damage: Literal["corrupt", "missing", "unreadable"]
    reason: str
    found_at: datetime
    size: int
    quarantined: bool
    traced: bool
    places_count: int
    places: Sequence[FindingPlace]

    @classmethod
    def parse(cls, data: Json) -> Self:
        return cls._from(data, places=[FindingPlace.parse(item) for item in data["places"]])


@dataclass(frozen=True, slots=True)
class Scrub(_Model):
    """`current` is the pass under way or the last one, `completed` the last that was no dry run.

    `next` is the `after` of the next page of `findings`.
    """

    running: bool
    current: ScrubPass | None
    completed: ScrubPass | None
    findings_count: int
    findings: Sequence[Finding]
    next: str | None

    @classmethod
    def parse(cls, data: Json) -> Self:
        current, completed = (
            None if data[name] is None else ScrubPass.parse(data[name])
            for name in ("current", "completed")
        )
        findings = [Finding.parse(item) for item in data["findings"]]
        return cls._from(data, current=current, completed=completed, findings=findings)


@dataclass(frozen=True, slots=True)
class BackupKey(_Model):
    """A key that a restore needs; `inside` says that it is in the backup itself."""

    name: str
    id: str
    inside: bool


@dataclass(frozen=True, slots=True)
class Backup(_Model):
    """A finished one. `blobs_copied` were not there before, `damaged` ones could not be read."""

    name: str
    path: str
    began_at: datetime
    finished_at: datetime
    db_size: int
    blobs: int
    blobs_copied: int
    bytes_copied: int
    total_size: int
    damaged: int
    keys: Sequence[BackupKey]

    @classmethod
    def parse(cls, data: Json) -> Self:
        return cls._from(data, keys=[BackupKey.parse(item) for item in data["keys"]])


@dataclass(frozen=True, slots=True)
class BackupUnderWay(_Model):
    """`done` of `blobs` were looked at; `copied` of these were not there yet."""

    name: str
    blobs: int
    bytes: int
    done: int
    done_bytes: int
    copied: int
    copied_bytes: int


@dataclass(frozen=True, slots=True)
class LastBackup(_Model):
    name: str
    began_at: datetime
    finished_at: datetime
    total_size: int
    damaged: int


@dataclass(frozen=True, slots=True)
class BackupFailed(_Model):
    failed_at: datetime
    error: str

    @classmethod
    def parse(cls, data: Json) -> Self:
        return cls(datetime.fromisoformat(data["at"]), data["error"])


@dataclass(frozen=True, slots=True)
class BackupStatus(_Model):
    """`last` ended well; `failure` is that of a later one. `backups` are there, newest first."""

    directory: str
    keep: int | None
    interval_seconds: int
    running: BackupUnderWay | None
    last: LastBackup | None
    failure: BackupFailed | None
    backups: Sequence[Backup]

    @classmethod
    def parse(cls, data: Json) -> Self:
        running, last, failure = data["running"], data["last"], data["failure"]
        return cls._from(
            data,
            running=None if running is None else BackupUnderWay.parse(running),
            last=None if last is None else LastBackup.parse(last),
            failure=None if failure is None else BackupFailed.parse(failure),
            backups=[Backup.parse(item) for item in data["backups"]],
        )


@dataclass(frozen=True, slots=True)
class AuditEntry(_Model):
    """One write. `resource` is a bucket, `bucket/key`, or the id of what was changed.

    An anonymous caller has no key; `actor` is the key's name at that time.
    """

    id: str
    timestamp: datetime
    action: str
    resource: str
    api_key_prefix: str | None
    access_key_id: str | None
    actor: str | None
    identity: str | None
    ip_address: str
    request_id: str
    details: Mapping[str, Any]

    @classmethod
    def parse(cls, data: Json) -> Self:
        return cls._from(data, timestamp=datetime.fromisoformat(data["timestamp"]))


@dataclass(frozen=True, slots=True)
class Health(_Model):
    """`capabilities` says what the server can do: ask before you offer it."""

    status: str
    service: str
    version: str
    capabilities: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Webhook(_Model):
    """Who is told of events. The counts are of deliveries.

    `oldest_at` is when the oldest event happened that waits; one `from_settings` is changed there.
    """

    id: str
    url: str
    events: Sequence[str]
    bucket: str | None
    prefix: str
    enabled: bool
    signed: bool
    from_settings: bool
    created_at: datetime
    waiting: int
    delivered: int
    dead: int
    oldest_at: datetime | None


@dataclass(frozen=True, slots=True)
class CreatedWebhook(_Model):
    """`secret` is shown only once."""

    webhook: Webhook
    secret: str = field(repr=False)

    @classmethod
    def parse(cls, data: Json) -> Self:
        return cls._from(data, webhook=Webhook.parse(data["webhook"]))


@dataclass(frozen=True, slots=True)
class WebhookTest(_Model):
    """`status` is that of the answer, if there was one; `error` says why it does not count."""

    delivered: bool
    status: int | None
    error: str | None
    duration_ms: int


@dataclass(frozen=True, slots=True)
class Delivery(_Model):
    """An event for one webhook; `status` and `error` are of the last attempt.

    `due_at` is when it is tried next, `finished_at` when it was delivered or given up.
    """

    number: int
    event_id: str
    event: str
    timestamp: datetime
    sequence: int | None
    data: Mapping[str, Any]
    state: Literal["waiting", "delivered", "dead"]
    attempts: int
    due_at: datetime | None
    finished_at: datetime | None
    status: int | None
    error: str | None

    @classmethod
    def parse(cls, data: Json) -> Self:
        return cls._from(data, timestamp=datetime.fromisoformat(data["timestamp"]))
