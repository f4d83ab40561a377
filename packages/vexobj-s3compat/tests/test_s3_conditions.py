"""Conditional requests: every pair of conditions, and the dates."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vexobj_s3compat.conditions import (
    check_copy_source,
    check_read,
    etag_matches,
    http_date,
    parse_http_date,
)
from vexobj_s3compat.errors import NotModified, PreconditionFailed
from vexobj_s3compat.types import CopySource

WRITTEN = datetime(2026, 1, 1, 12, 0, 0, 250_000, tzinfo=UTC)
SAME = "Thu, 01 Jan 2026 12:00:00 GMT"
BEFORE = "Thu, 01 Jan 2026 11:59:59 GMT"
AFTER = "Thu, 01 Jan 2026 12:00:01 GMT"


@pytest.mark.parametrize(
    ("condition", "strong", "weak"),
    [
        ('"abc"', True, True),
        ("abc", True, True),
        ("*", True, True),
        ('W/"abc"', False, True),
        ('"x", "abc"', True, True),
        ('"x",W/"abc"', False, True),
        ('"x"', False, False),
        ('"ABC"', False, False),
        ('"ab,c"', False, False),
        ("", False, False),
    ],
)
def test_entity_tags(condition: str, strong: bool, weak: bool) -> None:
    assert etag_matches(condition, "abc") is strong
    assert etag_matches(condition, "abc", weak=True) is weak


@pytest.mark.parametrize(
    ("headers", "error"),
    [
        ({}, None),
        ({"if-match": '"abc"'}, None),
        ({"if-match": '"x"'}, PreconditionFailed),
        ({"if-none-match": '"abc"'}, NotModified),
        ({"if-none-match": "*"}, NotModified),
        ({"if-none-match": '"x"'}, None),
        ({"if-modified-since": SAME}, NotModified),
        ({"if-modified-since": AFTER}, NotModified),
        ({"if-modified-since": BEFORE}, None),
        ({"if-unmodified-since": SAME}, None),
        ({"if-unmodified-since": BEFORE}, PreconditionFailed),
        ({"if-modified-since": "soon"}, None),
        ({"if-unmodified-since": "soon"}, None),
        ({"if-match": '"abc"', "if-unmodified-since": BEFORE}, None),
        ({"if-match": '"x"', "if-none-match": '"abc"'}, PreconditionFailed),
        ({"if-none-match": '"x"', "if-modified-since": AFTER}, None),
        ({"if-none-match": '"abc"', "if-modified-since": BEFORE}, NotModified),
        ({"if-match": '"abc"', "if-none-match": '"abc"'}, NotModified),
    ],
)
def test_reads(headers: dict[str, str], error: type[Exception] | None) -> None:
    if error is None:
        check_read(headers, "abc", WRITTEN)
    else:
        with pytest.raises(error):
            check_read(headers, "abc", WRITTEN)


@pytest.mark.parametrize(
    ("source", "holds"),
    [
        (CopySource("b", b"k"), True),
        (CopySource("b", b"k", if_match="abc"), True),
        (CopySource("b", b"k", if_match="x"), False),
        (CopySource("b", b"k", if_none_match="abc"), False),
        (CopySource("b", b"k", if_modified_since=parse_http_date(AFTER)), False),
        (CopySource("b", b"k", if_modified_since=parse_http_date(BEFORE)), True),
        (CopySource("b", b"k", if_unmodified_since=parse_http_date(BEFORE)), False),
        (
            CopySource("b", b"k", if_match="abc", if_unmodified_since=parse_http_date(BEFORE)),
            True,
        ),
        (
            CopySource("b", b"k", if_none_match="x", if_modified_since=parse_http_date(AFTER)),
            True,
        ),
    ],
)
def test_copy_sources(source: CopySource, holds: bool) -> None:
    if holds:
        check_copy_source(source, "abc", WRITTEN)
    else:
        with pytest.raises(PreconditionFailed):
            check_copy_source(source, "abc", WRITTEN)


@pytest.mark.parametrize(
    "value",
    [
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
    ],
)
def test_three_forms_of_date(value: str) -> None:
    assert parse_http_date(value) == datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)


@given(st.integers(0, 4_000_000_000))
def test_dates_round_trip(seconds: int) -> None:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    assert parse_http_date(http_date(moment)) == moment


@given(st.text(max_size=80))
def test_a_date_that_is_none_is_ignored(value: str) -> None:
    found = parse_http_date(value)
    assert found is None or found.tzinfo is UTC
