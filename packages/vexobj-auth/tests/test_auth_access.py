"""Who may do what: a table of operations and callers, and the rules behind it."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vexobj_auth import (
    AccessKey,
    Action,
    BucketFacts,
    Identity,
    ObjectFacts,
    Permissions,
    Principal,
    Refusal,
    canned_acl,
    decide,
    in_scope,
)

_NOW = datetime(2026, 1, 1, tzinfo=UTC)
OWNER, GUEST, STRANGER = ("a" * 64, "b" * 64, "c" * 64)
ALL = Permissions(read=True, write=True, delete=True)
READ_ONLY = Permissions(read=True, write=False)
WRITE_ONLY = Permissions(read=False, write=True)
ADMIN_ONLY = Permissions(read=False, write=False, admin=True)
PUBLIC_READ = canned_acl("public-read")

PRIVATE_BUCKET = BucketFacts("photos", OWNER)
PUBLIC_BUCKET = BucketFacts("photos", OWNER, public=True)
LISTABLE_BUCKET = BucketFacts("photos", OWNER, acl=PUBLIC_READ)
PRIVATE_OBJECT = ObjectFacts(OWNER)
SHARED_OBJECT = ObjectFacts(OWNER, PUBLIC_READ)


def principal(
    identity: str = OWNER,
    permissions: Permissions = ALL,
    buckets: frozenset[str] | None = None,
) -> Principal:
    return Principal(
        Identity(identity, "someone", None, _NOW),
        AccessKey("VXKEY", identity, "key", permissions, buckets, _NOW),
    )


CALLERS: dict[str, Principal | None] = {
    "anonymous": None,
    "owner": principal(),
    "owner, read only": principal(permissions=READ_ONLY),
    "owner, write only": principal(permissions=WRITE_ONLY),
    "owner, scoped here": principal(buckets=frozenset({"photos"})),
    "owner, scoped elsewhere": principal(buckets=frozenset({"other"})),
    "stranger": principal(STRANGER),
    "admin": principal(STRANGER, ADMIN_ONLY),
    "admin, scoped here": principal(STRANGER, ADMIN_ONLY, frozenset({"photos"})),
    "admin, scoped elsewhere": principal(STRANGER, ADMIN_ONLY, frozenset({"other"})),
}

OWNERS = {"owner", "owner, scoped here", "admin", "admin, scoped here"}
READERS = OWNERS | {"owner, read only"}
WRITERS = OWNERS | {"owner, write only"}

EXPECTED: dict[Action, set[str]] = {
    Action.DELETE_BUCKET: OWNERS,
    Action.READ_BUCKET: READERS,
    Action.WRITE_BUCKET: WRITERS,
    Action.LIST_OBJECTS: READERS,
    Action.READ_OBJECT: READERS,
    Action.WRITE_OBJECT: WRITERS,
    Action.DELETE_OBJECT: OWNERS,
    Action.READ_ACL: READERS,
    Action.READ_TAGS: READERS,
    Action.WRITE_ACL: WRITERS,
    Action.ADMINISTER: {"admin", "admin, scoped here"},
}


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("action", EXPECTED)
def test_private_bucket(action: Action, caller: str) -> None:
    refusal = decide(CALLERS[caller], action, PRIVATE_BUCKET, PRIVATE_OBJECT)
    assert (refusal is None) == (caller in EXPECTED[action])


@pytest.mark.parametrize("caller", ["anonymous", "stranger"])
@pytest.mark.parametrize("action", EXPECTED)
@pytest.mark.parametrize(
    ("bucket", "obj", "allowed"),
    [
        (PUBLIC_BUCKET, PRIVATE_OBJECT, {Action.READ_OBJECT}),
        (PUBLIC_BUCKET, None, {Action.READ_OBJECT}),
        (LISTABLE_BUCKET, PRIVATE_OBJECT, {Action.LIST_OBJECTS, Action.READ_BUCKET}),
        (LISTABLE_BUCKET, None, {Action.LIST_OBJECTS, Action.READ_BUCKET}),
        (PRIVATE_BUCKET, SHARED_OBJECT, {Action.READ_OBJECT}),
        (PRIVATE_BUCKET, None, set()),
    ],
)
def test_what_is_shared_is_shared_with_everybody_and_no_more(
    caller: str, action: Action, bucket: BucketFacts, obj: ObjectFacts | None, allowed: set[Action]
) -> None:
    assert (decide(CALLERS[caller], action, bucket, obj) is None) == (action in allowed)


@pytest.mark.parametrize(
    ("caller", "allowed"),
    [
        (None, False),
        (principal(permissions=READ_ONLY), False),
        (principal(), True),
        (principal(permissions=WRITE_ONLY), True),
        (principal(buckets=frozenset({"photos"})), False),
        (principal(permissions=ADMIN_ONLY), True),
        (principal(permissions=ADMIN_ONLY, buckets=frozenset({"photos"})), True),
        (principal(permissions=ADMIN_ONLY, buckets=frozenset({"other"})), False),
    ],
)
def test_creating_a_bucket(caller: Principal | None, allowed: bool) -> None:
    bucket = BucketFacts("photos", "")
    assert (decide(caller, Action.CREATE_BUCKET, bucket) is None) == allowed


def test_listing_buckets_needs_a_key_that_reads_and_tells_of_those_in_scope() -> None:
    assert decide(principal(), Action.LIST_BUCKETS) is None
    assert decide(principal(buckets=frozenset({"photos"})), Action.LIST_BUCKETS) is None
    assert decide(principal(permissions=WRITE_ONLY), Action.LIST_BUCKETS) == Refusal("read")
    assert decide(None, Action.LIST_BUCKETS) == Refusal(anonymous=True)
    assert in_scope(principal().key, "anything")
    assert not in_scope(principal(buckets=frozenset({"photos"})).key, "other")


def test_administering_the_server_needs_a_key_for_all_buckets() -> None:
    assert decide(principal(permissions=ADMIN_ONLY), Action.ADMINISTER) is None
    scoped = principal(permissions=ADMIN_ONLY, buckets=frozenset({"photos"}))
    assert decide(scoped, Action.ADMINISTER) == Refusal(scope="*")


@pytest.mark.parametrize(
    ("caller", "action", "refusal"),
    [
        (principal(permissions=READ_ONLY), Action.WRITE_OBJECT, Refusal(permission="write")),
        (principal(permissions=READ_ONLY), Action.DELETE_OBJECT, Refusal(permission="delete")),
        (principal(), Action.ADMINISTER, Refusal(permission="admin")),
        (principal(buckets=frozenset()), Action.READ_OBJECT, Refusal(scope="photos")),
        (principal(STRANGER), Action.READ_OBJECT, Refusal()),
        (None, Action.READ_OBJECT, Refusal(anonymous=True)),
    ],
)
def test_a_refusal_says_what_is_missing(
    caller: Principal | None, action: Action, refusal: Refusal
) -> None:
    assert decide(caller, action, PRIVATE_BUCKET, PRIVATE_OBJECT) == refusal


def test_a_guest_reads_and_shares_what_it_wrote_but_does_not_delete_it() -> None:
    bucket = BucketFacts("photos", OWNER, acl=f"WRITE id {GUEST}")
    own = ObjectFacts(GUEST)
    guest = principal(GUEST)
    assert decide(guest, Action.WRITE_OBJECT, bucket) is None
    assert decide(guest, Action.READ_OBJECT, bucket, own) is None
    assert decide(guest, Action.WRITE_ACL, bucket, own) is None
    assert decide(guest, Action.READ_OBJECT, bucket, PRIVATE_OBJECT) == Refusal()
    assert decide(guest, Action.LIST_OBJECTS, bucket) == Refusal()
    assert decide(guest, Action.DELETE_OBJECT, BucketFacts("photos", OWNER), own) == Refusal()
    assert decide(principal(), Action.READ_OBJECT, bucket, own) is None


@pytest.mark.parametrize(
    ("acl", "action", "target"),
    [
        ("FULL_CONTROL id {guest}", Action.READ_OBJECT, "object"),
        ("READ id {guest}", Action.READ_OBJECT, "object"),
        ("READ group authenticated-users", Action.READ_OBJECT, "object"),
        ("READ_ACP id {guest}", Action.READ_ACL, "object"),
        ("WRITE_ACP id {guest}", Action.WRITE_ACL, "object"),
        ("READ_ACP id {guest}", Action.READ_ACL, "bucket"),
        ("WRITE id {guest}", Action.DELETE_OBJECT, "bucket"),
        ("FULL_CONTROL id {guest}", Action.LIST_OBJECTS, "bucket"),
    ],
)
def test_grants_reach_whom_they_name(acl: str, action: Action, target: str) -> None:
    text = acl.format(guest=GUEST)
    if target == "object":
        bucket, obj = PRIVATE_BUCKET, ObjectFacts(OWNER, text)
    else:
        bucket, obj = BucketFacts("photos", OWNER, acl=text), None
    assert decide(principal(GUEST), action, bucket, obj) is None
    assert decide(None, action, bucket, obj) == Refusal(anonymous=True)
    if "group" not in text:
        assert decide(principal(STRANGER), action, bucket, obj) == Refusal()


_permissions = st.builds(Permissions, st.booleans(), st.booleans(), st.booleans(), st.just(False))
_scopes = st.none() | st.frozensets(st.sampled_from(["photos", "other"]))
_acls = st.sampled_from([None, PUBLIC_READ, f"FULL_CONTROL id {GUEST}"])


@given(
    _permissions,
    _scopes,
    st.sampled_from([OWNER, GUEST]),
    st.sampled_from(list(EXPECTED)),
    _acls,
    _acls,
    st.booleans(),
)
def test_nothing_is_granted_beyond_a_keys_flags_and_scope(
    permissions: Permissions,
    buckets: frozenset[str] | None,
    identity: str,
    action: Action,
    bucket_acl: str | None,
    object_acl: str | None,
    public: bool,
) -> None:
    caller = principal(identity, permissions, buckets)
    bucket = BucketFacts("photos", OWNER, public, bucket_acl)
    allowed = decide(caller, action, bucket, ObjectFacts(OWNER, object_acl)) is None
    if allowed:
        assert buckets is None or "photos" in buckets
        assert permissions.read or permissions.write or permissions.delete
        assert action is not Action.ADMINISTER
