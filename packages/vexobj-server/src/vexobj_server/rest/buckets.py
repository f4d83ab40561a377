"""`/v1/buckets`: create, tell, change and delete."""

from collections.abc import Iterable
from uuid import UUID

from fastapi import APIRouter
from pydantic import ValidationError

from vexobj_auth import Action, Principal, in_scope
from vexobj_server.rest.bucket_models import (
    BucketInfo,
    BucketList,
    BucketPatch,
    BucketSettings,
    NewBucket,
    versioning_name,
)
from vexobj_server.rest.context import Caller, Context
from vexobj_server.rest.lock_models import ObjectLock
from vexobj_server.rest.problems import problems
from vexobj_server.services.buckets import check_not_reserved, every_bucket
from vexobj_storage import Bucket, BucketChange

router = APIRouter(prefix="/v1/buckets", tags=["buckets"])


@router.get("", operation_id="list_buckets", responses=problems(401, 403))
async def list_buckets(context: Context, caller: Caller) -> BucketList:
    """The buckets that the key may see: all for an admin key, else its identity's own."""
    context.access.require(caller, Action.LIST_BUCKETS)
    owner_id = None if caller.key.permissions.admin else caller.identity.id
    return BucketList(
        buckets=[
            bucket_info(bucket)
            async for bucket in every_bucket(context.store, owner_id)
            if in_scope(caller.key, bucket.name)
        ]
    )


@router.post(
    "", operation_id="create_bucket", status_code=201, responses=problems(400, 401, 403, 409)
)
async def create_bucket(new: NewBucket, context: Context, caller: Caller) -> BucketInfo:
    context.access.require_creation(caller, new.name)
    check_not_reserved(new.name)
    context.audit.about(new.name)
    bucket = await context.store.create_bucket(
        new.name, caller.identity.id, public=new.public, object_lock=new.object_lock
    )
    return bucket_info(bucket)


@router.get("/{bucket}", operation_id="get_bucket", responses=problems(401, 403, 404))
async def get_bucket(bucket: str, context: Context, caller: Caller) -> BucketInfo:
    found = await context.store.bucket(bucket)
    context.access.require(caller, Action.READ_BUCKET, found)
    return bucket_info(found)


@router.patch(
    "/{bucket}", operation_id="update_bucket", responses=problems(400, 401, 403, 404, 409)
)
async def update_bucket(
    bucket: str, patch: BucketPatch, context: Context, caller: Caller
) -> BucketInfo:
    """Make it public or private, and set how it behaves."""
    found = await context.store.bucket(bucket)
    context.access.require(caller, Action.WRITE_BUCKET, found)
    settings = None
    if patch.settings is not None:
        _require_claim(context, caller, found, patch.settings.host_aliases)
        settings = patch.settings.model_dump(exclude_unset=True)
    lock = None if patch.object_lock is None else patch.object_lock.configuration()
    change = BucketChange(public=patch.public, settings=settings, object_lock=lock)
    return bucket_info(await context.store.update_bucket(bucket, change))


@router.delete(
    "/{bucket}",
    operation_id="delete_bucket",
    status_code=204,
    responses=problems(401, 403, 404, 409),
)
async def delete_bucket(bucket: str, context: Context, caller: Caller) -> None:
    """Only when it is empty."""
    found = await context.store.bucket(bucket)
    context.access.require(caller, Action.DELETE_BUCKET, found)
    await context.store.delete_bucket(bucket)


def bucket_info(bucket: Bucket) -> BucketInfo:
    return BucketInfo(
        id=UUID(int=bucket.id),
        name=bucket.name,
        created_at=bucket.created_at,
        public=bucket.public,
        versioning=versioning_name(bucket.versioning),
        owner=bucket.owner_id,
        settings=_settings(bucket),
        object_lock=ObjectLock.of(bucket.object_lock),
    )


def _settings(bucket: Bucket) -> BucketSettings:
    """Only what this version knows of; settings of a later one are kept, not shown."""
    known = {k: v for k, v in bucket.settings.items() if k in BucketSettings.model_fields}
    try:
        return BucketSettings.model_validate(known)
    except ValidationError:
        return BucketSettings()


def _require_claim(
    context: Context, caller: Principal, bucket: Bucket, aliases: Iterable[str]
) -> None:
    """Only an admin may lead a host name to a bucket."""
    if not set(aliases) <= set(_settings(bucket).host_aliases):
        context.access.require(caller, Action.ADMINISTER)
