import pytest
from hypothesis import given
from hypothesis import strategies as st

from vexobj_auth import (
    CANNED_ACLS,
    AclPermission,
    Grant,
    canned_acl,
    canned_name,
    grants_access,
    read_acl,
    write_acl,
)

_GRANTS = st.builds(
    Grant,
    st.sampled_from(list(AclPermission)),
    st.just("id"),
    st.text("0123456789abcdef", min_size=64, max_size=64),
) | st.builds(
    Grant,
    st.sampled_from(list(AclPermission)),
    st.just("group"),
    st.sampled_from(["all-users", "authenticated-users"]),
)


@pytest.mark.parametrize("name", CANNED_ACLS)
def test_canned_acls_are_recognised_again(name: str) -> None:
    assert canned_name(canned_acl(name)) == name


def test_private_is_the_absence_of_an_acl() -> None:
    assert canned_acl("private") is None
    assert canned_acl("public-read") == "READ group all-users"


def test_an_unknown_canned_acl_is_an_error() -> None:
    with pytest.raises(KeyError):
        canned_acl("log-delivery-write")


def test_other_grants_have_no_canned_name() -> None:
    assert canned_name("WRITE group all-users") is None


@given(st.lists(_GRANTS).map(tuple))
def test_grants_survive_being_written_down(grants: tuple[Grant, ...]) -> None:
    assert read_acl(write_acl(grants)) == grants


@given(st.text())
def test_text_that_cannot_be_read_grants_nothing(text: str) -> None:
    if read_acl(text) == ():
        assert not any(grants_access(text, permission, None) for permission in AclPermission)


@pytest.mark.parametrize("text", ["READ", "READ group", "READ robots x", "read group x", ""])
def test_unreadable_lines(text: str) -> None:
    assert read_acl(text) == ()
