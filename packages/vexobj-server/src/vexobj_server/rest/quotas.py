"""`/v1/admin/quota`: how much a bucket may hold. Every operation needs an admin key."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from vexobj_auth import Action
from vexobj_server.rest.context import Caller, Context
from vexobj_server.rest.models import Input, Model
from vexobj_server.rest.problems import problems
from vexobj_server.services.context import Services
from vexobj_storage import Bucket, Quota

router = APIRouter(prefix="/v1/admin/quota", tags=["admin"])

Limit = Annotated[int, Field(ge=0, le=2**53 - 1)]


class NewQuota(Input):
    """What is null or left out has no limit."""

    max_bytes: Limit | None = None
    max_objects: Limit | None = None


class BucketQuota(Model):
    """What holds, null being no limit; used are also noncurrent versions and unfinished parts.

    `is_default` says that it is the server's default rather than the bucket's own.
    """

    bucket: str
    max_bytes: int | None
    max_objects: int | None
    is_default: bool
    used_bytes: int
    used_objects: int


@router.get("/{bucket}", operation_id="get_quota", responses=problems(401, 403, 404))
async def get_quota(bucket: str, context: Context, caller: Caller) -> BucketQuota:
    """What the bucket may hold, and what it does."""
    context.access.require(caller, Action.ADMINISTER)
    return await _told(context, await context.store.bucket(bucket))


@router.put("/{bucket}", operation_id="set_quota", responses=problems(400, 401, 403, 404))
async def set_quota(bucket: str, new: NewQuota, context: Context, caller: Caller) -> BucketQuota:
    """From the next write on; a bucket that holds more keeps it, and does not grow."""
    context.access.require(caller, Action.ADMINISTER)
    quota = Quota(new.max_bytes, new.max_objects)
    return await _told(context, await context.store.set_quota(bucket, quota))


@router.delete("/{bucket}", operation_id="reset_quota", responses=problems(401, 403, 404))
async def reset_quota(bucket: str, context: Context, caller: Caller) -> BucketQuota:
    """Hold the bucket to the server's default again, if there is one."""
    context.access.require(caller, Action.ADMINISTER)
    return await _told(context, await context.store.set_quota(bucket, None))


async def _told(context: Services, bucket: Bucket) -> BucketQuota:
    used, quota = await context.store.usage(bucket), bucket.quota or Quota()
    return BucketQuota(
        bucket=bucket.name,
        max_bytes=quota.max_bytes,
        max_objects=quota.max_objects,
        is_default=not bucket.own_quota,
        used_bytes=used.all_bytes,
        used_objects=used.all_objects,
    )
