"""Access control lists as values: grants beside the owner, and the text a store keeps.

The owner always has full control, so it is never written down: the private ACL is the absence of
one, None. Every other ACL is text, one grant a line: `PERMISSION id CANONICAL-ID` or
`PERMISSION group NAME`. A grant by email is resolved to the identity's id before it is written.
Source: docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html.
"""

from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Literal

from vexobj_auth.types import Principal

ALL_USERS = "all-users"
AUTHENTICATED_USERS = "authenticated-users"

Grantee = Literal["id", "group"]


class AclPermission(Enum):
    """On a bucket READ lists and WRITE writes and deletes objects; on an object READ gets it."""

    READ = "READ"
    WRITE = "WRITE"
    READ_ACP = "READ_ACP"
    WRITE_ACP = "WRITE_ACP"
    FULL_CONTROL = "FULL_CONTROL"


@dataclass(frozen=True, slots=True)
class Grant:
    """`grantee` is a canonical id, or the name of a group."""

    permission: AclPermission
    kind: Grantee
    grantee: str


CANNED_ACLS: dict[str, tuple[Grant, ...]] = {
    "private": (),
    "public-read": (Grant(AclPermission.READ, "group", ALL_USERS),),
}
"""The canned ACLs that are known, by the names that `x-amz-acl` uses."""


def canned_acl(name: str) -> str | None:
    """The text of a canned ACL; None for `private`. Raises: KeyError when there is none such."""
    return write_acl(CANNED_ACLS[name])


def canned_name(text: str | None) -> str | None:
    """The name of the canned ACL that this text is; None when its grants are others."""
    grants = read_acl(text)
    return next((name for name, canned in CANNED_ACLS.items() if canned == grants), None)


def write_acl(grants: tuple[Grant, ...]) -> str | None:
    lines = (f"{grant.permission.value} {grant.kind} {grant.grantee}" for grant in grants)
    return "\n".join(lines) or None


@lru_cache(maxsize=4096)
def read_acl(text: str | None) -> tuple[Grant, ...]:
    """The grants of a stored ACL. A line that cannot be read grants nothing."""
    grants = []
    for line in (text or "").splitlines():
        words = line.split(" ")
        if len(words) != 3 or words[0] not in AclPermission.__members__ or not words[2]:
            continue
        permission = AclPermission[words[0]]
        if words[1] == "id":
            grants.append(Grant(permission, "id", words[2]))
        elif words[1] == "group":
            grants.append(Grant(permission, "group", words[2]))
    return tuple(grants)


def grants_access(text: str | None, permission: AclPermission, principal: Principal | None) -> bool:
    """Whether the ACL lets the caller do this; None is an anonymous caller."""
    if text is None:
        return False
    return any(
        (grant.permission is permission or grant.permission is AclPermission.FULL_CONTROL)
        and _is_for(grant, principal)
        for grant in read_acl(text)
    )


def _is_for(grant: Grant, principal: Principal | None) -> bool:
    if grant.kind == "group":
        return grant.grantee == ALL_USERS or (
            grant.grantee == AUTHENTICATED_USERS and principal is not None
        )
    return principal is not None and grant.grantee == principal.identity.id
