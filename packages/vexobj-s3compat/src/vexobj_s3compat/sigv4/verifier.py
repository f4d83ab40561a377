"""How a request says who it is from: by Authorization header, by query, or not at all.

Pure: the clock is an argument, and the key is looked up by the caller between `parse` and
`PendingAuth.verify`. Source: AWS, "Authenticating Requests (AWS Signature Version 4)".
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from time import gmtime, strftime

from vexobj_s3compat.errors import (
    AccessDenied,
    AuthorizationHeaderMalformed,
    InvalidArgument,
    InvalidRequest,
    MissingSecurityHeader,
    RequestTimeTooSkewed,
)
from vexobj_s3compat.sigv4.fields import (
    MAX_SKEW_SECONDS,
    Credential,
    check_payload_hash,
    check_signed,
    parse_credential,
    parse_signed_headers,
    parse_timestamp,
    sigv4a,
)
from vexobj_s3compat.sigv4.pending import ALGORITHM, PendingAuth
from vexobj_s3compat.sigv4.presign import parse_query

_SCHEME = ALGORITHM + " "
_MAX_HEAD = 8192


def parse(
    method: str,
    raw_path: bytes,
    raw_query: bytes,
    headers: Mapping[str, str],
    *,
    now: float,
    region: str | None = None,
) -> PendingAuth | None:
    """What the request claims, or None if it claims nothing (an anonymous caller).

    Args:
        method: As sent, upper case.
        raw_path: The path as it arrived, percent-encoding untouched, without the query.
        raw_query: What stood after the `?`, as it arrived.
        headers: Lower-case names, values decoded as Latin-1, a repeated header joined by commas.
        now: Unix seconds.
        region: The only region accepted in a credential; None accepts any.

    Raises:
        S3Error: of the family that AWS answers with; never anything else.
    """
    authorization = headers.get("authorization")
    in_query = b"X-Amz-" in raw_query and (
        b"X-Amz-Algorithm=" in raw_query
        or b"X-Amz-Credential=" in raw_query
        or b"X-Amz-Signature=" in raw_query
    )
    if authorization is None:
        if in_query:
            return parse_query(method, raw_path, raw_query, headers, now=now, region=region)
        if b"AWSAccessKeyId=" in raw_query:
            raise _sigv2()
        return None
    if in_query:
        raise InvalidArgument(
            "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, "
            "Signature query string parameter or the Authorization header should be specified",
            fields={"ArgumentName": "Authorization", "ArgumentValue": authorization},
        )
    return _parse_header(
        authorization, method, raw_path, raw_query, headers, now=now, region=region
    )


def _parse_header(
    authorization: str,
    method: str,
    raw_path: bytes,
    raw_query: bytes,
    headers: Mapping[str, str],
    *,
    now: float,
    region: str | None,
) -> PendingAuth:
    if not authorization.startswith(_SCHEME):
        raise _unknown_scheme(authorization)
    credential, signed_headers, signature = _components(authorization)
    timestamp = _timestamp(headers, now)
    _check_scope(credential, timestamp, region)
    payload_hash = headers.get("x-amz-content-sha256")
    if payload_hash is None:
        raise MissingSecurityHeader(
            "Missing required header for this request: x-amz-content-sha256",
            fields={"MissingHeaderName": "x-amz-content-sha256"},
        )
    check_payload_hash(payload_hash)
    check_signed(headers, signed_headers)
    return PendingAuth(
        "header",
        credential.access_key_id,
        credential.scope,
        timestamp,
        payload_hash,
        signature,
        signed_headers,
        method,
        raw_path,
        raw_query,
        headers,
    )


def _components(authorization: str) -> tuple[Credential, tuple[str, ...], str]:
    head, found, signature = authorization.rpartition("Signature=")
    if "," in signature:
        signature, _, rest = signature.partition(",")
        head += rest
    if not found or not signature or len(head) > _MAX_HEAD:
        raise _malformed("Signature", signature)
    credential, signed_headers = _claims(head)
    return credential, signed_headers, signature.rstrip()


@lru_cache(maxsize=512)
def _claims(head: str) -> tuple[Credential, tuple[str, ...]]:
    """What an Authorization header says without its signature: the same from call to call."""
    found: dict[str, str] = {}
    for part in head[len(_SCHEME) :].strip(", ").split(","):
        name, equals, value = part.strip().partition("=")
        if not equals or name in found or name not in {"Credential", "SignedHeaders"}:
            raise _malformed(name, value)
        found[name] = value
    credential = parse_credential(found.get("Credential", ""))
    if credential is None:
        raise AuthorizationHeaderMalformed(
            "The authorization header is malformed; the Credential is mal-formed; expecting "
            '"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".'
        )
    signed_headers = parse_signed_headers(found.get("SignedHeaders", ""))
    if signed_headers is None:
        raise AuthorizationHeaderMalformed(
            "The authorization header is malformed; SignedHeaders must be lower-case names "
            "separated by semicolons, host among them."
        )
    return credential, signed_headers


def _malformed(name: str, value: str) -> AuthorizationHeaderMalformed:
    return AuthorizationHeaderMalformed(
        "The authorization header is malformed; the authorization component "
        f'"{name[:64]}={value[:64]}" is malformed.'
    )


def _timestamp(headers: Mapping[str, str], now: float) -> str:
    value = headers.get("x-amz-date")
    seconds: int | None = None
    if value is not None:
        seconds = parse_timestamp(value)
    elif "date" in headers:
        value, seconds = _from_date(headers["date"])
    if value is None or seconds is None:
        raise AccessDenied("AWS authentication requires a valid Date or x-amz-date header")
    if abs(now - seconds) > MAX_SKEW_SECONDS:
        raise RequestTimeTooSkewed(
            fields={
                "RequestTime": value,
                "ServerTime": strftime("%Y-%m-%dT%H:%M:%SZ", gmtime(now)),
                "MaxAllowedSkewMilliseconds": str(MAX_SKEW_SECONDS * 1000),
            }
        )
    return value


def _from_date(value: str) -> tuple[str | None, int | None]:
    seconds = parse_timestamp(value)
    if seconds is not None:
        return value, seconds
    try:
        moment = parsedate_to_datetime(value)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        seconds = int(moment.timestamp())
        return f"{datetime.fromtimestamp(seconds, UTC):%Y%m%dT%H%M%SZ}", seconds
    except (ValueError, OverflowError, TypeError, IndexError, OSError):
        return None, None


def _check_scope(credential: Credential, timestamp: str, region: str | None) -> None:
    scope = credential.scope
    if scope.date != timestamp[:8]:
        raise AuthorizationHeaderMalformed(
            f"The authorization header is malformed; Invalid credential date "
            f'"{scope.date}". This date is not the same as X-Amz-Date: "{timestamp[:8]}".'
        )
    if scope.service != "s3":
        raise AuthorizationHeaderMalformed(
            f"The authorization header is malformed; incorrect service "
            f'"{scope.service}". This endpoint belongs to "s3".'
        )
    if region is not None and scope.region != region:
        raise AuthorizationHeaderMalformed(
            f"The authorization header is malformed; the region '{scope.region}' is wrong; "
            f"expecting '{region}'",
            fields={"Region": region},
        )


def _unknown_scheme(authorization: str) -> Exception:
    if authorization.startswith("AWS4-ECDSA-P256-SHA256"):
        return sigv4a()
    if authorization.startswith("AWS "):
        return _sigv2()
    return InvalidArgument(
        "Unsupported Authorization Type",
        fields={"ArgumentName": "Authorization", "ArgumentValue": authorization[:32]},
    )


def _sigv2() -> InvalidRequest:
    return InvalidRequest(
        "The authorization mechanism you have provided is not supported. "
        "Please use AWS4-HMAC-SHA256."
    )
