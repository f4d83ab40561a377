"""What several operations say: owners, checksums, served headers, conditions of a write."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from vexobj_s3compat.types._value import value
from vexobj_s3compat.types.request import Headers


@dataclass(frozen=True, slots=True)
class Owner:
    id: str
    display_name: str


@dataclass(frozen=True, slots=True)
class ChecksumValue:
    """`algorithm` is one of CRC32 CRC32C CRC64NVME SHA1 SHA256; `value` base64."""

    algorithm: str
    value: str
    composite: bool = False


@value
class ObjectHeaders:
    """What an object is served with, as its writer gave it.

    `headers`: cache-control, content-disposition, content-encoding (without aws-chunked),
    content-language, expires; only those that were sent. `metadata`: without `x-amz-meta-`.
    """

    content_type: str | None = None
    headers: Headers = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WriteConditions:
    """If-Match and If-None-Match of a write; `if_none_match` is only ever "*"."""

    if_match: str | None = None
    if_none_match: str | None = None
