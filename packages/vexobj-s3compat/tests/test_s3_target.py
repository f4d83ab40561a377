"""Paths to buckets and keys, byte for byte."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vexobj_s3compat.bucket_names import is_bucket_name
from vexobj_s3compat.errors import InvalidBucketName, InvalidURI, KeyTooLongError, S3Error
from vexobj_s3compat.sigv4.canonical import uri_encode
from vexobj_s3compat.target import split_path


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"", ("", b"")),
        (b"/", ("", b"")),
        (b"/bucket", ("bucket", b"")),
        (b"/bucket/", ("bucket", b"")),
        (b"/bucket/a+b", ("bucket", b"a+b")),
        (b"/bucket/a%2Bb%20c", ("bucket", b"a+b c")),
        (b"/bucket//x/../y/.", ("bucket", b"/x/../y/.")),
        (b"/bucket/a%2Fb/", ("bucket", b"a/b/")),
        (b"/bucket/%F0%9F%98%80", ("bucket", "\N{GRINNING FACE}".encode())),
        (b"/bucket/\xc3\xa9", ("bucket", "\u00e9".encode())),
    ],
)
def test_split(raw: bytes, expected: tuple[str, bytes]) -> None:
    assert split_path(raw) == expected


def test_a_host_bucket_makes_all_of_it_a_key() -> None:
    assert split_path(b"/bucket/key", "media") == ("media", b"bucket/key")
    assert split_path(b"/", "media") == ("media", b"")


@pytest.mark.parametrize(
    ("raw", "error"),
    [
        (b"/bucket/%00", InvalidURI),
        (b"/bucket/a%zz", InvalidURI),
        (b"/bucket/a%2", InvalidURI),
        (b"/bucket/%ff", InvalidURI),
        (b"/bucket/" + b"k" * 1025, KeyTooLongError),
        (b"//key", InvalidURI),
        (b"/b%00cket/key", InvalidBucketName),
        (b"/a%2Fb/key", InvalidBucketName),
        (b"/ab", InvalidBucketName),
    ],
)
def test_refused(raw: bytes, error: type[S3Error]) -> None:
    with pytest.raises(error):
        split_path(raw)


@given(st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1, max_size=200))
def test_every_key_comes_back(text: str) -> None:
    key = text.encode()
    path = b"/bucket/" + uri_encode(key, safe="/").encode()
    assert split_path(path) == ("bucket", key)


@given(st.binary(max_size=64))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    try:
        bucket, key = split_path(b"/" + raw)
    except S3Error:
        return
    assert isinstance(bucket, str)
    key.decode()


@pytest.mark.parametrize(
    ("name", "valid"),
    [
        ("media", True),
        ("a.b-c.1", True),
        ("a" * 63, True),
        ("ab", False),
        ("a" * 64, False),
        ("Media", False),
        ("a_b", False),
        ("-ab", False),
        ("ab-", False),
        ("a..b", False),
        ("10.0.0.1", False),
        ("xn--media", False),
        ("media-s3alias", False),
        ("media\n", False),
    ],
)
def test_bucket_names(name: str, *, valid: bool) -> None:
    assert is_bucket_name(name) is valid
