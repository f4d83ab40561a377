"""A bucket's lifecycle rules, as their XML says them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class LifecycleRule:
    """`id` is empty where the client leaves it to the server. Both bounds of size are exclusive."""

    id: str
    enabled: bool = True
    prefix: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    size_greater_than: int | None = None
    size_less_than: int | None = None
    expiration_days: int | None = None
    expiration_date: datetime | None = None
    expired_object_delete_marker: bool = False
    noncurrent_days: int | None = None
    newer_noncurrent_versions: int | None = None
    abort_days: int | None = None


@dataclass(frozen=True, slots=True)
class PutBucketLifecycleInput:
    """`rules` replace all that there were. Whether they make sense is the backend's to say."""

    bucket: str
    rules: Sequence[LifecycleRule]


@dataclass(frozen=True, slots=True)
class LifecycleOutput:
    rules: Sequence[LifecycleRule]
