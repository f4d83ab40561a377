"""The store's identities and access keys: kept, and found again; what they may do is not known."""

from collections.abc import Sequence
from datetime import datetime

from vexobj_storage.core import Core
from vexobj_storage.metadata.ops import identities
from vexobj_storage.metadata.ops.identities import Spare
from vexobj_storage.metadata.rows import to_us
from vexobj_storage.types import AccessKeyRecord, Identity


class Accounts(Core):
    async def add_identity(self, identity: Identity) -> None:
        """Idempotent: of two with one id the first stays."""
        await self._metadata.write(identities.create_identity, identity)

    async def first_identity(self, identity: Identity) -> Identity:
        """The oldest there is; `identity` becomes it where there is none, and one of many does."""
        return await self._metadata.write(identities.first_identity, identity)

    async def identity(self, identity_id: str) -> Identity:
        """Raises: NoSuchIdentity."""
        return await self._metadata.read(identities.get_identity, identity_id)

    async def identities(self) -> Sequence[Identity]:
        """All of them, by id."""
        return await self._metadata.scan(identities.list_identities)

    async def add_access_key(self, record: AccessKeyRecord) -> None:
        """Raises: NoSuchIdentity; AccessKeyAlreadyExists when the id or the secret is taken."""
        await self._metadata.write(identities.create_access_key, record)

    async def add_first_access_key(self, record: AccessKeyRecord) -> bool:
        """False, and nothing done, when there is a key already. Raises: NoSuchIdentity."""
        return await self._metadata.write(identities.create_first_access_key, record)

    async def replace_access_key(self, record: AccessKeyRecord) -> None:
        """In the place of the one of that id, if there is one, at once.

        Raises: NoSuchIdentity; AccessKeyAlreadyExists when the secret is taken.
        """
        await self._metadata.write(identities.replace_access_key, record)

    async def access_key(self, access_key_id: str) -> AccessKeyRecord:
        """Raises: NoSuchAccessKey."""
        return await self._metadata.read(identities.get_access_key, access_key_id)

    async def access_key_by_lookup(self, secret_lookup: bytes) -> AccessKeyRecord:
        """By the keyed hash of its secret. Raises: NoSuchAccessKey (with an empty id)."""
        return await self._metadata.read(identities.find_access_key, secret_lookup)

    async def access_keys(self, identity_id: str | None = None) -> Sequence[AccessKeyRecord]:
        """Of one identity, or all of them, by id."""
        return await self._metadata.scan(identities.list_access_keys, identity_id)

    async def remove_access_key(self, access_key_id: str, *, spare: Spare | None = None) -> bool:
        """False, and nothing removed, when `spare` wants the key kept seeing all the others.

        Of several removals at once each sees what the ones before it left.

        Raises: NoSuchAccessKey.
        """
        return await self._metadata.write(identities.delete_access_key, access_key_id, spare)

    async def touch_access_key(self, access_key_id: str, used_at: datetime) -> None:
        """Remember the latest use; outdates no cache, and an unknown key is not an error."""
        await self._metadata.write(identities.touch_access_key, access_key_id, to_us(used_at))
