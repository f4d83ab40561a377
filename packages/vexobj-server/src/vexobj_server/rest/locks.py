"""`/v1/admin/lock`: the retention and the legal hold of an object, or of one version of it."""

from dataclasses import replace

from fastapi import APIRouter

from vexobj_auth import Action, Principal
from vexobj_server.rest.context import BypassGovernance, ByPath, ByQuery, Caller, Context, VersionId
from vexobj_server.rest.lock_models import LockInfo, NewLock, mode_name
from vexobj_server.rest.problems import problems
from vexobj_server.services.context import Services
from vexobj_server.transfer.errors import RestError
from vexobj_server.transfer.target import ObjectTarget
from vexobj_storage import (
    Bucket,
    NoSuchVersion,
    ObjectLock,
    Retention,
    RetentionMode,
)

router = APIRouter(prefix="/v1/admin/lock", tags=["admin"])

_PATH = "/{bucket}/{key:path}"
_QUERY = "/{bucket}"


_TOLD = problems(400, 401, 403, 404)
_CHANGED = problems(400, 401, 403, 404, 409)


@router.get(_PATH, operation_id="get_lock", responses=_TOLD)
async def get_lock(
    target: ByPath, context: Context, caller: Caller, version_id: VersionId = None
) -> LockInfo:
    return await _get(context, caller, target, version_id)


@router.get(_QUERY, operation_id="get_lock_by_key", responses=_TOLD)
async def get_lock_by_key(
    target: ByQuery, context: Context, caller: Caller, version_id: VersionId = None
) -> LockInfo:
    """As get_lock, with the key in the query."""
    return await _get(context, caller, target, version_id)


@router.put(_PATH, operation_id="set_lock", responses=_CHANGED)
async def set_lock(
    lock: NewLock,
    target: ByPath,
    context: Context,
    caller: Caller,
    version_id: VersionId = None,
    bypass_governance: BypassGovernance = False,
) -> LockInfo:
    """Replace retention and legal hold. A retention under way can only be extended: 409."""
    return await _set(
        context, caller, target, version_id, lock, bypass_governance=bypass_governance
    )


@router.put(_QUERY, operation_id="set_lock_by_key", responses=_CHANGED)
async def set_lock_by_key(
    lock: NewLock,
    target: ByQuery,
    context: Context,
    caller: Caller,
    version_id: VersionId = None,
    bypass_governance: BypassGovernance = False,
) -> LockInfo:
    """As set_lock, with the key in the query."""
    return await _set(
        context, caller, target, version_id, lock, bypass_governance=bypass_governance
    )


@router.delete(_PATH, operation_id="release_legal_hold", status_code=204, responses=_TOLD)
async def release_legal_hold(
    target: ByPath, context: Context, caller: Caller, version_id: VersionId = None
) -> None:
    """Lift the legal hold; a retention stays."""
    await _release(context, caller, target, version_id)


@router.delete(_QUERY, operation_id="release_legal_hold_by_key", status_code=204, responses=_TOLD)
async def release_legal_hold_by_key(
    target: ByQuery, context: Context, caller: Caller, version_id: VersionId = None
) -> None:
    """As release_legal_hold, with the key in the query."""
    await _release(context, caller, target, version_id)


async def _get(
    context: Services, caller: Principal, target: ObjectTarget, version_id: str | None
) -> LockInfo:
    bucket = await _bucket(context, caller, target)
    version = (await context.store.get_object(bucket, target.key, version_id)).version
    if version.is_delete_marker:
        raise NoSuchVersion(bucket.name, target.key.decode(), version.version_id)
    return _info(version.lock)


async def _set(
    context: Services,
    caller: Principal,
    target: ObjectTarget,
    version_id: str | None,
    wanted: NewLock,
    *,
    bypass_governance: bool,
) -> LockInfo:
    bucket = await _bucket(context, caller, target)
    if wanted.mode is not None and wanted.retain_until is None:
        raise RestError(400, "InvalidRequest", "invalid request", "mode: it needs retain_until")
    changed = await context.store.update_lock(
        bucket,
        target.key,
        version_id,
        lambda lock: _replaced(lock, wanted),
        bypass_governance=context.access.bypasses_governance(
            caller, bucket, asked=bypass_governance
        ),
    )
    return _info(changed.lock)


async def _release(
    context: Services, caller: Principal, target: ObjectTarget, version_id: str | None
) -> None:
    bucket = await _bucket(context, caller, target)
    await context.store.update_lock(
        bucket, target.key, version_id, lambda lock: replace(lock, legal_hold=False)
    )


async def _bucket(context: Services, caller: Principal, target: ObjectTarget) -> Bucket:
    bucket = await context.store.bucket(target.bucket)
    context.access.require(caller, Action.ADMINISTER, bucket)
    return bucket


def _replaced(lock: ObjectLock, wanted: NewLock) -> ObjectLock:
    """Without a mode a retention keeps its own, and a new one is in governance mode."""
    if wanted.retain_until is None:
        return ObjectLock(None, wanted.legal_hold)
    mode = RetentionMode.GOVERNANCE if lock.retention is None else lock.retention.mode
    if wanted.mode is not None:
        mode = RetentionMode[wanted.mode.upper()]
    return ObjectLock(Retention(mode, wanted.retain_until), wanted.legal_hold)


def _info(lock: ObjectLock) -> LockInfo:
    retention = lock.retention
    return LockInfo(
        retain_until=None if retention is None else retention.until,
        legal_hold=bool(lock.legal_hold),
        mode=None if retention is None else mode_name(retention.mode),
    )
