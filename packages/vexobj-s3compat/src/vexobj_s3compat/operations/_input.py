"""Readers of headers and query parameters that several operations share."""

import base64
import binascii
from collections.abc import Mapping
from urllib.parse import parse_qsl

from vexobj_s3compat.call import Call
from vexobj_s3compat.errors import (
    InvalidArgument,
    InvalidEncryptionAlgorithmError,
    InvalidStorageClass,
    InvalidTag,
    MetadataTooLarge,
    NotImplementedYet,
)
from vexobj_s3compat.metadata import decode_metadata
from vexobj_s3compat.target import check_key
from vexobj_s3compat.types import BucketInput, Headers, ObjectHeaders, WriteConditions
from vexobj_s3compat.xml import Element, child_text

METADATA_LIMIT_BYTES = 2048
PAGE_LIMIT = 1000
PART_LIMIT = 10_000
_INT_LIMIT = 2**31 - 1
_TAG_LIMIT = 10
_META = "x-amz-meta-"
_KEPT_HEADERS = (
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "expires",
)
_STORAGE_CLASSES = frozenset(
    {
        "STANDARD",
        "REDUCED_REDUNDANCY",
        "STANDARD_IA",
        "ONEZONE_IA",
        "INTELLIGENT_TIERING",
        "GLACIER",
        "GLACIER_IR",
        "DEEP_ARCHIVE",
    }
)
"""Accepted so that configured clients work; what is stored is always STANDARD."""

SSE_S3 = "AES256"
_SSE_ALGORITHMS = frozenset({SSE_S3, "aws:kms", "aws:kms:dsse", "aws:fsx"})


def invalid_argument(name: str, value: str, message: str) -> InvalidArgument:
    return InvalidArgument(message, fields={"ArgumentName": name, "ArgumentValue": value})


def integer(call: Call, name: str, *, default: int, minimum: int = 0) -> int:
    """A query parameter as a number.

    Raises:
        InvalidArgument: not one, or out of 32-bit bounds.
    """
    text = call.parameters.get(name, "")
    if not text:
        return default
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= 10):
        raise invalid_argument(
            name, text, f"Provided {name} not an integer or within integer range"
        )
    value = int(text)
    if not minimum <= value <= _INT_LIMIT:
        raise invalid_argument(
            name, text, f"Argument {name} must be an integer between {minimum} and {_INT_LIMIT}"
        )
    return value


def part_number(call: Call) -> int:
    """Raises: InvalidArgument."""
    number = integer(call, "partNumber", default=0)
    if not 1 <= number <= PART_LIMIT:
        raise invalid_argument(
            "partNumber",
            call.parameters["partNumber"],
            f"Part number must be an integer between 1 and {PART_LIMIT}, inclusive",
        )
    return number


def page_size(call: Call, name: str) -> int:
    """How many entries a page may have; more than 1000 are told as 1000."""
    return min(integer(call, name, default=PAGE_LIMIT), PAGE_LIMIT)


def key_bytes(call: Call, name: str) -> bytes:
    """A prefix, delimiter or marker.

    Raises:
        InvalidURI, KeyTooLongError.
    """
    value = call.parameters.get(name, "").encode()
    check_key(value)
    return value


def bucket_input(call: Call) -> BucketInput:
    return BucketInput(call.bucket)


def version_id(call: Call) -> str | None:
    """The version asked for; None for the latest.

    Raises:
        InvalidArgument: empty, or nothing that a version could be called.
    """
    return identifier(call, "versionId")


def upload_id(call: Call) -> str:
    """The upload that a request must name."""
    return check_identifier("uploadId", call.parameters["uploadId"])


def identifier(call: Call, name: str) -> str | None:
    """A version or upload id from the query: printable ASCII of sane length, or None."""
    value = call.parameters.get(name)
    if value is None:
        return None
    return check_identifier(name, value)


def check_identifier(name: str, value: str) -> str:
    if not value:
        raise invalid_argument(name, value, f"{name} cannot be the empty string")
    if len(value) > 1024 or not (value.isascii() and value.isprintable()):
        raise invalid_argument(name, value, f"Invalid {name} specified")
    return value


def url_encoding(call: Call) -> bool:
    """Whether keys in the answer shall be percent-encoded."""
    value = call.parameters.get("encoding-type", "")
    if value and value != "url":
        raise invalid_argument(
            "encoding-type", value, "Invalid Encoding Method specified in Request"
        )
    return value == "url"


def write_conditions(call: Call) -> WriteConditions:
    """If-Match and If-None-Match of a write.

    Raises:
        NotImplementedYet: If-None-Match with anything but `*`, as AWS has it.
    """
    if_match = call.headers.get("if-match")
    if_none_match = call.headers.get("if-none-match")
    if if_match is None and if_none_match is None:
        return _UNCONDITIONAL
    if if_none_match is not None and if_none_match.strip() != "*":
        raise NotImplementedYet(fields={"Header": "If-None-Match"})
    return WriteConditions(
        None if if_match is None else unquote_etag(if_match),
        None if if_none_match is None else "*",
    )


_UNCONDITIONAL = WriteConditions()


def leaf(parent: Element, name: str) -> str | None:
    """The text of a child that is a name, number or flag: whitespace around it means nothing."""
    text = child_text(parent, name)
    return None if text is None else text.strip()


def unquote_etag(value: str) -> str:
    return value.strip().removeprefix("W/").strip('"')


def object_headers(call: Call) -> ObjectHeaders:
    """What the writer wants the object served with.

    Raises:
        MetadataTooLarge: user metadata of more than 2 KiB.
    """
    headers = call.headers
    kept = {name: headers[name] for name in _KEPT_HEADERS if headers.get(name)}
    if "content-encoding" in kept:
        encoding = _without_aws_chunked(kept.pop("content-encoding"))
        if encoding:
            kept["content-encoding"] = encoding
    metadata: dict[str, str] = {}
    size = 0
    for name, value in headers.items():
        if name.startswith(_META):
            text = decode_metadata(value)
            metadata[name[len(_META) :]] = text
            size += len(name) - len(_META) + len(text.encode())
    if size > METADATA_LIMIT_BYTES:
        raise MetadataTooLarge(
            fields={"Size": str(size), "MaxSizeAllowed": str(METADATA_LIMIT_BYTES)}
        )
    return ObjectHeaders(headers.get("content-type") or None, kept, metadata)


def _without_aws_chunked(value: str) -> str:
    codings = (coding.strip() for coding in value.split(","))
    return ",".join(coding for coding in codings if coding and coding.lower() != "aws-chunked")


def tags(headers: Headers) -> Mapping[str, str]:
    """The x-amz-tagging header, `k=v&k2=v2` percent-encoded; empty is no tags.

    Raises:
        InvalidTag, InvalidArgument.
    """
    text = headers.get("x-amz-tagging", "")
    if not text:
        return {}
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=64)
    except ValueError:
        raise invalid_argument(
            "x-amz-tagging", text, "The header 'x-amz-tagging' shall be encoded as UTF-8"
        ) from None
    if len(pairs) > _TAG_LIMIT:
        raise InvalidTag("Object tags cannot be greater than 10")
    found: dict[str, str] = {}
    for name, value in pairs:
        if name in found:
            raise InvalidTag("Cannot provide multiple Tags with the same key")
        if not 1 <= len(name) <= 128:
            raise InvalidTag("The TagKey you have provided is invalid")
        if len(value) > 256:
            raise InvalidTag("The TagValue you have provided is invalid")
        found[name] = value
    return found


def refuse_unsupported(call: Call) -> None:
    """Refuse what a writer must not believe was done: encryption that is not there.

    AES256, which Amazon calls SSE-S3, is there where the backend encrypts all that it writes.

    Raises:
        NotImplementedYet, InvalidEncryptionAlgorithmError, InvalidStorageClass.
    """
    for name, value in call.headers.items():
        if not name.startswith("x-amz-"):
            continue
        if name == "x-amz-storage-class":
            if value not in _STORAGE_CLASSES:
                raise InvalidStorageClass(fields={"StorageClassRequested": value})
        elif name == "x-amz-server-side-encryption" and value not in _SSE_ALGORITHMS:
            raise InvalidEncryptionAlgorithmError
        elif name == "x-amz-server-side-encryption" and value == SSE_S3 and call.encrypts:
            continue
        elif name.startswith("x-amz-server-side-encryption"):
            raise NotImplementedYet(fields={"Header": name})


def encode_token(marker: bytes) -> str:
    """An opaque continuation token for a place in a listing."""
    return base64.urlsafe_b64encode(b"1" + marker).decode()


def decode_token(name: str, token: str) -> bytes:
    """The place that a token stands for.

    Raises:
        InvalidArgument: not a token of ours.
    """
    try:
        marker = base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError):
        marker = b""
    if not marker.startswith(b"1"):
        raise invalid_argument(name, token, "The continuation token provided is incorrect")
    check_key(marker[1:])
    return marker[1:]
