"""S3 operations on a bucket's lifecycle configuration."""

from datetime import UTC, datetime

from vexobj_auth import Action
from vexobj_s3compat import Request
from vexobj_s3compat import types as s3
from vexobj_s3compat.errors import NoSuchLifecycleConfiguration
from vexobj_server.s3.base import OperationGroup
from vexobj_storage import LifecycleRule, lifecycle_of


class LifecycleOperations(OperationGroup):
    async def get_bucket_lifecycle(self, request: Request[s3.BucketInput]) -> s3.LifecycleOutput:
        bucket = await self._allowed(request, Action.READ_BUCKET, request.input.bucket)
        rules = lifecycle_of(bucket)
        if not rules:
            raise NoSuchLifecycleConfiguration(fields={"BucketName": bucket.name})
        return s3.LifecycleOutput([_told(rule) for rule in rules])

    async def put_bucket_lifecycle(self, request: Request[s3.PutBucketLifecycleInput]) -> None:
        bucket = await self._allowed(request, Action.WRITE_BUCKET, request.input.bucket)
        rules = [_stored(rule) for rule in request.input.rules]
        await self._store.set_lifecycle(bucket.name, rules)

    async def delete_bucket_lifecycle(self, request: Request[s3.BucketInput]) -> None:
        bucket = await self._allowed(request, Action.WRITE_BUCKET, request.input.bucket)
        await self._store.set_lifecycle(bucket.name, [])


def _stored(rule: s3.LifecycleRule) -> LifecycleRule:
    return LifecycleRule(
        id=rule.id,
        created_at=datetime.now(UTC),
        enabled=rule.enabled,
        prefix=rule.prefix,
        tags=rule.tags,
        size_greater_than=rule.size_greater_than,
        size_less_than=rule.size_less_than,
        expire_days=rule.expiration_days,
        expire_at=rule.expiration_date,
        expire_delete_markers=rule.expired_object_delete_marker,
        noncurrent_days=rule.noncurrent_days,
        keep_noncurrent=rule.newer_noncurrent_versions,
        abort_upload_days=rule.abort_days,
    )


def _told(rule: LifecycleRule) -> s3.LifecycleRule:
    return s3.LifecycleRule(
        id=rule.id,
        enabled=rule.enabled,
        prefix=rule.prefix,
        tags=rule.tags,
        size_greater_than=rule.size_greater_than,
        size_less_than=rule.size_less_than,
        expiration_days=rule.expire_days,
        expiration_date=rule.expire_at,
        expired_object_delete_marker=rule.expire_delete_markers,
        noncurrent_days=rule.noncurrent_days,
        newer_noncurrent_versions=rule.keep_noncurrent,
        abort_days=rule.abort_upload_days,
    )
