"""Access control lists, as far as canned ones say them."""

from dataclasses import dataclass

from vexobj_s3compat.types.common import Owner


@dataclass(frozen=True, slots=True)
class AclOutput:
    """`canned` is `private` or `public-read`; the XML is made from it."""

    owner: Owner
    canned: str


@dataclass(frozen=True, slots=True)
class PutBucketAclInput:
    bucket: str
    canned: str


@dataclass(frozen=True, slots=True)
class PutObjectAclInput:
    bucket: str
    key: bytes
    canned: str
    version_id: str | None = None
