"""User metadata and overrides as header values."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vexobj_s3compat.metadata import decode_metadata, encode_metadata, header_value

_FIELD_VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_whatever_the_text_a_header_can_hold_it(text: str) -> None:
    assert _FIELD_VALUE.fullmatch(header_value(text))
    assert _FIELD_VALUE.fullmatch(encode_metadata(text))


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_text_that_is_encoded_comes_back(text: str) -> None:
    value = encode_metadata(text)
    if value.startswith(b"=?UTF-8?B?") and text != value.decode():
        assert decode_metadata(value.decode()) == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a\r\nx-evil: 1", b"a  x-evil: 1"),
        ("a\x00b\x01c\x7fd", b"a b c d"),
        ("a\tb", b"a\tb"),
        ("é", b"\xe9"),
        ("☃", "☃".encode()),
        ("", b""),
    ],
)
def test_overrides(text: str, value: bytes) -> None:
    assert header_value(text) == value
