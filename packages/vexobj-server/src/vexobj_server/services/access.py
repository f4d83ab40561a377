"""The one authorisation function of the server; every path to a bucket or object goes through it.

It holds no rules of its own: it gathers the facts, asks `vexobj_auth.decide`, and remembers.
"""

from dataclasses import dataclass

from vexobj_auth import Action, BucketFacts, ObjectFacts, Principal, Refusal, decide
from vexobj_storage import (
    Bucket,
    NoSuchKey,
    NoSuchVersion,
    ObjectStore,
    ObjectVersion,
    StoredObject,
)

_REMEMBERED = 4096

_Key = tuple[str | None, int, Action, str | None, str | None]


@dataclass(eq=False)
class AccessRefused(Exception):
    """The caller may not do this; `refusal` says why, `bucket` where."""

    refusal: Refusal
    bucket: str | None = None


@dataclass(frozen=True, slots=True)
class _Decision:
    """Holds only while both values are the very ones it was made of: any change brings new ones."""

    principal: Principal | None
    bucket: Bucket
    refusal: Refusal | None


class Access:
    """Decides, and caches what was decided per key, bucket, action and object owner and ACL.

    Principals and buckets come from caches that are checked against the store's epoch, so a
    decision made of the same two objects is as fresh as they are.
    """

    def __init__(self) -> None:
        self._decisions: dict[_Key, _Decision] = {}

    def refusal(
        self,
        principal: Principal | None,
        action: Action,
        bucket: Bucket | None = None,
        version: ObjectVersion | None = None,
    ) -> Refusal | None:
        """None when allowed."""
        if bucket is None:
            return decide(principal, action)
        owner_id = acl = None
        if version is not None:
            owner_id, acl = version.attributes.owner_id, version.attributes.acl
        access_key_id = None if principal is None else principal.key.access_key_id
        key = (access_key_id, bucket.id, action, owner_id, acl)
        known = self._decisions.get(key)
        if known is not None and known.principal is principal and known.bucket is bucket:
            return known.refusal
        facts = None if owner_id is None else ObjectFacts(owner_id, acl)
        refusal = decide(principal, action, bucket_facts(bucket), facts)
        if len(self._decisions) >= _REMEMBERED:
            self._decisions.clear()
        self._decisions[key] = _Decision(principal, bucket, refusal)
        return refusal

    def require(
        self,
        principal: Principal | None,
        action: Action,
        bucket: Bucket | None = None,
        version: ObjectVersion | None = None,
    ) -> None:
        """Raises: AccessRefused."""
        refusal = self.refusal(principal, action, bucket, version)
        if refusal is not None:
            raise AccessRefused(refusal, None if bucket is None else bucket.name)

    def require_creation(self, principal: Principal | None, name: str) -> None:
        """Whether the caller may create a bucket of this name. Raises: AccessRefused."""
        refusal = decide(principal, Action.CREATE_BUCKET, BucketFacts(name, owner_id=""))
        if refusal is not None:
            raise AccessRefused(refusal, name)

    def bypasses_governance(
        self, principal: Principal | None, bucket: Bucket, *, asked: bool
    ) -> bool:
        """Whether retentions in governance mode yield to this caller, who asked them to."""
        return asked and self.refusal(principal, Action.BYPASS_GOVERNANCE, bucket) is None

    async def readable(
        self,
        store: ObjectStore,
        principal: Principal | None,
        bucket: Bucket,
        key: bytes,
        version_id: str | None = None,
        action: Action = Action.READ_OBJECT,
    ) -> StoredObject:
        """One lookup, and only for who may know its outcome: absence is told to who may list.

        Raises: AccessRefused, NoSuchKey, NoSuchVersion.
        """
        try:
            stored = await store.get_object(bucket, key, version_id)
        except (NoSuchKey, NoSuchVersion):
            self.require(principal, Action.LIST_OBJECTS, bucket)
            raise
        self.require(principal, action, bucket, stored.version)
        return stored


def bucket_facts(bucket: Bucket) -> BucketFacts:
    return BucketFacts(bucket.name, bucket.owner_id, bucket.public, bucket.acl)
