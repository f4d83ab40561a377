"""The parts of a signature that header and query share: credential, header names, time, hash."""

import re
from calendar import timegm
from collections.abc import Iterable, Mapping
from functools import lru_cache
from time import strptime
from typing import NamedTuple

from vexobj_s3compat.errors import AccessDenied, InvalidArgument, NotImplementedYet
from vexobj_s3compat.sigv4.pending import UNSIGNED_PAYLOAD, Scope

MAX_SKEW_SECONDS = 15 * 60
_MAX_CREDENTIAL = 512
_MAX_SIGNED_HEADERS = 8192
_TIMESTAMP = re.compile(r"[0-9]{8}T[0-9]{6}Z")
_DATE = re.compile(r"[0-9]{8}")
_SHA256 = re.compile(r"[0-9A-Fa-f]{64}")
_HEADER_NAMES = re.compile(r"[!#$%&'*+\-.^_`|~0-9a-z]+(?:;[!#$%&'*+\-.^_`|~0-9a-z]+)*")
_STREAMING = {
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
    "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
}


class Credential(NamedTuple):
    access_key_id: str
    scope: Scope


def parse_credential(credential: str) -> Credential | None:
    """`id/date/region/service/aws4_request`; None if it is not of that form."""
    return _credential(credential) if len(credential) <= _MAX_CREDENTIAL else None


@lru_cache(maxsize=1024)
def _credential(credential: str) -> Credential | None:
    parts = credential.rsplit("/", 4)
    if len(parts) != 5 or not parts[0] or parts[4] != "aws4_request":
        return None
    if _DATE.fullmatch(parts[1]) is None or not credential.isprintable():
        return None
    return Credential(parts[0], Scope(parts[1], parts[2], parts[3]))


def parse_signed_headers(names: str) -> tuple[str, ...] | None:
    """Lower-case names, `host` among them; None if they are not."""
    return _signed_headers(names) if len(names) <= _MAX_SIGNED_HEADERS else None


@lru_cache(maxsize=256)
def _signed_headers(names: str) -> tuple[str, ...] | None:
    if _HEADER_NAMES.fullmatch(names) is None:
        return None
    split = tuple(names.split(";"))
    return split if "host" in split and len(set(split)) == len(split) else None


@lru_cache(maxsize=256)
def parse_timestamp(timestamp: str) -> int | None:
    """`YYYYMMDDTHHMMSSZ` as Unix seconds; None if it is not of that form."""
    if len(timestamp) > 32 or _TIMESTAMP.fullmatch(timestamp) is None:
        return None
    try:
        return timegm(strptime(timestamp, "%Y%m%dT%H%M%SZ"))
    except ValueError:
        return None


def check_payload_hash(value: str) -> None:
    """Refuse what no x-amz-content-sha256 can be.

    Raises:
        NotImplementedYet: it belongs to Signature Version 4A.
        InvalidArgument: it is none of AWS's values.
    """
    if _SHA256.fullmatch(value) or value == UNSIGNED_PAYLOAD or value in _STREAMING:
        return
    if value.startswith("STREAMING-AWS4-ECDSA-P256-SHA256"):
        raise sigv4a()
    raise InvalidArgument(
        "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, "
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, "
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value.",
        fields={"ArgumentName": "x-amz-content-sha256", "ArgumentValue": value},
    )


def check_signed(headers: Mapping[str, str], signed: Iterable[str]) -> None:
    """Refuse a request with x-amz-* headers that its signature does not cover.

    Raises:
        AccessDenied: as AWS answers it, with the names in HeadersNotSigned.
    """
    unsigned = [name for name in headers if name[:6] == "x-amz-" and name not in signed]
    if unsigned:
        raise AccessDenied(
            "There were headers present in the request which were not signed",
            fields={"HeadersNotSigned": ", ".join(unsigned)},
        )


def sigv4a() -> NotImplementedYet:
    return NotImplementedYet(
        "Signature Version 4A (AWS4-ECDSA-P256-SHA256) is not supported. "
        "Please use AWS4-HMAC-SHA256."
    )
