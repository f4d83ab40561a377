"""Who is asking: identities and access keys as the store keeps them, found again in no time."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar

from vexobj_auth import (
    AccessKey,
    AccessKeyAlreadyExists,
    Identity,
    NoSuchAccessKey,
    NoSuchIdentity,
    Principal,
    SecretBox,
    StoredKey,
    is_token,
    permissions_from_bits,
    permissions_to_bits,
)
from vexobj_storage import AccessKeyRecord, ObjectStore
from vexobj_storage import Identity as IdentityRecord
from vexobj_storage import errors as storage

T = TypeVar("T")

_CACHED = 10_000


@dataclass(frozen=True, slots=True)
class Proof:
    """What a caller must know to prove itself, and who it then is: a key that can sign."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    principal: Principal


class StoredKeys:
    """A `vexobj_auth.KeyStore` over the object store's tables."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    async def add_identity(self, identity: Identity) -> None:
        await self._store.add_identity(_identity_record(identity))

    async def first_identity(self, identity: Identity) -> Identity:
        """The oldest there is, which `identity` becomes where there is none."""
        return _identity(await self._store.first_identity(_identity_record(identity)))

    async def identity(self, identity_id: str) -> Identity:
        try:
            return _identity(await self._store.identity(identity_id))
        except storage.NoSuchIdentity as missing:
            raise NoSuchIdentity(identity_id) from missing

    async def identities(self) -> Sequence[Identity]:
        found = [_identity(record) for record in await self._store.identities()]
        return sorted(found, key=lambda identity: identity.created_at)

    async def add_key(self, stored: StoredKey) -> None:
        try:
            await self._store.add_access_key(_record(stored))
        except storage.NoSuchIdentity as missing:
            raise NoSuchIdentity(missing.identity_id) from missing
        except storage.AccessKeyAlreadyExists as taken:
            raise AccessKeyAlreadyExists(taken.access_key_id) from taken

    async def add_first_key(self, stored: StoredKey) -> bool:
        """False, and nothing done, when there is a key already."""
        return await self._store.add_first_access_key(_record(stored))

    async def replace_key(self, stored: StoredKey) -> None:
        """Raises: AccessKeyAlreadyExists, when the secret is taken."""
        try:
            await self._store.replace_access_key(_record(stored))
        except storage.AccessKeyAlreadyExists as taken:
            raise AccessKeyAlreadyExists(taken.access_key_id) from taken

    async def key(self, access_key_id: str) -> StoredKey:
        try:
            return _stored(await self._store.access_key(access_key_id))
        except storage.NoSuchAccessKey as missing:
            raise NoSuchAccessKey(access_key_id) from missing

    async def key_by_lookup(self, secret_lookup: bytes) -> StoredKey:
        try:
            return _stored(await self._store.access_key_by_lookup(secret_lookup))
        except storage.NoSuchAccessKey as missing:
            raise NoSuchAccessKey(None) from missing

    async def keys(self, identity_id: str | None = None) -> Sequence[AccessKey]:
        records = await self._store.access_keys(identity_id)
        return sorted((_stored(record).key for record in records), key=lambda key: key.created_at)

    async def remove_key(self, access_key_id: str) -> None:
        try:
            await self._store.remove_access_key(access_key_id)
        except storage.NoSuchAccessKey as missing:
            raise NoSuchAccessKey(access_key_id) from missing

    async def remove_unless_last(
        self, access_key_id: str, counts: Callable[[AccessKey], bool]
    ) -> bool:
        """False, and nothing removed, when it is the last of the keys that count.

        Raises: NoSuchAccessKey.
        """

        def spare(doomed: AccessKeyRecord, others: Sequence[AccessKeyRecord]) -> bool:
            return counts(_stored(doomed).key) and not any(
                counts(_stored(other).key) for other in others
            )

        try:
            return await self._store.remove_access_key(access_key_id, spare=spare)
        except storage.NoSuchAccessKey as missing:
            raise NoSuchAccessKey(access_key_id) from missing

    async def touch_key(self, access_key_id: str, used_at: datetime) -> None:
        await self._store.touch_access_key(access_key_id, used_at)


class Identities:
    """Finds callers by the id of their key or by its secret, as fresh as the store's last commit.

    What was found is remembered until any process changes an identity, a key or a bucket; that a
    key is unknown is never remembered. `everyone` is who acts where authentication is off.
    """

    def __init__(
        self,
        store: ObjectStore,
        box: SecretBox,
        *,
        everyone: Principal | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.everyone = everyone
        self._store = store
        self._keys = StoredKeys(store)
        self._box = box
        self._clock = clock
        self._epoch = -1
        self._proofs: dict[str | bytes, Proof] = {}
        self._names: dict[str, str] = {}
        self._used: set[str] = set()

    def find(self, access_key_id: str) -> Awaitable[Proof | None]:
        """By a key's id, or by its token where a client sends that as the id as well."""
        if is_token(access_key_id):
            return self.bearer(access_key_id)
        return self._found(access_key_id, self._keys.key, access_key_id)

    def bearer(self, token: str) -> Awaitable[Proof | None]:
        """By a key's secret: `Authorization: Bearer <secret>`."""
        lookup = self._box.lookup(token)
        return self._found(lookup, self._keys.key_by_lookup, lookup)

    async def display_name(self, identity_id: str) -> str:
        """Empty for an identity that is not there any more."""
        await self._refresh()
        known = self._names.get(identity_id)
        if known is None:
            try:
                known = (await self._keys.identity(identity_id)).display_name
            except NoSuchIdentity:
                return ""
            self._names[identity_id] = known
        return known

    async def flush_last_used(self) -> None:
        """Write down which keys were used since the last time; called now and then.

        A key that cannot be written stays for the next time and keeps no other one back.
        """
        now, failure = self._clock(), None
        for access_key_id in tuple(self._used):
            self._used.discard(access_key_id)
            try:
                await self._keys.touch_key(access_key_id, now)
            except Exception as error:  # noqa: BLE001 - the others may do better
                self._used.add(access_key_id)
                failure = error
        if failure is not None:
            raise failure

    async def _refresh(self) -> None:
        epoch = await self._store.epoch()
        if epoch != self._epoch or len(self._proofs) > _CACHED or len(self._names) > _CACHED:
            self._proofs.clear()
            self._names.clear()
            self._epoch = epoch

    async def _found(
        self, name: str | bytes, read: Callable[[T], Awaitable[StoredKey]], by: T
    ) -> Proof | None:
        await self._refresh()
        proof = self._proofs.get(name)
        if proof is None:
            epoch = self._epoch
            try:
                proof = await self._prove(await read(by))
            except NoSuchAccessKey:
                return None
            if epoch == self._epoch:  # else it may be older than what others have read since
                self._proofs[name] = proof
        return self._valid(proof)

    async def _prove(self, stored: StoredKey) -> Proof:
        key = stored.key
        identity = await self._keys.identity(key.identity_id)
        secret = self._box.open(key.access_key_id, stored.sealed_secret)
        return Proof(key.access_key_id, secret, Principal(identity, key))

    def _valid(self, proof: Proof) -> Proof | None:
        key = proof.principal.key
        if key.expires_at is not None and key.expires_at <= self._clock():
            return None
        self._used.add(key.access_key_id)
        return proof


def _identity_record(identity: Identity) -> IdentityRecord:
    return IdentityRecord(identity.id, identity.display_name, identity.email, identity.created_at)


def _identity(record: IdentityRecord) -> Identity:
    return Identity(record.id, record.display_name, record.email, record.created_at)


def _stored(record: AccessKeyRecord) -> StoredKey:
    key = AccessKey(
        access_key_id=record.access_key_id,
        identity_id=record.identity_id,
        name=record.name,
        permissions=permissions_from_bits(record.permissions),
        buckets=None if record.buckets is None else frozenset(record.buckets),
        created_at=record.created_at,
        expires_at=record.expires_at,
        last_used_at=record.last_used_at,
    )
    return StoredKey(key, record.sealed_secret, record.secret_lookup)


def _record(stored: StoredKey) -> AccessKeyRecord:
    key = stored.key
    return AccessKeyRecord(
        access_key_id=key.access_key_id,
        identity_id=key.identity_id,
        name=key.name,
        sealed_secret=stored.sealed_secret,
        secret_lookup=stored.secret_lookup,
        permissions=permissions_to_bits(key.permissions),
        buckets=None if key.buckets is None else sorted(key.buckets),
        created_at=key.created_at,
        expires_at=key.expires_at,
        last_used_at=key.last_used_at,
    )
