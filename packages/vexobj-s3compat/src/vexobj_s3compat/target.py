"""What a request addresses: the service, a bucket or an object, read from the exact path bytes."""

import re
from enum import Enum
from urllib.parse import unquote_to_bytes

from vexobj_s3compat.bucket_names import decode_bucket
from vexobj_s3compat.errors import InvalidURI, KeyTooLongError

KEY_LIMIT_BYTES = 1024
_BROKEN_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")


class Target(Enum):
    SERVICE = "service"
    BUCKET = "bucket"
    OBJECT = "object"


def split_path(raw: bytes, bucket: str | None = None) -> tuple[str, bytes]:
    """Bucket and key ("" and b"" where absent) of a raw path without its mount point.

    With `bucket` given (virtual-host style) the whole path is the key. `+` is a plus, empty
    segments and dots count, `%2F` is a slash: nothing is normalised.

    Raises:
        InvalidURI: a broken escape, a key that is not UTF-8 or holds NUL.
        KeyTooLongError: of more than 1024 bytes.
        InvalidBucketName
    """
    path = raw[1:] if raw[:1] == b"/" else raw
    if b"%" in path and _BROKEN_ESCAPE.search(path):
        raise InvalidURI
    if bucket is None:
        name, _, path = path.partition(b"/")
        if not name:
            if path:
                raise InvalidURI
            return "", b""
        bucket = decode_bucket(unquote_to_bytes(name) if b"%" in name else name)
    return bucket, decode_key(path)


def decode_key(quoted: bytes) -> bytes:
    """A percent-encoded key as bytes.

    Raises:
        InvalidURI, KeyTooLongError.
    """
    key = unquote_to_bytes(quoted) if b"%" in quoted else quoted
    check_key(key)
    return key


def check_key(key: bytes) -> None:
    """Refuse what no object can be called.

    Raises:
        InvalidURI, KeyTooLongError.
    """
    if len(key) > KEY_LIMIT_BYTES:
        raise KeyTooLongError(
            fields={"Size": str(len(key)), "MaxSizeAllowed": str(KEY_LIMIT_BYTES)}
        )
    if b"\0" in key:
        raise InvalidURI
    if not key.isascii():
        try:
            key.decode()
        except UnicodeDecodeError:
            raise InvalidURI from None
