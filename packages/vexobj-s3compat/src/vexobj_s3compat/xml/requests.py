"""The XML that clients send, as typed values. Every refusal is an S3Error."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from vexobj_s3compat.errors import (
    IllegalVersioningConfigurationException,
    InvalidArgument,
    InvalidTag,
    MalformedACLError,
    MalformedXML,
)
from vexobj_s3compat.types import CompletedPart, ObjectIdentifier
from vexobj_s3compat.xml.parse import Node, parse

MAX_KEYS = 1000
MAX_PARTS = 10_000
MAX_GRANTS = 100
MAX_TAG_KEY = 128
MAX_TAG_VALUE = 256


@dataclass(frozen=True, slots=True)
class Delete:
    """Of DeleteObjects."""

    objects: Sequence[ObjectIdentifier]
    quiet: bool


@dataclass(frozen=True, slots=True)
class Grantee:
    """Who is granted: `value` is a canonical id, an email address or a group's URI."""

    kind: Literal["CanonicalUser", "AmazonCustomerByEmail", "Group"]
    value: str


@dataclass(frozen=True, slots=True)
class Grant:
    grantee: Grantee
    permission: Literal["FULL_CONTROL", "WRITE", "WRITE_ACP", "READ", "READ_ACP"]


@dataclass(frozen=True, slots=True)
class AccessControlPolicy:
    owner_id: str | None
    grants: Sequence[Grant]


def parse_delete(body: bytes, *, max_size: int = 4 << 20) -> Delete:
    """DeleteObjects: 1 to 1000 keys, whitespace kept.

    Raises:
        MalformedXML: it is not, or a key is empty.
    """
    root = parse(body, "Delete", max_size=max_size)
    objects = []
    for node in root.all("Object"):
        key = node.get("Key")
        if not key:
            raise MalformedXML
        objects.append(ObjectIdentifier(key.encode(), node.get("VersionId") or None))
    if not 1 <= len(objects) <= MAX_KEYS:
        raise MalformedXML
    return Delete(objects, _true(root.get("Quiet")))


def parse_complete_multipart_upload(
    body: bytes, *, max_size: int = 4 << 20
) -> Sequence[CompletedPart]:
    """CompleteMultipartUpload: the parts as they stand there; their order is not checked.

    Raises:
        MalformedXML: there is no part, or one lacks its number or ETag.
        InvalidArgument: a number is not within 1..10000.
    """
    root = parse(body, "CompleteMultipartUpload", max_size=max_size)
    parts = [_part(node) for node in root.all("Part")]
    if not 1 <= len(parts) <= MAX_PARTS:
        raise MalformedXML
    return parts


def _part(node: Node) -> CompletedPart:
    number, etag = (node.get("PartNumber") or "").strip(), node.get("ETag")
    if etag is None or not (number.isascii() and number.isdigit()):
        raise MalformedXML
    if len(number) > 8 or not 1 <= int(number) <= MAX_PARTS:
        raise InvalidArgument(
            "PartNumber must be an integer between 1 and 10000, inclusive",
            fields={"ArgumentName": "partNumber", "ArgumentValue": number[:32]},
        )
    checksum = next((c.text.strip() for c in node.children if c.name.startswith("Checksum")), None)
    return CompletedPart(int(number), etag.strip().strip('"'), checksum)


def parse_create_bucket(body: bytes, *, max_size: int = 64 << 10) -> str:
    """CreateBucketConfiguration: the LocationConstraint, "" if there is none or no body."""
    if not body.strip():
        return ""
    root = parse(body, "CreateBucketConfiguration", max_size=max_size)
    return (root.get("LocationConstraint") or "").strip()


def parse_versioning(body: bytes, *, max_size: int = 64 << 10) -> Literal["Enabled", "Suspended"]:
    """VersioningConfiguration: its Status.

    Raises:
        IllegalVersioningConfigurationException: there is none, or an unknown one.
    """
    status = parse(body, "VersioningConfiguration", max_size=max_size).get("Status")
    if status == "Enabled":
        return "Enabled"
    if status == "Suspended":
        return "Suspended"
    raise IllegalVersioningConfigurationException


def parse_tagging(body: bytes, *, max_tags: int = 10, max_size: int = 256 << 10) -> dict[str, str]:
    """Tagging: the tags in order.

    Raises:
        InvalidTag: too many, too long, or one key twice.
    """
    tag_set = parse(body, "Tagging", max_size=max_size).find("TagSet")
    if tag_set is None:
        raise MalformedXML
    tags: dict[str, str] = {}
    for node in tag_set.all("Tag"):
        key, value = node.get("Key"), node.get("Value")
        if key is None or value is None:
            raise MalformedXML
        if key in tags:
            raise InvalidTag("Cannot provide multiple Tags with the same key")
        if not 1 <= len(key) <= MAX_TAG_KEY:
            raise InvalidTag("The TagKey you have provided is invalid")
        if len(value) > MAX_TAG_VALUE:
            raise InvalidTag("The TagValue you have provided is invalid")
        tags[key] = value
    if len(tags) > max_tags:
        raise InvalidTag(f"Object tags cannot be greater than {max_tags}")
    return tags


def parse_access_control_policy(body: bytes, *, max_size: int = 256 << 10) -> AccessControlPolicy:
    """AccessControlPolicy: who owns, and at most 100 grants.

    Raises:
        MalformedACLError: a grant is incomplete, unknown, or there are too many.
    """
    root = parse(body, "AccessControlPolicy", max_size=max_size)
    owner, grants = root.find("Owner"), root.find("AccessControlList")
    if grants is None:
        raise MalformedACLError
    parsed = [_grant(node) for node in grants.all("Grant")]
    if len(parsed) > MAX_GRANTS:
        raise MalformedACLError
    return AccessControlPolicy(None if owner is None else owner.get("ID"), parsed)


def _grant(node: Node) -> Grant:
    grantee, permission = node.find("Grantee"), node.get("Permission")
    if grantee is None:
        raise MalformedACLError
    match permission:
        case "FULL_CONTROL" | "WRITE" | "WRITE_ACP" | "READ" | "READ_ACP":
            return Grant(_grantee(grantee), permission)
    raise MalformedACLError


def _grantee(node: Node) -> Grantee:
    if (uri := node.get("URI")) is not None:
        return Grantee("Group", uri.strip())
    if (email := node.get("EmailAddress")) is not None:
        return Grantee("AmazonCustomerByEmail", email.strip())
    if (canonical := node.get("ID")) is not None:
        return Grantee("CanonicalUser", canonical.strip())
    raise MalformedACLError


def _true(text: str | None) -> bool:
    return text is not None and text.strip().lower() in {"true", "1"}
