"""What the audit log tells, as its JSON says it."""

from typing import Any

from pydantic import Field

from vexobj_server.rest.models import Model, Moment


class AuditEntryInfo(Model):
    """One write. `resource` is a bucket, `bucket/key`, or the id of what was changed."""

    id: str
    timestamp: Moment
    action: str
    resource: str
    api_key_prefix: str | None = Field(description="None for an anonymous caller.")
    access_key_id: str | None
    actor: str | None = Field(description="The key's name at that time.")
    identity: str | None
    ip_address: str
    request_id: str
    details: dict[str, Any]


class AuditPage(Model):
    entries: list[AuditEntryInfo]
    limit: int
    offset: int
