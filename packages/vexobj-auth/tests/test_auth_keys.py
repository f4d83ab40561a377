from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vexobj_auth import (
    AccessKeyExpired,
    InvalidAccessKeyId,
    InvalidSecretAccessKey,
    KeyStore,
    MemoryKeyStore,
    Permissions,
    SealBroken,
    SecretBox,
    check_access_key_id,
    check_secret_access_key,
    is_token,
    make_key,
    new_access_key_id,
    new_canonical_id,
    new_identity,
    new_token,
    permissions_from_bits,
    permissions_to_bits,
    prove,
)
from vexobj_auth.testing import KEY_STORE_CONTRACT, KeyStoreCheck

NOW = datetime(2026, 1, 1, tzinfo=UTC)
BOX = SecretBox(b"s" * 32)


@pytest.mark.parametrize("check", KEY_STORE_CONTRACT, ids=lambda check: check.__name__)
async def test_memory_key_store(check: KeyStoreCheck) -> None:
    store: KeyStore = MemoryKeyStore()
    await check(store)


def test_generated_pairs_have_the_shape_that_clients_know() -> None:
    made, stored = make_key(BOX, identity_id="i", name="n", created_at=NOW)
    assert is_token(made.secret)
    assert len(made.secret) == 68
    assert len(made.key.access_key_id) == 20
    assert made.key.access_key_id.isalnum()
    assert made.key.access_key_id.isupper()
    assert BOX.open(made.key.access_key_id, stored.sealed_secret) == made.secret
    assert stored.secret_lookup == BOX.lookup(made.secret)


def test_generated_values_do_not_repeat() -> None:
    assert len({new_access_key_id() for _ in range(500)}) == 500
    assert len({new_token() for _ in range(500)}) == 500
    assert len({new_canonical_id() for _ in range(500)}) == 500


@pytest.mark.parametrize(
    ("access_key_id", "secret"),
    [
        ("minioadmin", "minioadmin"),
        ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        (
            "GK31c2f218a2e44f485b94239e",
            "b892c0665f0ada8a4755dae98baa3b133590e11dae3bcc1f9d769d67f16c",
        ),
        ("abc", "12345678"),
        ("a" * 128, "!" * 128),
    ],
)
def test_existing_pairs_may_be_brought_along(access_key_id: str, secret: str) -> None:
    made, stored = make_key(
        BOX,
        identity_id="i",
        name="n",
        created_at=NOW,
        access_key_id=access_key_id,
        secret_access_key=secret,
    )
    assert (made.key.access_key_id, made.secret) == (access_key_id, secret)
    assert BOX.open(access_key_id, stored.sealed_secret) == secret


@pytest.mark.parametrize(
    "access_key_id",
    ["", "ab", "a" * 129, "a b c", "a/b/c", "a=b", "a,b,c", "a:b:c", "ключ", "vex_abc"],
)
def test_ids_that_no_credential_scope_can_hold(access_key_id: str) -> None:
    with pytest.raises(InvalidAccessKeyId):
        check_access_key_id(access_key_id)


@pytest.mark.parametrize(
    "secret", ["", "1234567", "x" * 129, "with space", "caf\u00e9-caf\u00e9", "a\nb45678"]
)
def test_secrets_that_no_client_could_send(secret: str) -> None:
    with pytest.raises(InvalidSecretAccessKey):
        check_secret_access_key(secret)


@pytest.mark.parametrize(
    "text",
    ["vex_", "vex_" + "g" * 64, "vex_" + "a" * 63, "VEX_" + "a" * 64, "vex_" + "a" * 64 + "\n"],
)
def test_what_is_no_token(text: str) -> None:
    assert not is_token(text)


def test_a_seal_opens_for_its_own_key_and_server_alone() -> None:
    sealed = BOX.seal("VXONE", "secret-of-one")
    assert BOX.open("VXONE", sealed) == "secret-of-one"
    with pytest.raises(SealBroken):
        BOX.open("VXTWO", sealed)
    with pytest.raises(SealBroken):
        SecretBox(b"t" * 32).open("VXONE", sealed)
    assert BOX.seal("VXONE", "secret-of-one") != sealed
    assert b"secret" not in sealed


@given(st.binary(max_size=80))
def test_a_damaged_seal_is_told(data: bytes) -> None:
    with pytest.raises(SealBroken):
        BOX.open("VXONE", data)


def test_the_lookup_depends_on_the_server() -> None:
    assert BOX.lookup("a-token") == SecretBox(b"s" * 32).lookup("a-token")
    assert BOX.lookup("a-token") != SecretBox(b"t" * 32).lookup("a-token")


def test_a_short_server_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        SecretBox(b"short")


def test_no_repr_shows_a_secret() -> None:
    made, stored = make_key(BOX, identity_id="i", name="n", created_at=NOW)
    assert made.secret not in repr(made)
    assert repr(stored.sealed_secret) not in repr(stored)
    assert repr(stored.secret_lookup) not in repr(stored)


@given(st.builds(Permissions, st.booleans(), st.booleans(), st.booleans(), st.booleans()))
def test_permissions_survive_as_bits(permissions: Permissions) -> None:
    assert permissions_from_bits(permissions_to_bits(permissions)) == permissions


def test_unknown_bits_grant_nothing() -> None:
    assert permissions_from_bits(0xFF0) == Permissions(read=False, write=False)


def test_an_expired_key_proves_nothing() -> None:
    identity = new_identity("someone", NOW)
    made, _ = make_key(
        BOX, identity_id=identity.id, name="n", created_at=NOW, expires_at=NOW + timedelta(days=1)
    )
    assert prove(identity, made.key, NOW).key is made.key
    with pytest.raises(AccessKeyExpired):
        prove(identity, made.key, NOW + timedelta(days=1))


@pytest.mark.parametrize("name", ["", "   ", "x" * 129, "two\nlines"])
def test_names_that_cannot_be_shown(name: str) -> None:
    with pytest.raises(ValueError, match="display name"):
        new_identity(name, NOW)


@pytest.mark.parametrize("email", ["", "nobody", "a b@example.com", "@" * 300])
def test_addresses_that_are_none(email: str) -> None:
    with pytest.raises(ValueError, match="email"):
        new_identity("someone", NOW, email)
