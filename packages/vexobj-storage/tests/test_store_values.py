"""Names, packed layouts, skip-scan bounds and the public face: what needs no store."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import vexobj_storage
from vexobj_storage import InvalidBucketName, InvalidKey, Location, Segment
from vexobj_storage.ids import new_id
from vexobj_storage.metadata.layout import Layout
from vexobj_storage.metadata.ops.walk import increment
from vexobj_storage.metadata.rows import parse_version_id, version_id
from vexobj_storage.names import check_bucket_name, check_key


@pytest.mark.parametrize(
    "name",
    ["abc", "a" * 63, "my-bucket", "my.bucket.1", "1.2.3", "1.2.3.4.5", "0-0", "docs", "xn-a"],
)
def test_bucket_names(name: str) -> None:
    check_bucket_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "", "ab", "a" * 64, "Abc", "a_b", "a b", "a/b", "-ab", "ab-", ".ab", "ab.", "a..b",
        "192.168.5.4", "xn--abc", "sthree-abc", "amzn-s3-demo-abc", "abc-s3alias", "abc--ol-s3",
        "abc.mrap", "abc--x-s3", "abc--table-s3", "b\u00fccket", "abc\n",
    ],
)  # fmt: skip
def test_names_that_no_bucket_may_have(name: str) -> None:
    with pytest.raises(InvalidBucketName):
        check_bucket_name(name)


@pytest.mark.parametrize("key", [b"a", b"/", b"a/../b", "\u00e9\U0001f600".encode(), b"k" * 1024])
def test_keys(key: bytes) -> None:
    check_key(key)


@pytest.mark.parametrize(
    ("key", "too_long"),
    [
        (b"", False),
        (b"k" * 1025, True),
        (b"a\0b", False),
        (b"\xff", False),
        (b"\xed\xa0\x80", False),
    ],
)
def test_what_no_key_may_be(key: bytes, too_long: bool) -> None:
    with pytest.raises(InvalidKey) as invalid:
        check_key(key)
    assert invalid.value.too_long is too_long


_PARTS = st.lists(
    st.tuples(st.lists(st.integers(0, 50), min_size=1, max_size=3), st.integers(1, 9)),
    min_size=1,
    max_size=8,
)


def _segments(lengths: list[int]) -> list[Segment]:
    made, start = [], 0
    for index, length in enumerate(lengths):
        location = Location.INLINE if length < 5 else Location.STORE
        made.append(Segment(start, bytes([index]) * 16, index * 100, length, location))
        start += length
    return made


@given(_PARTS, st.integers(0, 300), st.integers(0, 300))
def test_a_layout_says_what_was_packed(
    parts: list[tuple[list[int], int]], start: int, length: int
) -> None:
    numbered, number = [], 0
    for lengths, step in parts:
        number += step
        numbered.append((number, Layout.pack(_segments(lengths))))
    layout = Layout.join(numbered)
    flat = [segment for _, part in numbered for segment in part]
    assert [(s.blob_id, s.offset, s.length, s.location) for s in layout] == [
        (s.blob_id, s.offset, s.length, s.location) for s in flat
    ]
    assert layout.size == sum(segment.length for segment in flat)
    assert layout.has_inline == any(s.location is Location.INLINE for s in flat)
    at = 0
    for number, part in numbered:
        assert layout.part(number) == (at, part.size)
        at += part.size
    assert layout.part(number + 1) is None
    assert layout.part(0) is None
    length = max(min(length, layout.size - start), 0)
    assert _bytes(Layout.pack(layout.slice(start, length))) == _bytes(layout)[start:][:length]
    located = layout.locate(start)
    assert (located is None) == (start >= layout.size)
    if located is not None:
        assert located.start <= start < located.start + located.length


def _bytes(layout: Layout) -> list[tuple[bytes, int]]:
    """Each byte of the object, as its place in its blob."""
    return [(s.blob_id, s.offset + i) for s in layout for i in range(s.length)]


@given(st.binary(max_size=4), st.binary(max_size=6))
def test_the_increment_is_above_all_that_begins_so(prefix: bytes, rest: bytes) -> None:
    above = increment(prefix)
    if prefix.rstrip(b"\xff"):
        assert prefix + rest < above
        assert not above.startswith(prefix)
    else:
        assert above == b"\xff"


def test_version_ids_are_uuids() -> None:
    uid = new_id()
    assert parse_version_id(version_id(uid, 0)) == uid
    assert parse_version_id(version_id(uid, 1)) is None
    with pytest.raises(ValueError, match="badly formed"):
        parse_version_id("nonsense")


def test_the_public_names() -> None:
    names = vexobj_storage.__all__
    assert names == sorted(names)
    assert all(hasattr(vexobj_storage, name) for name in names)
    assert {"ObjectStore", "StoreConfig", "ObjectAttributes", "NoSuchKey"} <= set(names)
