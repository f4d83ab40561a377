"""The client's call about the audit log."""

from datetime import datetime

from vexobj_sdk.connection import Connection, each, given
from vexobj_sdk.models import AuditEntry


class AuditCalls(Connection):
    def list_audit_entries(
        self,
        *,
        limit: int = 50,
        offset: int = 0,
        action: str | None = None,
        resource: str | None = None,
        access_key_id: str | None = None,
        identity: str | None = None,
        ip_address: str | None = None,
        request_id: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> list[AuditEntry]:
        """Who wrote what, the newest first; 1000 at most.

        An `action` that ends in a dot means all that begin so; a `resource` also what is below it.
        """
        query = given(
            limit=limit,
            offset=offset,
            action=action,
            resource=resource,
            access_key_id=access_key_id,
            identity=identity,
            ip_address=ip_address,
            request_id=request_id,
            since=None if since is None else since.isoformat(),
            until=None if until is None else until.isoformat(),
        )
        parse = each("entries", AuditEntry.parse)
        return self._json(parse, "GET", "/v1/admin/audit", params=query)
