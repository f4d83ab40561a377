"""Bytes on their way in and out, and where they are."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Protocol

from vexobj_storage.types._value import value


class Location(IntEnum):
    """Where a blob's bytes are: in the metadata store, or in the blob store."""

    INLINE = 0
    STORE = 1


class BlobPlace(StrEnum):
    """Where blobs that are not inline may lie."""

    LOCAL = "local"
    S3 = "s3"


class Durability(StrEnum):
    """What has reached the disk when a write returned; the package's README says what may be lost.

    Content has, in either case. With RELAXED its metadata follow within about a second.
    """

    STRICT = "strict"
    RELAXED = "relaxed"


@dataclass(frozen=True, slots=True)
class Segment:
    """`length` bytes of a blob's plaintext from `offset`, standing at `start` in the object."""

    start: int
    blob_id: bytes
    offset: int
    length: int
    location: Location = Location.STORE


class Hasher(Protocol):
    """What hashlib's objects are."""

    def update(self, data: bytes, /) -> object: ...
    def digest(self) -> bytes: ...


@value
class StagedContent:
    """Bytes that are durable (or inline) but belong to nobody yet.

    It is consumed by exactly one `put_object` or `put_part`, or given back by `discard`. One that
    is forgotten falls to the sweep of orphans. `size` and the digests are the content's; `inline`
    and `stored_size` are as it is stored, sealed under the root key `key_id` unless that is 0.
    """

    size: int
    md5: bytes
    sha256: bytes
    inline: bytes | None
    blob_id: bytes
    stored_size: int
    key_id: int = 0


@dataclass(frozen=True, slots=True)
class BlobRecord:
    """What a blob's row says of its bytes; `sha256` is the content's, before it is sealed."""

    stored_size: int
    sha256: bytes
