"""Signatures in the query: presigned URLs.

Source: AWS, "Authenticating Requests: Using Query Parameters (AWS Signature Version 4)".
"""

from collections.abc import Mapping
from functools import lru_cache
from time import gmtime, strftime
from urllib.parse import unquote_plus

from vexobj_s3compat.errors import AccessDenied, AuthorizationQueryParametersError
from vexobj_s3compat.sigv4.fields import (
    MAX_SKEW_SECONDS,
    check_payload_hash,
    check_signed,
    parse_credential,
    parse_signed_headers,
    parse_timestamp,
    sigv4a,
)
from vexobj_s3compat.sigv4.pending import ALGORITHM, UNSIGNED_PAYLOAD, PendingAuth, Scope

MAX_EXPIRES_SECONDS = 7 * 24 * 3600
_MAX_CACHED = 1024
_REQUIRED = (
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Signature",
    "X-Amz-Date",
    "X-Amz-SignedHeaders",
    "X-Amz-Expires",
)
_INCOMPLETE = (
    "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, "
    "X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters."
)
_MALFORMED_CREDENTIAL = (
    "Error parsing the X-Amz-Credential parameter; the Credential is mal-formed; "
    'expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".'
)
_MALFORMED_SIGNED_HEADERS = (
    "X-Amz-SignedHeaders must be lower-case names separated by semicolons, host among them"
)


def parse_query(
    method: str,
    raw_path: bytes,
    raw_query: bytes,
    headers: Mapping[str, str],
    *,
    now: float,
    region: str | None,
) -> PendingAuth:
    """What a presigned URL claims; arguments as for `verifier.parse`.

    Raises:
        AuthorizationQueryParametersError: a parameter is missing, wrong or out of bounds.
        AccessDenied: expired, not yet valid, or with x-amz-* headers that were not signed.
        NotImplementedYet: Signature Version 4A.
    """
    found, rest = _take(raw_query)
    if found.get("X-Amz-Algorithm", "").startswith("AWS4-ECDSA-P256-SHA256"):
        raise sigv4a()
    if any(not found.get(name) for name in _REQUIRED):
        raise AuthorizationQueryParametersError(_INCOMPLETE)
    if found["X-Amz-Algorithm"] != ALGORITHM:
        raise AuthorizationQueryParametersError(
            f'X-Amz-Algorithm only supports "{ALGORITHM} and AWS4-ECDSA-P256-SHA256"'
        )
    credential = parse_credential(found["X-Amz-Credential"])
    if credential is None:
        raise AuthorizationQueryParametersError(_MALFORMED_CREDENTIAL)
    signed_headers = parse_signed_headers(found["X-Amz-SignedHeaders"])
    if signed_headers is None:
        raise AuthorizationQueryParametersError(_MALFORMED_SIGNED_HEADERS)
    timestamp = found["X-Amz-Date"]
    _check_scope(credential.scope, timestamp, region)
    _check_time(timestamp, found["X-Amz-Expires"], now)
    payload_hash = _payload_hash(found, headers)
    check_signed(headers, signed_headers)
    return PendingAuth(
        "query",
        credential.access_key_id,
        credential.scope,
        timestamp,
        payload_hash,
        found["X-Amz-Signature"],
        signed_headers,
        method,
        raw_path,
        rest,
        headers,
    )


def _payload_hash(found: Mapping[str, str], headers: Mapping[str, str]) -> str:
    claimed = found.get("X-Amz-Content-Sha256") or headers.get("x-amz-content-sha256")
    if claimed is None:
        return UNSIGNED_PAYLOAD
    check_payload_hash(claimed)
    return claimed


def _take(raw_query: bytes) -> tuple[dict[str, str], bytes]:
    """The X-Amz- parameters decoded, and the query without X-Amz-Signature.

    A parameter given twice is refused: the one checked must be the one signed.
    """
    found: dict[str, str] = {}
    rest = []
    for part in raw_query.split(b"&"):
        if part.startswith(b"X-Amz-"):
            name, _, value = part.decode("latin-1").partition("=")
            if name in found:
                raise AuthorizationQueryParametersError(f"{name} may be given only once")
            found[name] = _unquote(value)
            if name == "X-Amz-Signature":
                continue
        rest.append(part)
    return found, b"&".join(rest)


def _unquote(value: str) -> str:
    if "%" not in value and "+" not in value:
        return value
    return _unquoted(value) if len(value) <= _MAX_CACHED else unquote_plus(value, "latin-1")


@lru_cache(maxsize=512)
def _unquoted(value: str) -> str:
    return unquote_plus(value, "latin-1")


def _check_scope(scope: Scope, timestamp: str, region: str | None) -> None:
    if scope.date != timestamp[:8]:
        raise AuthorizationQueryParametersError(
            f"Error parsing the X-Amz-Credential parameter; Invalid credential date "
            f'"{scope.date}". This date is not the same as X-Amz-Date: "{timestamp[:8]}".'
        )
    if scope.service != "s3":
        raise AuthorizationQueryParametersError(
            f'Error parsing the X-Amz-Credential parameter; incorrect service "{scope.service}". '
            'This endpoint belongs to "s3".'
        )
    if region is not None and scope.region != region:
        raise AuthorizationQueryParametersError(
            f"Error parsing the X-Amz-Credential parameter; the region '{scope.region}' is wrong; "
            f"expecting '{region}'",
            fields={"Region": region},
        )


def _check_time(timestamp: str, expires: str, now: float) -> None:
    signed_at = parse_timestamp(timestamp)
    if signed_at is None:
        raise AuthorizationQueryParametersError(
            "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\""
        )
    if not (expires.isascii() and expires.isdigit()):
        negative = expires.startswith("-")
        raise AuthorizationQueryParametersError(
            "X-Amz-Expires must be non-negative" if negative else "X-Amz-Expires should be a number"
        )
    seconds = int(expires) if len(expires) <= 12 else MAX_EXPIRES_SECONDS + 1
    if not 1 <= seconds <= MAX_EXPIRES_SECONDS:
        raise AuthorizationQueryParametersError(
            "X-Amz-Expires must be less than a week (in seconds) that is 604800"
            if seconds
            else "X-Amz-Expires must be at least 1 second"
        )
    if signed_at - now > MAX_SKEW_SECONDS:
        raise AccessDenied("Request is not valid yet", fields={"ServerTime": _iso(now)})
    if now > signed_at + seconds:
        raise AccessDenied(
            "Request has expired",
            fields={
                "X-Amz-Expires": expires,
                "Expires": _iso(signed_at + seconds),
                "ServerTime": _iso(now),
            },
        )


def _iso(seconds: float) -> str:
    return strftime("%Y-%m-%dT%H:%M:%SZ", gmtime(seconds))
