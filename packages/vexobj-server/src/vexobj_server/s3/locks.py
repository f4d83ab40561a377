"""S3 operations on object lock: retention, legal hold, and what a bucket gives to new versions."""

from dataclasses import replace

from vexobj_auth import Action
from vexobj_s3compat import Request
from vexobj_s3compat.errors import (
    InvalidRequest,
    NoSuchObjectLockConfiguration,
    ObjectLockConfigurationNotFoundError,
)
from vexobj_s3compat.locks import NOT_ENABLED, check_future
from vexobj_s3compat.types import (
    BucketInput,
    LegalHoldOutput,
    ObjectInput,
    ObjectLockConfigurationOutput,
    ObjectLockValue,
    PutObjectLegalHoldInput,
    PutObjectLockConfigurationInput,
    PutObjectRetentionInput,
    RetentionOutput,
)
from vexobj_server.s3.base import OperationGroup
from vexobj_server.s3.convert import (
    default_retention_of,
    default_retention_value,
    lock_value,
    retention_of,
)
from vexobj_server.s3.errors import delete_marker
from vexobj_storage import Bucket, BucketChange, ObjectLock, ObjectLockConfiguration


class LockOperations(OperationGroup):
    async def put_object_retention(self, request: Request[PutObjectRetentionInput]) -> None:
        asked = request.input
        bucket = await self._allowed(request, Action.WRITE_LOCK, asked.bucket)
        _require_object_lock(bucket)
        check_future(asked.retention, self._clock())
        retention = retention_of(asked.retention)
        await self._store.update_lock(
            bucket,
            asked.key,
            asked.version_id,
            lambda lock: replace(lock, retention=retention),
            bypass_governance=self._bypasses(request, bucket, asked=asked.bypass_governance),
        )

    async def get_object_retention(self, request: Request[ObjectInput]) -> RetentionOutput:
        lock = await self._lock(request)
        if lock.retention is None:
            raise NoSuchObjectLockConfiguration
        return RetentionOutput(lock.retention)

    async def put_object_legal_hold(self, request: Request[PutObjectLegalHoldInput]) -> None:
        asked = request.input
        bucket = await self._allowed(request, Action.WRITE_LOCK, asked.bucket)
        _require_object_lock(bucket)

        def hold(lock: ObjectLock) -> ObjectLock:
            return replace(lock, legal_hold=asked.legal_hold)

        await self._store.update_lock(bucket, asked.key, asked.version_id, hold)

    async def get_object_legal_hold(self, request: Request[ObjectInput]) -> LegalHoldOutput:
        lock = await self._lock(request)
        if lock.legal_hold is None:
            raise NoSuchObjectLockConfiguration
        return LegalHoldOutput(lock.legal_hold)

    async def put_object_lock_configuration(
        self, request: Request[PutObjectLockConfigurationInput]
    ) -> None:
        asked = request.input
        bucket = await self._allowed(request, Action.WRITE_BUCKET, asked.bucket)
        wanted = ObjectLockConfiguration(default_retention_of(asked.default_retention))
        await self._store.update_bucket(bucket.name, BucketChange(object_lock=wanted))

    async def get_object_lock_configuration(
        self, request: Request[BucketInput]
    ) -> ObjectLockConfigurationOutput:
        bucket = await self._allowed(request, Action.READ_BUCKET, request.input.bucket)
        if bucket.object_lock is None:
            raise ObjectLockConfigurationNotFoundError(fields={"BucketName": bucket.name})
        default = bucket.object_lock.default_retention
        return ObjectLockConfigurationOutput(default_retention_value(default))

    async def _lock(self, request: Request[ObjectInput]) -> ObjectLockValue:
        asked = request.input
        bucket = await self._store.bucket(asked.bucket)
        principal = self._principal(request)
        stored = await self._access.readable(
            self._store, principal, bucket, asked.key, asked.version_id, Action.READ_LOCK
        )
        _require_object_lock(bucket)
        if stored.version.is_delete_marker:
            raise delete_marker(stored.version)
        return lock_value(stored.version.lock) or ObjectLockValue()


def _require_object_lock(bucket: Bucket) -> None:
    if bucket.object_lock is None:
        raise InvalidRequest(NOT_ENABLED)
