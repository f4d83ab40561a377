"""Which names buckets and keys may have. Pure functions.

Sources: Amazon S3 User Guide, "General purpose bucket naming rules" and "Naming Amazon S3
objects".
"""

import re

from vexobj_storage.errors import InvalidBucketName, InvalidKey

MAX_KEY_BYTES = 1024

_ALLOWED = re.compile(r"[a-z0-9.-]*")
_IP_ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+")
_PREFIXES = ("xn--", "sthree-", "amzn-s3-demo-")
_SUFFIXES = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")


def check_bucket_name(name: str) -> None:
    """Raises: InvalidBucketName, with the rule that `name` breaks."""
    reason = _bucket_fault(name)
    if reason is not None:
        raise InvalidBucketName(name, reason)


def check_key(key: bytes) -> None:
    """Raises: InvalidKey unless `key` is 1 to 1024 bytes of UTF-8 without NUL."""
    if not key:
        raise InvalidKey("a key has at least one byte")
    if len(key) > MAX_KEY_BYTES:
        raise InvalidKey(f"a key has at most {MAX_KEY_BYTES} bytes", too_long=True)
    if b"\0" in key:
        raise InvalidKey("a key has no NUL")
    if not key.isascii():
        try:
            key.decode()
        except UnicodeDecodeError as error:
            raise InvalidKey("a key is valid UTF-8") from error


def _bucket_fault(name: str) -> str | None:
    if not 3 <= len(name) <= 63:
        return "it must have 3 to 63 characters"
    if _ALLOWED.fullmatch(name) is None:
        return "only lower-case letters, digits, dots and hyphens are allowed"
    if name[0] in ".-" or name[-1] in ".-":
        return "it must begin and end with a letter or a digit"
    if ".." in name:
        return "two dots must not follow each other"
    if _IP_ADDRESS.fullmatch(name) is not None:
        return "it must not look like an IP address"
    if name.startswith(_PREFIXES) or name.endswith(_SUFFIXES):
        return "its prefix or suffix is reserved"
    return None
