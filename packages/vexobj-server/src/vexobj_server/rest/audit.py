"""`/v1/admin/audit`: who wrote what. For admins."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from vexobj_auth import Action
from vexobj_server.rest.admin import PREFIX_LENGTH
from vexobj_server.rest.audit_models import AuditEntryInfo, AuditPage
from vexobj_server.rest.context import Caller, Context
from vexobj_server.rest.models import Moment
from vexobj_server.rest.problems import problems
from vexobj_storage import AuditEntry, AuditFilter

router = APIRouter(prefix="/v1/admin", tags=["admin"])


class _Wanted(BaseModel):
    limit: int = Field(50, ge=1, le=1000)
    offset: int = Field(0, ge=0, le=2**31 - 1)
    action: str | None = Field(None, description="`object.` means all that begin so.")
    resource: str | None = Field(None, description="It, and all that is below it.")
    access_key_id: str | None = None
    identity: str | None = None
    ip_address: str | None = None
    request_id: str | None = None
    since: Moment | None = Field(None, description="Included.")
    until: Moment | None = Field(None, description="Not included.")


@router.get("/audit", operation_id="list_audit_entries", responses=problems(400, 401, 403))
async def list_audit_entries(
    wanted: Annotated[_Wanted, Query()], context: Context, caller: Caller
) -> AuditPage:
    """The newest first. What is asked without `since` may read the whole log."""
    context.access.require(caller, Action.ADMINISTER)
    found = await context.store.audit_entries(
        AuditFilter(
            action=wanted.action,
            target=wanted.resource,
            access_key_id=wanted.access_key_id,
            identity_id=wanted.identity,
            address=wanted.ip_address,
            request_id=wanted.request_id,
            since=wanted.since,
            until=wanted.until,
        ),
        offset=wanted.offset,
        limit=wanted.limit,
    )
    return AuditPage(
        entries=[_info(entry) for entry in found], limit=wanted.limit, offset=wanted.offset
    )


def _info(entry: AuditEntry) -> AuditEntryInfo:
    key_id = entry.access_key_id
    return AuditEntryInfo(
        id=entry.id,
        timestamp=entry.at,
        action=entry.action,
        resource=entry.target,
        api_key_prefix=None if key_id is None else key_id[:PREFIX_LENGTH],
        access_key_id=key_id,
        actor=entry.actor,
        identity=entry.identity_id,
        ip_address=entry.address,
        request_id=entry.request_id,
        details=dict(entry.details),
    )
