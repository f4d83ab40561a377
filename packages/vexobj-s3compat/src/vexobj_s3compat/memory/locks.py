"""Object lock: versions that stay, and what a bucket gives to new ones."""

from dataclasses import replace
from datetime import datetime, timedelta

from vexobj_s3compat import errors
from vexobj_s3compat import types as t
from vexobj_s3compat.locks import NOT_ENABLED, PROTECTED, check_future
from vexobj_s3compat.memory.base import OperationGroup
from vexobj_s3compat.memory.model import Bucket, Version, find_version


def is_kept(lock: t.ObjectLockValue, now: datetime, *, bypass_governance: bool) -> bool:
    retention = lock.retention
    if lock.legal_hold:
        return True
    if retention is None or retention.retain_until <= now:
        return False
    return not (bypass_governance and retention.mode == "GOVERNANCE")


def locked_from_the_start(
    bucket: Bucket, asked: t.ObjectLockValue | None, now: datetime
) -> t.ObjectLockValue:
    """What a new version is locked by: what its writer asks for, and the bucket's default."""
    lock = asked or t.ObjectLockValue()
    if asked is not None and not bucket.object_lock:
        raise errors.InvalidRequest(NOT_ENABLED)
    check_future(lock.retention, now)
    default = bucket.default_retention
    if lock.retention is not None or default is None:
        return lock
    days = default.days or 365 * (default.years or 0)
    return replace(lock, retention=t.RetentionValue(default.mode, now + timedelta(days=days)))


class LockOperations(OperationGroup):
    async def put_object_retention(self, request: t.Request[t.PutObjectRetentionInput]) -> None:
        wanted = request.input
        version = self._lockable(self._bucket(request), wanted.key, wanted.version_id)
        check_future(wanted.retention, self._clock())
        old, new = version.lock.retention, wanted.retention
        grows = old is None or (
            new is not None and new.mode == old.mode and new.retain_until >= old.retain_until
        )
        bypass = wanted.bypass_governance
        held = replace(version.lock, legal_hold=None)
        if not grows and is_kept(held, self._clock(), bypass_governance=bypass):
            raise errors.AccessDenied(PROTECTED)
        version.lock = replace(version.lock, retention=new)

    async def get_object_retention(self, request: t.Request[t.ObjectInput]) -> t.RetentionOutput:
        wanted = request.input
        version = self._lockable(self._bucket(request), wanted.key, wanted.version_id)
        if version.lock.retention is None:
            raise errors.NoSuchObjectLockConfiguration
        return t.RetentionOutput(version.lock.retention)

    async def put_object_legal_hold(self, request: t.Request[t.PutObjectLegalHoldInput]) -> None:
        wanted = request.input
        version = self._lockable(self._bucket(request), wanted.key, wanted.version_id)
        version.lock = replace(version.lock, legal_hold=wanted.legal_hold)

    async def get_object_legal_hold(self, request: t.Request[t.ObjectInput]) -> t.LegalHoldOutput:
        wanted = request.input
        version = self._lockable(self._bucket(request), wanted.key, wanted.version_id)
        if version.lock.legal_hold is None:
            raise errors.NoSuchObjectLockConfiguration
        return t.LegalHoldOutput(version.lock.legal_hold)

    async def put_object_lock_configuration(
        self, request: t.Request[t.PutObjectLockConfigurationInput]
    ) -> None:
        bucket = self._bucket(request)
        if bucket.versioning != "Enabled":
            raise errors.InvalidBucketState
        bucket.object_lock = True
        bucket.default_retention = request.input.default_retention

    async def get_object_lock_configuration(
        self, request: t.Request[t.BucketInput]
    ) -> t.ObjectLockConfigurationOutput:
        bucket = self._bucket(request)
        if not bucket.object_lock:
            raise errors.ObjectLockConfigurationNotFoundError
        return t.ObjectLockConfigurationOutput(bucket.default_retention)

    def _lockable(self, bucket: Bucket, key: bytes, version_id: str | None) -> Version:
        if not bucket.object_lock:
            raise errors.InvalidRequest(NOT_ENABLED)
        version = find_version(bucket, key, version_id)
        if version is None:
            raise errors.NoSuchVersion if version_id else errors.NoSuchKey
        if version.delete_marker:
            raise errors.MethodNotAllowed
        return version
