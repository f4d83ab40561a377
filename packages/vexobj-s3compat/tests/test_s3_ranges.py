"""Range as S3 reads it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vexobj_s3compat.errors import InvalidArgument, InvalidRange
from vexobj_s3compat.ranges import content_range, parse_copy_source_range, parse_range


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ("bytes=0-0", (0, 1)),
        ("bytes=0-9", (0, 10)),
        ("bytes=5-", (5, 5)),
        ("bytes=-3", (7, 3)),
        ("bytes=-30", (0, 10)),
        ("bytes=8-100", (8, 2)),
        ("bytes=0-99999999999999999999999999999999", (0, 10)),
        ("bytes=0000000000000000000000000000001-2", (1, 2)),
        ("Bytes= 1-2 ", (1, 2)),
        ("bytes=5-2", None),
        ("bytes=0-1,3-4", None),
        ("bytes=-", None),
        ("bytes=a-b", None),
        ("bytes=٣-٤", None),
        ("items=0-1", None),
        ("", None),
    ],
)
def test_ranges_of_ten_bytes(value: str | None, expected: tuple[int, int] | None) -> None:
    assert parse_range(value, 10) == expected


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ("bytes=10-", 10),
        ("bytes=10-20", 10),
        ("bytes=-0", 10),
        ("bytes=0-", 0),
        ("bytes=-1", 0),
        ("bytes=99999999999999999999999999999999-", 10),
    ],
)
def test_unsatisfiable(value: str, size: int) -> None:
    with pytest.raises(InvalidRange) as caught:
        parse_range(value, size)
    assert caught.value.headers == {"content-range": f"bytes */{size}"}
    assert caught.value.fields == {"RangeRequested": value, "ActualObjectSize": str(size)}


@given(st.text(max_size=30) | st.from_regex(r"bytes=\d*-\d*"), st.integers(0, 1000))
def test_what_comes_out_lies_within(value: str, size: int) -> None:
    try:
        found = parse_range(value, size)
    except InvalidRange:
        return
    if found is not None:
        assert found.start >= 0
        assert found.length > 0
        assert found.start + found.length <= size


def test_content_range() -> None:
    assert content_range(5, 5, 10) == "bytes 5-9/10"


def test_copy_source_range() -> None:
    assert parse_copy_source_range("bytes=0-9") == (0, 9)


@pytest.mark.parametrize("value", ["bytes=0-", "bytes=-1", "0-9", "bytes=9-0", "bytes=0-1,2-3", ""])
def test_refused_copy_source_ranges(value: str) -> None:
    with pytest.raises(InvalidArgument):
        parse_copy_source_range(value)
