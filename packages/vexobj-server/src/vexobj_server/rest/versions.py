"""`/v1/versions`: all that a key was. `/v1/admin/versioning`: whether a bucket keeps that."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from vexobj_auth import Action, Principal
from vexobj_server.rest.bucket_models import (
    BucketVersioning,
    VersioningChange,
    versioning_name,
)
from vexobj_server.rest.context import BypassGovernance, ByPath, ByQuery, Caller, Context
from vexobj_server.rest.models import PurgeResult, VersionInfo, VersionList
from vexobj_server.rest.problems import problems
from vexobj_server.services.context import Services
from vexobj_server.transfer.target import ObjectTarget
from vexobj_storage import Bucket, BucketChange, ObjectVersion, Versioning

router = APIRouter(prefix="/v1", tags=["versions"])

_PATH = "/versions/{bucket}/{key:path}"
_QUERY = "/versions/{bucket}"
_LISTED = problems(400, 401, 403, 404)
_PURGED = problems(400, 401, 403, 404, 409)


_Limit = Annotated[int, Query(ge=1, le=1000)]
_Token = Annotated[str | None, Query(description="From the page before.")]


@router.get(_PATH, operation_id="list_versions", responses=_LISTED)
async def list_versions(
    target: ByPath,
    context: Context,
    caller: Caller,
    max_versions: _Limit = 1000,
    continuation_token: _Token = None,
) -> VersionList:
    """The versions and delete markers of one key, newest first."""
    return await _versions(context, caller, target, continuation_token, max_versions)


@router.get(_QUERY, operation_id="list_versions_by_key", responses=_LISTED)
async def list_versions_by_key(
    target: ByQuery,
    context: Context,
    caller: Caller,
    max_versions: _Limit = 1000,
    continuation_token: _Token = None,
) -> VersionList:
    """As list_versions, with the key in the query."""
    return await _versions(context, caller, target, continuation_token, max_versions)


@router.delete(_PATH, operation_id="purge_versions", responses=_PURGED)
async def purge_versions(
    target: ByPath, context: Context, caller: Caller, bypass_governance: BypassGovernance = False
) -> PurgeResult:
    """Remove the object with all its versions. When one of them is locked, none goes: 409."""
    return await _purge(context, caller, target, bypass_governance=bypass_governance)


@router.delete(_QUERY, operation_id="purge_versions_by_key", responses=_PURGED)
async def purge_versions_by_key(
    target: ByQuery, context: Context, caller: Caller, bypass_governance: BypassGovernance = False
) -> PurgeResult:
    """As purge_versions, with the key in the query."""
    return await _purge(context, caller, target, bypass_governance=bypass_governance)


@router.get(
    "/admin/versioning/{bucket}",
    operation_id="get_versioning",
    responses=problems(401, 403, 404),
    tags=["admin"],
)
async def get_versioning(bucket: str, context: Context, caller: Caller) -> BucketVersioning:
    found = await context.store.bucket(bucket)
    context.access.require(caller, Action.ADMINISTER, found)
    return _versioning(found)


@router.post(
    "/admin/versioning/{bucket}",
    operation_id="enable_versioning",
    responses=problems(400, 401, 403, 404, 409),
    tags=["admin"],
)
async def enable_versioning(
    bucket: str, context: Context, caller: Caller, change: VersioningChange | None = None
) -> BucketVersioning:
    """Keep what is overwritten or deleted from now on; or suspend that."""
    found = await context.store.bucket(bucket)
    context.access.require(caller, Action.ADMINISTER, found)
    name = "enabled" if change is None else change.versioning
    wanted = BucketChange(versioning=Versioning[name.upper()])
    return _versioning(await context.store.update_bucket(bucket, wanted))


async def _versions(
    context: Services, caller: Principal, target: ObjectTarget, after: str | None, limit: int
) -> VersionList:
    bucket = await context.store.bucket(target.bucket)
    context.access.require(caller, Action.LIST_OBJECTS, bucket)
    page = await context.store.key_versions(bucket, target.key, after=after, limit=limit)
    return VersionList(
        versions=[_info(bucket, version) for version in page.items],
        is_truncated=page.after is not None,
        next_continuation_token=None if page.after is None else str(page.after),
    )


async def _purge(
    context: Services, caller: Principal, target: ObjectTarget, *, bypass_governance: bool
) -> PurgeResult:
    bucket = await context.store.bucket(target.bucket)
    context.access.require(caller, Action.DELETE_OBJECT, bucket)
    bypasses = context.access.bypasses_governance(caller, bucket, asked=bypass_governance)
    report = await context.store.purge(bucket, target.key, bypass_governance=bypasses)
    return PurgeResult(
        bucket=bucket.name,
        key=target.key.decode(),
        blobs_removed=report.contents,
        versions_removed=report.versions,
        bytes_removed=report.bytes,
    )


def _info(bucket: Bucket, version: ObjectVersion) -> VersionInfo:
    return VersionInfo(
        id=UUID(bytes=version.uid),
        bucket=bucket.name,
        key=version.key.decode(),
        version_id=version.version_id,
        size=version.size,
        content_type=version.attributes.content_type,
        etag=version.etag,
        sha256=None if version.sha256 is None else version.sha256.hex(),
        created_at=version.modified_at,
        is_latest=version.is_latest,
        is_delete_marker=version.is_delete_marker,
    )


def _versioning(bucket: Bucket) -> BucketVersioning:
    return BucketVersioning(bucket=bucket.name, versioning=versioning_name(bucket.versioning))
