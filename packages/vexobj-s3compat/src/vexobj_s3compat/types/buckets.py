"""Buckets and their settings."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from vexobj_s3compat.types.common import Owner


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
class VersioningOutput:
    status: Literal["Enabled", "Suspended"] | None = None


@dataclass(frozen=True, slots=True)
class PutBucketVersioningInput:
    bucket: str
    status: Literal["Enabled", "Suspended"]
