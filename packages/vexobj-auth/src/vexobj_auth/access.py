"""One function decides who may do what: pure, over values."""

from vexobj_auth.acl import AclPermission, grants_access
from vexobj_auth.permissions import Flag, allows
from vexobj_auth.types import AccessKey, Action, BucketFacts, ObjectFacts, Principal, Refusal

_FLAG: dict[Action, Flag] = {
    Action.LIST_BUCKETS: "read",
    Action.CREATE_BUCKET: "write",
    Action.DELETE_BUCKET: "delete",
    Action.READ_BUCKET: "read",
    Action.WRITE_BUCKET: "write",
    Action.LIST_OBJECTS: "read",
    Action.READ_OBJECT: "read",
    Action.WRITE_OBJECT: "write",
    Action.DELETE_OBJECT: "delete",
    Action.READ_ACL: "read",
    Action.WRITE_ACL: "write",
    Action.READ_TAGS: "read",
    Action.READ_LOCK: "read",
    Action.WRITE_LOCK: "write",
    Action.BYPASS_GOVERNANCE: "admin",
    Action.ADMINISTER: "admin",
}

_BUCKET_GRANT = {
    Action.READ_BUCKET: AclPermission.READ,
    Action.LIST_OBJECTS: AclPermission.READ,
    Action.WRITE_OBJECT: AclPermission.WRITE,
    Action.DELETE_OBJECT: AclPermission.WRITE,
}

_ACL_GRANT = {
    Action.READ_ACL: AclPermission.READ_ACP,
    Action.WRITE_ACL: AclPermission.WRITE_ACP,
}

_OWNED_WITH_THE_OBJECT = frozenset(
    {
        Action.READ_OBJECT,
        Action.READ_ACL,
        Action.WRITE_ACL,
        Action.READ_TAGS,
        Action.READ_LOCK,
    }
)


def decide(
    principal: Principal | None,
    action: Action,
    bucket: BucketFacts | None = None,
    obj: ObjectFacts | None = None,
) -> Refusal | None:
    """None when allowed. Key flags and scope first, then owner, ACL, public flag.

    `bucket` is the one concerned, None where no bucket is (LIST_BUCKETS, administration of the
    server); for CREATE_BUCKET its name counts alone. `obj` is None for an object that is not
    there: the answer then says whether the caller may learn so.

    LIST_BUCKETS allows to ask; `in_scope` says which of the buckets a key may be told of.
    """
    if principal is None:
        return None if _is_granted(None, action, bucket, obj) else Refusal(anonymous=True)
    refusal = _key_refusal(principal.key, action, bucket)
    if refusal is not None:
        return refusal
    if principal.key.permissions.admin or bucket is None or action is Action.CREATE_BUCKET:
        return None
    if _owns(principal.identity.id, action, bucket, obj):
        return None
    return None if _is_granted(principal, action, bucket, obj) else Refusal()


def in_scope(key: AccessKey, bucket: str) -> bool:
    return key.buckets is None or bucket in key.buckets


def _key_refusal(key: AccessKey, action: Action, bucket: BucketFacts | None) -> Refusal | None:
    if action is Action.CREATE_BUCKET:
        may = key.permissions.admin or (key.permissions.write and key.buckets is None)
        if not may:
            return Refusal(permission="admin")
    else:
        flag = _FLAG[action]
        if not allows(key.permissions, flag):
            return Refusal(permission=flag)
    if key.buckets is None:
        return None
    if bucket is None:
        # A scoped key that administers the server could give itself a wider one.
        return Refusal(scope="*") if action is Action.ADMINISTER else None
    return None if bucket.name in key.buckets else Refusal(scope=bucket.name)


def _owns(identity_id: str, action: Action, bucket: BucketFacts, obj: ObjectFacts | None) -> bool:
    """A bucket's owner owns what is in it; a guest's own objects are its to read and to share."""
    if bucket.owner_id == identity_id:
        return True
    return obj is not None and obj.owner_id == identity_id and action in _OWNED_WITH_THE_OBJECT


def _is_granted(
    principal: Principal | None,
    action: Action,
    bucket: BucketFacts | None,
    obj: ObjectFacts | None,
) -> bool:
    """By ACL or public flag.

    As on AWS a bucket's READ lists it and does not read its objects, and no ACL grants tags.
    """
    if bucket is None:
        return False
    if action is Action.READ_OBJECT:
        return bucket.public or (
            obj is not None and grants_access(obj.acl, AclPermission.READ, principal)
        )
    wanted = _ACL_GRANT.get(action)
    if wanted is not None:
        return grants_access(bucket.acl if obj is None else obj.acl, wanted, principal)
    wanted = _BUCKET_GRANT.get(action)
    return wanted is not None and grants_access(bucket.acl, wanted, principal)
