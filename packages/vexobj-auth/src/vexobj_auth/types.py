"""Who is asking, with what key: values without I/O."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum


@dataclass(frozen=True, slots=True)
class Identity:
    """Owns buckets, objects and keys. `id` is S3's canonical id: 64 hex digits."""

    id: str
    display_name: str
    email: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Permissions:
    """Flags of a key. `admin` implies the others and overrides ownership."""

    read: bool = True
    write: bool = True
    delete: bool = False
    admin: bool = False


@dataclass(frozen=True, slots=True)
class AccessKey:
    """`buckets` None means all buckets. The secret is not here: it is sealed in the store."""

    access_key_id: str
    identity_id: str
    name: str
    permissions: Permissions
    buckets: frozenset[str] | None
    created_at: datetime
    expires_at: datetime | None = None
    last_used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Principal:
    """A proven caller: an identity by one of its keys. Anonymous callers are None instead."""

    identity: Identity
    key: AccessKey


class Action(Enum):
    """What a request wants to do, as far as access is concerned."""

    LIST_BUCKETS = "list_buckets"
    CREATE_BUCKET = "create_bucket"
    DELETE_BUCKET = "delete_bucket"
    READ_BUCKET = "read_bucket"
    WRITE_BUCKET = "write_bucket"
    LIST_OBJECTS = "list_objects"
    READ_OBJECT = "read_object"
    WRITE_OBJECT = "write_object"
    DELETE_OBJECT = "delete_object"
    READ_ACL = "read_acl"
    WRITE_ACL = "write_acl"
    READ_TAGS = "read_tags"
    READ_LOCK = "read_lock"
    WRITE_LOCK = "write_lock"
    BYPASS_GOVERNANCE = "bypass_governance"
    ADMINISTER = "administer"


@dataclass(frozen=True, slots=True)
class BucketFacts:
    """What access decisions need to know of a bucket; `acl` as `acl.py` writes it."""

    name: str
    owner_id: str
    public: bool = False
    acl: str | None = None


@dataclass(frozen=True, slots=True)
class ObjectFacts:
    owner_id: str
    acl: str | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why not; the edge words it.

    `permission` names the flag that the key lacks. `scope` names the bucket outside of the key's
    scope, `"*"` when only a key for all buckets would do. `anonymous` means that a proven caller
    might have been allowed. With none of them set the thing is another's: no detail is told.
    """

    permission: str | None = None
    scope: str | None = None
    anonymous: bool = False


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just made: the only moment at which its secret is known in clear."""

    key: AccessKey
    secret: str = field(repr=False)
