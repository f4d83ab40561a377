"""What the groups of operations share."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from vexobj_s3compat import errors
from vexobj_s3compat import types as t
from vexobj_s3compat.backend import S3Backend
from vexobj_s3compat.conditions import check_copy_source
from vexobj_s3compat.content import BytesContent
from vexobj_s3compat.memory.model import (
    Bucket,
    PartedContent,
    Version,
    delete_marker_error,
    find_version,
    new_version_id,
    owner_of,
)

PART_MINIMUM_BYTES = 5 * 1024 * 1024


def _now() -> datetime:
    return datetime.now(UTC)


class OperationGroup(S3Backend):
    """What the groups share: the buckets, and which of them a caller gets to see."""

    def __init__(
        self,
        *,
        clock: Callable[[], datetime] = _now,
        region: str = "us-east-1",
        part_minimum_bytes: int = PART_MINIMUM_BYTES,
        encrypts: bool = False,
    ) -> None:
        self.encrypts = encrypts
        self._clock = clock
        self._region = region
        self._part_minimum_bytes = part_minimum_bytes
        self._buckets: dict[str, Bucket] = {}

    def _bucket(self, request: t.Request[Any], *, public: bool = False) -> Bucket:
        """The bucket, if the caller owns it, or may read it where `public` will do."""
        bucket = self._buckets.get(request.input.bucket)
        if bucket is None:
            raise errors.NoSuchBucket
        if owner_of(request.caller) != bucket.owner and not (
            public and bucket.acl == "public-read"
        ):
            raise errors.AccessDenied
        return bucket

    def _version(
        self, request: t.Request[t.ObjectInput], *, owned: bool = False
    ) -> tuple[Bucket, Version]:
        """The version that is asked for, if the caller may read (or, `owned`, manage) it."""
        wanted = request.input
        bucket = self._buckets.get(wanted.bucket)
        if bucket is None:
            raise errors.NoSuchBucket
        stranger = owner_of(request.caller) != bucket.owner
        version = find_version(bucket, wanted.key, wanted.version_id)
        if stranger and (owned or (version is None and bucket.acl != "public-read")):
            raise errors.AccessDenied
        if version is None:
            raise errors.NoSuchVersion if wanted.version_id else errors.NoSuchKey
        if version.delete_marker:
            raise delete_marker_error(version, by_id=wanted.version_id is not None)
        if stranger and version.acl != "public-read":
            raise errors.AccessDenied
        return bucket, version

    def _new_version(
        self,
        bucket: Bucket,
        *,
        etag: str,
        content: BytesContent | PartedContent,
        headers: t.ObjectHeaders,
        acl: str,
        tags: Mapping[str, str],
        checksum: t.ChecksumValue | None,
        lock: t.ObjectLockValue,
    ) -> Version:
        return Version(
            version_id=new_version_id(bucket),
            owner=bucket.owner,
            last_modified=self._clock(),
            etag=etag,
            content=content,
            object=headers,
            acl=acl,
            tags=tags,
            checksum=checksum,
            lock=lock,
        )

    def _source(self, request: t.Request[Any], source: t.CopySource) -> tuple[Bucket, Version]:
        wanted = t.ObjectInput(source.bucket, source.key, source.version_id)
        bucket, version = self._version(replace(request, input=wanted))
        check_copy_source(source, version.etag, version.last_modified)
        return bucket, version
