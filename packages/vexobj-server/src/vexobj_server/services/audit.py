"""The audit log's entries: made of a request, its caller and what is done. It decides nothing.

`ACTIONS` and `NATIVE_ACTIONS` name every write of the S3 and of the native API; what stands in
neither is a read.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from vexobj_auth import Principal
from vexobj_storage import AuditEntry, ObjectStore, current_entry, new_nonce, recording, set_entry

OBJECT_CREATE = "object.create"
OBJECT_DELETE = "object.delete"
VERSION_DELETE = "object.version.delete"

ACTIONS: Mapping[str, str] = {
    "AbortMultipartUpload": "upload.abort",
    "CompleteMultipartUpload": OBJECT_CREATE,
    "CopyObject": "object.copy",
    "CreateBucket": "bucket.create",
    "CreateMultipartUpload": "upload.create",
    "DeleteBucket": "bucket.delete",
    "DeleteBucketEncryption": "bucket.encryption.clear",
    "DeleteBucketLifecycle": "bucket.lifecycle.clear",
    "DeleteObject": OBJECT_DELETE,
    "DeleteObjects": OBJECT_DELETE,
    "PutBucketAcl": "bucket.acl.set",
    "PutBucketEncryption": "bucket.encryption.set",
    "PutBucketLifecycleConfiguration": "bucket.lifecycle.set",
    "PutBucketVersioning": "bucket.versioning.set",
    "PutObject": OBJECT_CREATE,
    "PutObjectAcl": "object.acl.set",
    "PutObjectLegalHold": "object.lock.set",
    "PutObjectLockConfiguration": "bucket.lock.set",
    "PutObjectRetention": "object.lock.set",
    "UploadPart": "upload.part.create",
    "UploadPartCopy": "upload.part.copy",
}
NATIVE_ACTIONS: Mapping[str, str] = {
    "accept_clock": "clock.accept",
    "create_api_key": "key.create",
    "create_backup": "backup.create",
    "create_bucket": "bucket.create",
    "create_identity": "identity.create",
    "create_lifecycle_rule": "bucket.lifecycle.set",
    "create_webhook": "webhook.create",
    "delete_api_key": "key.delete",
    "delete_bucket": "bucket.delete",
    "delete_deliveries": "webhook.delivery.delete",
    "delete_lifecycle_rule": "bucket.lifecycle.clear",
    "delete_object": OBJECT_DELETE,
    "delete_object_by_key": OBJECT_DELETE,
    "delete_webhook": "webhook.delete",
    "reset_quota": "bucket.quota.clear",
    "enable_versioning": "bucket.versioning.set",
    "purge_versions": "object.versions.purge",
    "purge_versions_by_key": "object.versions.purge",
    "put_object": OBJECT_CREATE,
    "put_object_by_key": OBJECT_CREATE,
    "replay_deliveries": "webhook.delivery.replay",
    "release_legal_hold": "object.lock.legal_hold.release",
    "release_legal_hold_by_key": "object.lock.legal_hold.release",
    "run_gc": "gc.run",
    "release_finding": "scrub.finding.release",
    "run_lifecycle": "lifecycle.run",
    "set_lifecycle": "bucket.lifecycle.set",
    "set_quota": "bucket.quota.set",
    "set_lock": "object.lock.set",
    "set_lock_by_key": "object.lock.set",
    "start_scrub": "scrub.start",
    "stream_upload": OBJECT_CREATE,
    "test_webhook": "webhook.test",
    "update_bucket": "bucket.update",
    "update_webhook": "webhook.update",
}

_NOTHING: Mapping[str, Any] = {}


class Audit:
    """Disabled it records nothing. `retention` None keeps entries for ever."""

    def __init__(
        self,
        store: ObjectStore,
        clock: Callable[[], datetime],
        retention: timedelta | None,
        *,
        enabled: bool,
    ) -> None:
        self._store = store
        self._clock = clock
        self._retention = retention
        self.enabled = enabled

    def recording(
        self,
        state: Mapping[str, Any],
        principal: Principal | None,
        action: str,
        target: str,
        **details: Any,
    ) -> AbstractContextManager[None]:
        """Writes within are the caller's; `state` is that of the request's scope."""
        entry = self._entry(state, principal, action, target, details) if self.enabled else None
        return recording(entry)

    def begin(
        self,
        state: Mapping[str, Any],
        principal: Principal | None,
        action: str,
        target: str,
        details: Mapping[str, Any] = _NOTHING,
    ) -> None:
        """As `recording`, until whoever handles the request sets another entry, or none."""
        if self.enabled:
            set_entry(self._entry(state, principal, action, target, details))

    def about(self, target: str, **details: Any) -> None:
        """Say what the current action is about, where the request's URL did not."""
        entry = current_entry()
        if entry is not None:
            set_entry(replace(entry, target=target, details={**entry.details, **details}))

    async def note(self) -> None:
        """Record the current action by itself: it may write nothing else."""
        if self.enabled:
            await self._store.note()

    async def trim(self) -> int:
        """Drop what is older than the retention; how many entries that were."""
        if self._retention is None:
            return 0
        return await self._store.trim_audit(self._clock() - self._retention)

    def _entry(
        self,
        state: Mapping[str, Any],
        principal: Principal | None,
        action: str,
        target: str,
        details: Mapping[str, Any],
    ) -> AuditEntry:
        key_id = identity_id = actor = None
        if principal is not None:
            key, identity_id = principal.key, principal.identity.id
            key_id, actor = key.access_key_id, key.name
        return AuditEntry(
            self._clock(),
            new_nonce(),
            action,
            target,
            key_id,
            identity_id,
            actor,
            state["address"],
            state["request_id"],
            details,
        )


def target_of(bucket: str, key: bytes | None = None) -> str:
    return bucket if key is None else f"{bucket}/{key.decode('utf-8', 'replace')}"
