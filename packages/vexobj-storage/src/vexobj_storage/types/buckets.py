"""Buckets, and what they hold."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Any

from vexobj_storage.locks import ObjectLockConfiguration


class Versioning(IntEnum):
    OFF = 0
    ENABLED = 1
    SUSPENDED = 2


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
