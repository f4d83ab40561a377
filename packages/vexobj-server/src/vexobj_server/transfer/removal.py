"""`DELETE` of an object, or of one version of it, on the native API."""

from starlette.types import Receive, Scope, Send

from vexobj_auth import Action
from vexobj_s3compat import respond
from vexobj_server.services.audit import OBJECT_DELETE, VERSION_DELETE, target_of
from vexobj_server.services.context import Services
from vexobj_server.transfer.callers import caller
from vexobj_server.transfer.headers import headers_of
from vexobj_server.transfer.target import object_target
from vexobj_storage import NoSuchKey, NoSuchVersion

_TRUE = frozenset({"true", "1"})


async def remove(services: Services, scope: Scope, receive: Receive, send: Send) -> None:
    target = object_target(scope)
    authorization = headers_of(scope).get("authorization")
    principal = await caller(services.identities, authorization)
    bucket = await services.store.bucket(target.bucket)
    services.access.require(principal, Action.DELETE_OBJECT, bucket)
    version_id = target.parameters.get("version_id")
    action = OBJECT_DELETE if version_id is None else VERSION_DELETE
    details = {} if version_id is None else {"version_id": version_id}
    where = target_of(bucket.name, target.key)
    with services.audit.recording(scope["state"], principal, action, where, **details):
        deleted = await services.store.delete_object(
            bucket,
            target.key,
            version_id,
            owner_id=bucket.owner_id if principal is None else principal.identity.id,
            bypass_governance=services.access.bypasses_governance(
                principal, bucket, asked=target.parameters.get("bypass_governance") in _TRUE
            ),
            hide_locked=False,
        )
    if not deleted.existed:
        key = target.key.decode()
        if version_id is not None:
            raise NoSuchVersion(bucket.name, key, version_id)
        raise NoSuchKey(bucket.name, key)
    await respond(scope, receive, send, 204, [])
