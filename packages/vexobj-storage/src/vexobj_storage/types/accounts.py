"""Identities and access keys."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Identity:
    """Who owns buckets, objects and keys. `id` is S3's canonical id: 64 hex digits."""

    id: str
    display_name: str
    email: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class AccessKeyRecord:
    """An access key as it is stored: the secret sealed, found again by a keyed hash of it.

    `permissions` is a bit set and `buckets` the scope (None for all): the caller's meaning.
    """

    access_key_id: str
    identity_id: str
    name: str
    sealed_secret: bytes
    secret_lookup: bytes
    permissions: int
    buckets: Sequence[str] | None
    created_at: datetime
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
