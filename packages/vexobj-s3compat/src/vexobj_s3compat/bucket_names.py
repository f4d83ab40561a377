"""Which names a bucket may have. Pure functions.

Source: Amazon S3 User Guide, "General purpose bucket naming rules".
"""

import re
from functools import lru_cache

from vexobj_s3compat.errors import InvalidBucketName

_SHAPE = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_IP_ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+")
_RESERVED_PREFIXES = ("xn--", "sthree-", "amzn-s3-demo-")
_RESERVED_SUFFIXES = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")


def is_bucket_name(name: str) -> bool:
    """Whether a bucket of this name may be created."""
    return (
        _SHAPE.fullmatch(name) is not None
        and ".." not in name
        and _IP_ADDRESS.fullmatch(name) is None
        and not name.startswith(_RESERVED_PREFIXES)
        and not name.endswith(_RESERVED_SUFFIXES)
    )


@lru_cache(maxsize=4096)
def decode_bucket(raw: bytes) -> str:
    """The name of an addressed bucket: lenient, it may be older than a rule.

    Raises:
        InvalidBucketName: no bucket was ever called so.
    """
    name = raw.decode("latin-1")
    if not (3 <= len(name) <= 255 and name.isascii() and name.isprintable() and "/" not in name):
        raise InvalidBucketName(fields={"BucketName": name})
    return name
