"""Keys: the operator's master key wraps random root keys, of which each blob's own is derived.

data key = HKDF-SHA256(root key, salt = blob id, info = "vexobj blob 1")     (RFC 5869)
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
_NONCE_BYTES = 12


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A root key as it is stored: of use to nobody without the master key named."""

    key_id: int
    master_key_id: str
    wrapped: bytes


@dataclass(frozen=True, slots=True)
class RootKey:
    """`id` is 1 to 65535 and never used for another key."""

    id: int
    secret: bytes = field(repr=False)

    def data_key(self, blob_id: bytes) -> bytes:
        """The key of one blob. Blob ids are never used twice, so neither is this."""
        return _derive(self.secret, b"vexobj blob 1", blob_id)

    def derive(self, purpose: str) -> bytes:
        """A key for something else, told apart by `purpose`."""
        return _derive(self.secret, b"vexobj derived 1: " + purpose.encode())


class MasterKey:
    """The operator's key of 32 bytes; `id` may be shown to anybody."""

    __slots__ = ("_cipher", "id")

    def __init__(self, secret: bytes) -> None:
        if len(secret) != KEY_BYTES:
            raise ValueError(f"a master key has {KEY_BYTES} bytes")
        self.id = _derive(secret, b"vexobj master key id 1")[:4].hex()
        self._cipher = AESGCM(_derive(secret, b"vexobj master key wrap 1"))

    def __repr__(self) -> str:
        return f"MasterKey({self.id})"

    def wrap(self, key: RootKey) -> WrappedKey:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        wrapped = nonce + self._cipher.encrypt(nonce, key.secret, _name(key.id))
        return WrappedKey(key.id, self.id, wrapped)

    def unwrap(self, stored: WrappedKey) -> RootKey | None:
        """None for what this key has not wrapped, or what was changed since."""
        nonce, sealed = stored.wrapped[:_NONCE_BYTES], stored.wrapped[_NONCE_BYTES:]
        try:
            secret = self._cipher.decrypt(nonce, sealed, _name(stored.key_id))
        except (InvalidTag, ValueError):
            return None
        return RootKey(stored.key_id, secret)


def new_root_key(key_id: int) -> RootKey:
    return RootKey(key_id, secrets.token_bytes(KEY_BYTES))


def unwrap(stored: WrappedKey, masters: Sequence[MasterKey]) -> RootKey | None:
    """By whichever of `masters` has wrapped it."""
    for master in masters:
        if master.id == stored.master_key_id:
            return master.unwrap(stored)
    return None


def _name(key_id: int) -> bytes:
    return b"vexobj root key %d" % key_id


def _derive(secret: bytes, info: bytes, salt: bytes | None = None) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, salt, info).derive(secret)
