"""Flags of a key as a bit set, the form in which a store keeps them."""

from typing import Literal

from vexobj_auth.types import Permissions

Flag = Literal["read", "write", "delete", "admin"]

READ, WRITE, DELETE, ADMIN = 1, 2, 4, 8
ALL_PERMISSIONS = Permissions(read=True, write=True, delete=True, admin=True)


def permissions_to_bits(permissions: Permissions) -> int:
    return (
        (READ if permissions.read else 0)
        | (WRITE if permissions.write else 0)
        | (DELETE if permissions.delete else 0)
        | (ADMIN if permissions.admin else 0)
    )


def permissions_from_bits(bits: int) -> Permissions:
    """Bits this version does not know are dropped: an unknown flag never grants anything."""
    return Permissions(
        read=bool(bits & READ),
        write=bool(bits & WRITE),
        delete=bool(bits & DELETE),
        admin=bool(bits & ADMIN),
    )


def allows(permissions: Permissions, flag: Flag) -> bool:
    """Whether the flag is held; `admin` implies the others."""
    return permissions.admin or bool(getattr(permissions, flag))
