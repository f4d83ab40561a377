"""What every group of S3 operations shares: the store, who may, and who owns."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from vexobj_auth import Action, Principal
from vexobj_s3compat import Caller, Request, S3Backend
from vexobj_s3compat.errors import AccessDenied, InvalidRequest
from vexobj_s3compat.locks import NOT_ENABLED, check_future
from vexobj_s3compat.types import ObjectLockValue, Owner
from vexobj_server.s3.convert import retention_of
from vexobj_server.services.access import Access
from vexobj_server.services.audit import Audit
from vexobj_server.services.expirations import Expirations
from vexobj_server.services.identities import Identities
from vexobj_server.services.variants import Variants
from vexobj_storage import Bucket, ObjectLock, ObjectStore, ObjectVersion
from vexobj_storage.locks import UNLOCKED

I = TypeVar("I")  # noqa: E741 - an input, as vexobj_s3compat names it


class OperationGroup(S3Backend):
    """`region` is what GetBucketLocation tells; `inline_max_bytes` the store's own limit.

    `encrypts` as the store does.
    """

    def __init__(
        self,
        store: ObjectStore,
        access: Access,
        identities: Identities,
        variants: Variants,
        audit: Audit,
        *,
        region: str,
        inline_max_bytes: int,
        clock: Callable[[], datetime],
        expirations: Expirations,
        encrypts: bool,
    ) -> None:
        self._store = store
        self._access = access
        self._identities = identities
        self._variants = variants
        self._audit = audit
        self._region = region
        self._inline_max_bytes = inline_max_bytes
        self._clock = clock
        self._expirations = expirations
        self.encrypts = encrypts

    def _principal(self, request: Request[Any]) -> Principal | None:
        """Who asks; None for an anonymous caller. With authentication off, the root identity."""
        return self._acting(request.caller)

    def _acting(self, caller: Caller) -> Principal | None:
        principal: Principal | None = caller.principal
        return self._identities.everyone if principal is None else principal

    async def _allowed(self, request: Request[Any], action: Action, name: str) -> Bucket:
        """The bucket, if the caller may do this in it."""
        bucket = await self._store.bucket(name)
        self._access.require(self._principal(request), action, bucket)
        return bucket

    def _bypasses(self, request: Request[Any], bucket: Bucket, *, asked: bool) -> bool:
        """Whether retentions in governance mode yield to this caller, who asked them to."""
        principal = self._principal(request)
        return self._access.bypasses_governance(principal, bucket, asked=asked)

    def _lock_of_new(self, bucket: Bucket, asked: ObjectLockValue | None) -> ObjectLock:
        """What a writer wants a new version locked by.

        Raises:
            InvalidRequest: the bucket has no object lock.
            InvalidArgument: the retention would be over before it begins.
        """
        if asked is None:
            return UNLOCKED
        if bucket.object_lock is None:
            raise InvalidRequest(NOT_ENABLED)
        check_future(asked.retention, self._clock())
        return ObjectLock(retention_of(asked.retention), asked.legal_hold)

    async def _is_encrypted(self, version: ObjectVersion) -> bool:
        return self._store.may_be_sealed and await self._store.is_sealed(version)

    def _owner_of_new(self, request: Request[Any], bucket: Bucket) -> str:
        principal = self._principal(request)
        return bucket.owner_id if principal is None else principal.identity.id

    async def _owner(self, identity_id: str) -> Owner:
        return Owner(identity_id, await self._identities.display_name(identity_id))


def proven(principal: Principal | None) -> Principal:
    if principal is None:
        raise AccessDenied
    return principal
