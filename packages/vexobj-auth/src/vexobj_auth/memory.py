"""A `KeyStore` in memory: for tests, and for programs that keep no keys."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from vexobj_auth.errors import AccessKeyAlreadyExists, NoSuchAccessKey, NoSuchIdentity
from vexobj_auth.keys import StoredKey
from vexobj_auth.types import AccessKey, Identity


class MemoryKeyStore:
    """For one event loop; gone with the process."""

    def __init__(self) -> None:
        self._identities: dict[str, Identity] = {}
        self._keys: dict[str, StoredKey] = {}

    async def add_identity(self, identity: Identity) -> None:
        self._identities[identity.id] = identity

    async def identity(self, identity_id: str) -> Identity:
        try:
            return self._identities[identity_id]
        except KeyError:
            raise NoSuchIdentity(identity_id) from None

    async def identities(self) -> Sequence[Identity]:
        return sorted(self._identities.values(), key=lambda each: each.created_at)

    async def add_key(self, stored: StoredKey) -> None:
        key_id = stored.key.access_key_id
        await self.identity(stored.key.identity_id)
        taken = any(each.secret_lookup == stored.secret_lookup for each in self._keys.values())
        if taken or key_id in self._keys:
            raise AccessKeyAlreadyExists(key_id)
        self._keys[key_id] = stored

    async def key(self, access_key_id: str) -> StoredKey:
        try:
            return self._keys[access_key_id]
        except KeyError:
            raise NoSuchAccessKey(access_key_id) from None

    async def key_by_lookup(self, secret_lookup: bytes) -> StoredKey:
        for stored in self._keys.values():
            if stored.secret_lookup == secret_lookup:
                return stored
        raise NoSuchAccessKey(None)

    async def keys(self, identity_id: str | None = None) -> Sequence[AccessKey]:
        every = (stored.key for stored in self._keys.values())
        wanted = (key for key in every if identity_id in {None, key.identity_id})
        return sorted(wanted, key=lambda each: each.created_at)

    async def remove_key(self, access_key_id: str) -> None:
        await self.key(access_key_id)
        del self._keys[access_key_id]

    async def touch_key(self, access_key_id: str, used_at: datetime) -> None:
        stored = self._keys.get(access_key_id)
        if stored is not None:
            key = replace(stored.key, last_used_at=used_at)
            self._keys[access_key_id] = replace(stored, key=key)
