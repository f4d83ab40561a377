from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vexobj_auth import (
    PresignedRequest,
    PresignExpired,
    PresignMalformed,
    PresignMismatch,
    is_presigned,
    presign,
    read_presigned,
    verify_presigned,
)

SECRET = "vex_" + "5" * 64
REQUEST = PresignedRequest("GET", "photos", b"a/b c+d.jpg", "VXKEY", 1_800_000_000, "image/png")
BEFORE = REQUEST.expires_at - 1


def _query(request: PresignedRequest) -> list[tuple[str, str]]:
    return parse_qsl(presign(SECRET, request), strict_parsing=True)


@given(
    st.builds(
        PresignedRequest,
        st.sampled_from(["GET", "HEAD", "PUT", "DELETE"]),
        st.text(min_size=3),
        st.binary(min_size=1),
        st.text(min_size=1),
        st.integers(0, 10**11),
        st.none() | st.text(min_size=1),
    )
)
def test_what_was_signed_verifies(request: PresignedRequest) -> None:
    found, signature = read_presigned(request.method, request.bucket, request.key, _query(request))
    assert found == request
    verify_presigned(SECRET, found, signature, request.expires_at - 1)


@pytest.mark.parametrize(
    "change",
    [
        {"method": "PUT"},
        {"bucket": "photo"},
        {"key": b"a/b"},
        {"access_key_id": "VXOTHER"},
        {"expires_at": REQUEST.expires_at + 1},
        {"content_type": "text/html"},
        {"content_type": None},
    ],
)
def test_a_signature_is_good_for_nothing_else(change: dict[str, Any]) -> None:
    _, signature = read_presigned("GET", "photos", REQUEST.key, _query(REQUEST))
    with pytest.raises(PresignMismatch):
        verify_presigned(SECRET, replace(REQUEST, **change), signature, BEFORE)


def test_fields_do_not_run_into_each_other() -> None:
    one = PresignedRequest("GET", "photos", b"a\nVXKEY", "VXKEY", 1)
    other = PresignedRequest("GET", "photos", b"a", "VXKEY\nVXKEY", 1)
    assert presign(SECRET, one).rpartition("=")[2] != presign(SECRET, other).rpartition("=")[2]


def test_another_secret_does_not_verify() -> None:
    found, signature = read_presigned("GET", "photos", REQUEST.key, _query(REQUEST))
    with pytest.raises(PresignMismatch):
        verify_presigned("another-secret", found, signature, BEFORE)


def test_it_expires() -> None:
    found, signature = read_presigned("GET", "photos", REQUEST.key, _query(REQUEST))
    with pytest.raises(PresignExpired):
        verify_presigned(SECRET, found, signature, REQUEST.expires_at)


def test_a_signature_that_is_no_ascii_is_a_wrong_one() -> None:
    with pytest.raises(PresignMismatch):
        verify_presigned(SECRET, REQUEST, "\u2603", BEFORE)


@pytest.mark.parametrize(
    "query",
    [
        [("expires", "1"), ("signature", "x")],
        [("access_key_id", "VX"), ("expires", "1")],
        [("access_key_id", "VX"), ("expires", "soon"), ("signature", "x")],
        [("access_key_id", "VX"), ("expires", "-1"), ("signature", "x")],
        [("access_key_id", "VX"), ("expires", "9" * 5000), ("signature", "x")],
        [("access_key_id", "VX"), ("expires", "1"), ("expires", "2"), ("signature", "x")],
        [("access_key_id", ""), ("expires", "1"), ("signature", "x")],
    ],
)
def test_malformed(query: list[tuple[str, str]]) -> None:
    with pytest.raises(PresignMalformed):
        read_presigned("GET", "photos", b"k", query)


def test_a_query_claims_to_be_presigned_by_signature_and_expiry() -> None:
    assert is_presigned(_query(REQUEST))
    assert not is_presigned([("w", "300"), ("expires", "1")])
