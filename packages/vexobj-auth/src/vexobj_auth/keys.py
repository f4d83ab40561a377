"""Access keys: making and importing them, sealing their secrets, finding them by a token.

Nothing here stores anything; `KeyStore` says what a store of keys must do.
"""

import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from vexobj_auth.errors import (
    AccessKeyExpired,
    InvalidAccessKeyId,
    InvalidSecretAccessKey,
    SealBroken,
)
from vexobj_auth.types import AccessKey, Identity, NewKey, Permissions, Principal

TOKEN_PREFIX = "vex_"  # noqa: S105 - the prefix is public, what follows it is not
_TOKEN = re.compile(r"vex_[0-9a-f]{64}")
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_SEAL_VERSION = b"\x01"
_NONCE_BYTES = 12
_DEFAULT = Permissions()


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key as a store keeps it: the secret sealed, and found again by a keyed hash of it."""

    key: AccessKey
    sealed_secret: bytes = field(repr=False)
    secret_lookup: bytes = field(repr=False)


class KeyStore(Protocol):
    """Identities and their keys. What one call did, every later call of anyone sees."""

    async def add_identity(self, identity: Identity) -> None: ...

    async def identity(self, identity_id: str) -> Identity:
        """Raises: NoSuchIdentity."""
        ...

    async def identities(self) -> Sequence[Identity]:
        """All of them, the oldest first."""
        ...

    async def add_key(self, stored: StoredKey) -> None:
        """Raises: NoSuchIdentity, AccessKeyAlreadyExists (the id, or the secret of another)."""
        ...

    async def key(self, access_key_id: str) -> StoredKey:
        """Raises: NoSuchAccessKey."""
        ...

    async def key_by_lookup(self, secret_lookup: bytes) -> StoredKey:
        """The key whose secret has this keyed hash. Raises: NoSuchAccessKey(None)."""
        ...

    async def keys(self, identity_id: str | None = None) -> Sequence[AccessKey]:
        """Of one identity or of all, the oldest first."""
        ...

    async def remove_key(self, access_key_id: str) -> None:
        """Nothing that it signed is worth anything afterwards. Raises: NoSuchAccessKey."""
        ...

    async def touch_key(self, access_key_id: str, used_at: datetime) -> None:
        """Remember the last use; a key that is gone meanwhile is no error."""
        ...


class SecretBox:
    """Seals secrets under the server's own secret (at least 32 random bytes)."""

    __slots__ = ("_aead", "_lookup_key")

    def __init__(self, server_secret: bytes) -> None:
        if len(server_secret) < 32:
            raise ValueError("the server secret has at least 32 bytes")
        self._aead = AESGCM(_derive(server_secret, b"vexobj seal v1"))
        self._lookup_key = _derive(server_secret, b"vexobj lookup v1")

    def seal(self, access_key_id: str, secret: str) -> bytes:
        """AES-256-GCM, bound to the key's id: a seal moved to another key does not open."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._aead.encrypt(nonce, secret.encode(), access_key_id.encode())
        return _SEAL_VERSION + nonce + sealed

    def open(self, access_key_id: str, sealed: bytes) -> str:
        """Raises: SealBroken."""
        nonce, ciphertext = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        if sealed[:1] != _SEAL_VERSION or len(ciphertext) < 16:
            raise SealBroken(access_key_id)
        try:
            return self._aead.decrypt(nonce, ciphertext, access_key_id.encode()).decode()
        except InvalidTag:
            raise SealBroken(access_key_id) from None

    def lookup(self, secret: str) -> bytes:
        """HMAC-SHA256 of a secret: equal secrets are found by it, nothing is learned from it."""
        return hmac.digest(self._lookup_key, secret.encode(), "sha256")


def make_key(
    box: SecretBox,
    *,
    identity_id: str,
    name: str,
    created_at: datetime,
    permissions: Permissions = _DEFAULT,
    buckets: Iterable[str] | None = None,
    expires_at: datetime | None = None,
    access_key_id: str | None = None,
    secret_access_key: str | None = None,
) -> tuple[NewKey, StoredKey]:
    """A new key, or an existing pair brought along from elsewhere.

    Raises: InvalidAccessKeyId, InvalidSecretAccessKey.
    """
    key_id = new_access_key_id() if access_key_id is None else access_key_id
    secret = new_token() if secret_access_key is None else secret_access_key
    check_access_key_id(key_id)
    check_secret_access_key(secret)
    key = AccessKey(
        access_key_id=key_id,
        identity_id=identity_id,
        name=name,
        permissions=permissions,
        buckets=None if buckets is None else frozenset(buckets),
        created_at=created_at,
        expires_at=expires_at,
    )
    return NewKey(key, secret), StoredKey(key, box.seal(key_id, secret), box.lookup(secret))


def new_token() -> str:
    """`vex_` and 64 hex digits: the secret of a generated key, and its bearer token."""
    return TOKEN_PREFIX + secrets.token_hex(32)


def is_token(text: str) -> bool:
    return text.startswith(TOKEN_PREFIX) and _TOKEN.fullmatch(text) is not None


def new_access_key_id() -> str:
    """20 upper-case letters and digits, as AWS clients expect them; 93 bits of chance."""
    return "VX" + "".join(secrets.choice(_ALPHABET) for _ in range(18))


def check_access_key_id(text: str) -> None:
    """3 to 128 printable ASCII characters that can stand in a credential scope.

    Raises: InvalidAccessKeyId.
    """
    if not 3 <= len(text) <= 128:
        raise InvalidAccessKeyId("an access key id has 3 to 128 characters")
    if not _is_graphic(text) or any(char in "/=,:" for char in text):
        raise InvalidAccessKeyId("an access key id has no spaces and none of / = , :")
    if text.startswith(TOKEN_PREFIX):
        raise InvalidAccessKeyId("an access key id travels in clear and must not be a token")


def check_secret_access_key(text: str) -> None:
    """8 to 128 printable ASCII characters. Raises: InvalidSecretAccessKey."""
    if not 8 <= len(text) <= 128:
        raise InvalidSecretAccessKey("a secret access key has 8 to 128 characters")
    if not _is_graphic(text):
        raise InvalidSecretAccessKey("a secret access key has printable ASCII and no spaces")


def prove(identity: Identity, key: AccessKey, now: datetime) -> Principal:
    """The caller that a valid proof by this key makes. Raises: AccessKeyExpired."""
    if key.expires_at is not None and key.expires_at <= now:
        raise AccessKeyExpired(key.access_key_id, key.expires_at)
    return Principal(identity, key)


def _derive(secret: bytes, purpose: bytes) -> bytes:
    return hmac.digest(hashlib.sha256(secret).digest(), purpose, "sha256")


def _is_graphic(text: str) -> bool:
    return all("!" <= char <= "~" for char in text)
