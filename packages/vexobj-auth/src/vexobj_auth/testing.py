"""What every KeyStore must do, as functions that take an empty store and raise AssertionError.

@pytest.mark.parametrize("check", KEY_STORE_CONTRACT, ids=lambda check: check.__name__)
async def test_contract(check, store):
    await check(store)
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from vexobj_auth.errors import AccessKeyAlreadyExists, NoSuchAccessKey, NoSuchIdentity
from vexobj_auth.identities import new_canonical_id, new_identity
from vexobj_auth.keys import KeyStore, SecretBox, StoredKey, make_key
from vexobj_auth.types import Identity, Permissions

KeyStoreCheck = Callable[[KeyStore], Awaitable[None]]

_NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
_BOX = SecretBox(bytes(32))
_SHARED = "wanted-by-two"


async def returns_identities_as_they_were_added(store: KeyStore) -> None:
    younger = new_identity("Bea", _NOW + timedelta(seconds=1), "bea@example.com")
    older = new_identity("Ada ☀", _NOW)
    await store.add_identity(younger)
    await store.add_identity(older)
    assert await store.identity(older.id) == older
    assert await store.identity(younger.id) == younger
    assert list(await store.identities()) == [older, younger]


async def knows_no_identity_that_was_not_added(store: KeyStore) -> None:
    try:
        await store.identity(new_canonical_id())
    except NoSuchIdentity:
        return
    raise AssertionError("NoSuchIdentity expected")


async def returns_keys_as_they_were_added(store: KeyStore) -> None:
    owner = await _identity(store)
    plain = _key(owner)
    special = _key(
        owner,
        permissions=Permissions(read=False, write=True, delete=True, admin=True),
        buckets=["a-bucket", "b.bucket"],
        expires_at=_NOW + timedelta(days=1),
        created_at=_NOW + timedelta(seconds=1),
    )
    nowhere = _key(owner, buckets=[], created_at=_NOW + timedelta(seconds=2))
    for stored in (special, plain, nowhere):
        await store.add_key(stored)
    for stored in (special, plain, nowhere):
        assert await store.key(stored.key.access_key_id) == stored
        assert await store.key_by_lookup(stored.secret_lookup) == stored
    assert list(await store.keys()) == [plain.key, special.key, nowhere.key]


async def lists_keys_by_identity(store: KeyStore) -> None:
    one, other = await _identity(store), await _identity(store)
    stored = _key(one)
    await store.add_key(stored)
    await store.add_key(_key(other))
    assert list(await store.keys(one.id)) == [stored.key]
    assert list(await store.keys(new_canonical_id())) == []


async def refuses_a_second_key_with_an_id_or_a_secret(store: KeyStore) -> None:
    owner = await _identity(store)
    first = _key(owner, access_key_id="VXFIRST", secret_access_key=_SHARED)
    await store.add_key(first)
    for again in (
        _key(owner, access_key_id="VXFIRST"),
        _key(owner, access_key_id="VXSECOND", secret_access_key=_SHARED),
    ):
        try:
            await store.add_key(again)
        except AccessKeyAlreadyExists:
            continue
        raise AssertionError("AccessKeyAlreadyExists expected")
    assert list(await store.keys()) == [first.key]


async def refuses_a_key_of_nobody(store: KeyStore) -> None:
    try:
        await store.add_key(_key(new_identity("nobody", _NOW)))
    except NoSuchIdentity:
        return
    raise AssertionError("NoSuchIdentity expected")


async def forgets_a_removed_key_at_once(store: KeyStore) -> None:
    stored = _key(await _identity(store))
    key_id = stored.key.access_key_id
    await store.add_key(stored)
    await store.remove_key(key_id)
    for find in (
        lambda: store.key(key_id),
        lambda: store.key_by_lookup(stored.secret_lookup),
        lambda: store.remove_key(key_id),
    ):
        try:
            await find()
        except NoSuchAccessKey:
            continue
        raise AssertionError("NoSuchAccessKey expected")
    assert list(await store.keys()) == []
    await store.add_key(stored)
    assert await store.key(key_id) == stored


async def remembers_the_last_use(store: KeyStore) -> None:
    stored = _key(await _identity(store))
    key_id = stored.key.access_key_id
    await store.add_key(stored)
    assert (await store.key(key_id)).key.last_used_at is None
    used_at = _NOW + timedelta(hours=1)
    await store.touch_key(key_id, used_at)
    assert (await store.key(key_id)).key.last_used_at == used_at
    await store.remove_key(key_id)
    await store.touch_key(key_id, used_at)
    assert list(await store.keys()) == []


KEY_STORE_CONTRACT: tuple[KeyStoreCheck, ...] = (
    returns_identities_as_they_were_added,
    knows_no_identity_that_was_not_added,
    returns_keys_as_they_were_added,
    lists_keys_by_identity,
    refuses_a_second_key_with_an_id_or_a_secret,
    refuses_a_key_of_nobody,
    forgets_a_removed_key_at_once,
    remembers_the_last_use,
)


async def _identity(store: KeyStore) -> Identity:
    identity = new_identity("someone", _NOW)
    await store.add_identity(identity)
    return identity


def _key(
    owner: Identity,
    *,
    permissions: Permissions = Permissions(),  # noqa: B008 - frozen
    buckets: list[str] | None = None,
    created_at: datetime = _NOW,
    expires_at: datetime | None = None,
    access_key_id: str | None = None,
    secret_access_key: str | None = None,
) -> StoredKey:
    _, stored = make_key(
        _BOX,
        identity_id=owner.id,
        name="a key",
        created_at=created_at,
        permissions=permissions,
        buckets=buckets,
        expires_at=expires_at,
        access_key_id=access_key_id,
        secret_access_key=secret_access_key,
    )
    return stored
