"""Pages of objects and of their versions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from vexobj_s3compat.types._value import value
from vexobj_s3compat.types.common import Owner


@value
class ListObjectsInput:
    """Of v1 and v2 alike: `after` is the marker, start-after or decoded continuation token."""

    bucket: str
    prefix: bytes = b""
    delimiter: bytes = b""
    after: bytes = b""
    max_keys: int = 1000
    fetch_owner: bool = False


@value
class ObjectEntry:
    key: bytes
    size: int
    etag: str
    last_modified: datetime
    owner: Owner | None = None
    checksum_algorithm: str | None = None
    checksum_composite: bool = False


@value
class ListObjectsOutput:
    """`next_after` begins the next page: the last key or common prefix told; None at the end."""

    objects: Sequence[ObjectEntry]
    common_prefixes: Sequence[bytes]
    next_after: bytes | None = None


@dataclass(frozen=True, slots=True)
class ListObjectVersionsInput:
    bucket: str
    prefix: bytes = b""
    delimiter: bytes = b""
    key_marker: bytes = b""
    version_id_marker: str | None = None
    max_keys: int = 1000


@value
class VersionEntry:
    key: bytes
    version_id: str
    is_latest: bool
    is_delete_marker: bool
    last_modified: datetime
    owner: Owner
    size: int = 0
    etag: str = ""


@dataclass(frozen=True, slots=True)
class ListObjectVersionsOutput:
    versions: Sequence[VersionEntry]
    common_prefixes: Sequence[bytes]
    next_key_marker: bytes | None = None
    next_version_id_marker: str | None = None
