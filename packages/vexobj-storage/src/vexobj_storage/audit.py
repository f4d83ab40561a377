"""The store's audit log, as it is read and kept; `recording` says what is written to it."""

import json
from collections.abc import Sequence
from datetime import datetime

from vexobj_storage.core import Core
from vexobj_storage.metadata import rows
from vexobj_storage.metadata.ops import audit
from vexobj_storage.metadata.ops.audit import AuditEntry, AuditFilter
from vexobj_storage.metadata.tx import Row

_PIECE = 1000


class Audit(Core):
    async def note(self) -> None:
        """Make the current entry durable by itself, for what may turn out to write nothing."""
        await self._metadata.write(audit.note)

    async def audit_entries(
        self, wanted: AuditFilter | None = None, *, offset: int = 0, limit: int = 50
    ) -> Sequence[AuditEntry]:
        """Newest first."""
        found = await self._metadata.scan(audit.entries, wanted or AuditFilter(), offset, limit)
        return [_entry(row) for row in found]

    async def trim_audit(self, before: datetime) -> int:
        """Remove the entries from before that time, in bounded transactions; how many."""
        trimmed, before_us = 0, rows.to_us(before)
        while count := await self._metadata.write(audit.trim, before_us, _PIECE):
            trimmed += count
        return trimmed


def _entry(row: Row) -> AuditEntry:
    at_us, nonce, action, target, key_id, identity_id, actor, address, request_id, details = row
    at, told = rows.to_datetime(at_us), {} if details is None else json.loads(details)
    return AuditEntry(
        at, nonce, action, target, key_id, identity_id, actor, address, request_id, told
    )
