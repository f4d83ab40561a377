"""`/v1/admin`: identities, keys and upkeep. Every operation needs an admin key."""

from fastapi import APIRouter

from vexobj_auth import (
    AccessKey,
    Action,
    Identity,
    Permissions,
    make_key,
    new_identity,
)
from vexobj_server.rest.context import Caller, Context
from vexobj_server.rest.models import (
    AllBuckets,
    ApiKey,
    ApiKeyList,
    CreatedApiKey,
    GcResult,
    IdentityInfo,
    IdentityList,
    KeyPermissions,
    NewApiKey,
    NewIdentity,
    SpecificBuckets,
)
from vexobj_server.rest.problems import problems
from vexobj_server.transfer.errors import RestError

router = APIRouter(prefix="/v1/admin", tags=["admin"])

PREFIX_LENGTH = 12
_WARNING = "Store this secret now: it is not shown again."


@router.get("/identities", operation_id="list_identities", responses=problems(401, 403))
async def list_identities(context: Context, caller: Caller) -> IdentityList:
    context.access.require(caller, Action.ADMINISTER)
    found = await context.keys.identities()
    return IdentityList(identities=[_identity_info(identity) for identity in found])


@router.post(
    "/identities",
    operation_id="create_identity",
    status_code=201,
    responses=problems(400, 401, 403),
)
async def create_identity(new: NewIdentity, context: Context, caller: Caller) -> IdentityInfo:
    """Someone who will own buckets and objects, and have keys."""
    context.access.require(caller, Action.ADMINISTER)
    try:
        identity = new_identity(new.display_name, context.clock(), new.email)
    except ValueError as wrong:
        raise RestError(400, "InvalidIdentity", "invalid identity", str(wrong)) from None
    context.audit.about(identity.id)
    await context.keys.add_identity(identity)
    return _identity_info(identity)


@router.get("/keys", operation_id="list_api_keys", responses=problems(401, 403))
async def list_api_keys(context: Context, caller: Caller) -> ApiKeyList:
    context.access.require(caller, Action.ADMINISTER)
    return ApiKeyList(keys=[_api_key(key) for key in await context.keys.keys()])


@router.post(
    "/keys",
    operation_id="create_api_key",
    status_code=201,
    responses=problems(400, 401, 403, 404, 409),
)
async def create_api_key(new: NewApiKey, context: Context, caller: Caller) -> CreatedApiKey:
    """Make a key, or bring along an existing pair. The secret is told only now."""
    context.access.require(caller, Action.ADMINISTER)
    if (new.access_key_id is None) != (new.secret_access_key is None):
        raise RestError(400, "InvalidKeyPair", "access_key_id and secret_access_key go together")
    permissions = Permissions(**new.permissions.model_dump())
    buckets = None if isinstance(new.bucket_access, AllBuckets) else new.bucket_access.buckets
    made, stored = make_key(
        context.box,
        identity_id=new.identity or caller.identity.id,
        name=new.name,
        created_at=context.clock(),
        permissions=permissions,
        buckets=buckets,
        expires_at=new.expires_at,
        access_key_id=new.access_key_id,
        secret_access_key=new.secret_access_key,
    )
    context.audit.about(made.key.access_key_id, name=new.name)
    await context.keys.add_key(stored)
    return CreatedApiKey(
        key=_api_key(made.key),
        access_key_id=made.key.access_key_id,
        secret=made.secret,
        warning=_WARNING,
    )


@router.delete(
    "/keys/{access_key_id}",
    operation_id="delete_api_key",
    status_code=204,
    responses=problems(401, 403, 404, 409),
)
async def delete_api_key(access_key_id: str, context: Context, caller: Caller) -> None:
    """Revoke it: no worker takes its next request. The last admin key stays."""
    context.access.require(caller, Action.ADMINISTER)
    now = context.clock()

    def administers(key: AccessKey) -> bool:
        lasts = key.expires_at is None or key.expires_at > now
        return lasts and key.permissions.admin and key.buckets is None

    if not await context.keys.remove_unless_last(access_key_id, administers):
        raise RestError(409, "LastAdminKey", "the last admin key cannot be deleted")


@router.post("/gc", operation_id="run_gc", responses=problems(401, 403))
async def run_gc(context: Context, caller: Caller) -> GcResult:
    """Collect what is due now, and say what still waits and until when."""
    context.access.require(caller, Action.ADMINISTER)
    await context.audit.note()
    report = await context.collect_garbage()
    return GcResult(
        blobs_scanned=report.condemned + report.removed + report.waiting,
        orphans_removed=report.removed,
        bytes_freed=report.bytes_freed,
        waiting=report.waiting,
        waiting_bytes=report.waiting_bytes,
        due_at=report.due_at,
    )


def _identity_info(identity: Identity) -> IdentityInfo:
    return IdentityInfo(
        id=identity.id,
        display_name=identity.display_name,
        email=identity.email,
        created_at=identity.created_at,
    )


def _api_key(key: AccessKey) -> ApiKey:
    granted = key.permissions
    return ApiKey(
        id=key.access_key_id,
        name=key.name,
        key_prefix=key.access_key_id[:PREFIX_LENGTH],
        identity=key.identity_id,
        created_at=key.created_at,
        expires_at=key.expires_at,
        last_used_at=key.last_used_at,
        permissions=KeyPermissions(
            read=granted.read, write=granted.write, delete=granted.delete, admin=granted.admin
        ),
        bucket_access=AllBuckets(type="all")
        if key.buckets is None
        else SpecificBuckets(type="specific", buckets=sorted(key.buckets)),
    )
