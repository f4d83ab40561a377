"""Presigned URLs of the native API: signing and verifying, pure functions.

A URL names the access key that signed it and is signed with that key's secret, so revoking the
key kills it. It is good for one method, bucket, key and content type, until it expires.
"""

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from vexobj_auth.errors import PresignExpired, PresignMalformed, PresignMismatch

PRESIGN_PARAMETERS = frozenset({"access_key_id", "expires", "content_type", "signature"})
_SCHEME = "vexobj-presign-v1"


@dataclass(frozen=True, slots=True)
class PresignedRequest:
    """What a URL allows. `expires_at` is in Unix seconds; `content_type` None binds none."""

    method: str
    bucket: str
    key: bytes
    access_key_id: str
    expires_at: int
    content_type: str | None = None


def is_presigned(parameters: Iterable[tuple[str, str]]) -> bool:
    """Whether a query claims to be presigned; `read_presigned` then decides about it alone."""
    names = {name for name, _ in parameters}
    return "signature" in names and "expires" in names


def presign(secret_access_key: str, request: PresignedRequest) -> str:
    """The query string (without `?`) to put behind the object's URL."""
    parameters = {"access_key_id": request.access_key_id, "expires": str(request.expires_at)}
    if request.content_type is not None:
        parameters["content_type"] = request.content_type
    parameters["signature"] = _signature(secret_access_key, request)
    return urlencode(parameters, quote_via=quote)


def read_presigned(
    method: str, bucket: str, key: bytes, parameters: Iterable[tuple[str, str]]
) -> tuple[PresignedRequest, str]:
    """The request as the URL has it, and its signature, not yet verified.

    Raises: PresignMalformed.
    """
    found: dict[str, str] = {}
    for name, value in parameters:
        if name in PRESIGN_PARAMETERS:
            if name in found:
                raise PresignMalformed(f"{name} is given twice")
            found[name] = value
    for name in ("access_key_id", "expires", "signature"):
        if not found.get(name):
            raise PresignMalformed(f"{name} is missing")
    expires = found["expires"]
    if not (expires.isascii() and expires.isdigit() and len(expires) <= 12):
        raise PresignMalformed("expires is not a time in Unix seconds")
    request = PresignedRequest(
        method, bucket, key, found["access_key_id"], int(expires), found.get("content_type")
    )
    return request, found["signature"]


def verify_presigned(
    secret_access_key: str, request: PresignedRequest, signature: str, now: float
) -> None:
    """`now` in Unix seconds. The signature is looked at first, in constant time.

    Raises: PresignMismatch, PresignExpired.
    """
    expected = _signature(secret_access_key, request)
    if not hmac.compare_digest(expected.encode(), signature.encode()):
        raise PresignMismatch
    if now >= request.expires_at:
        raise PresignExpired(request.expires_at)


def _signature(secret_access_key: str, request: PresignedRequest) -> str:
    """Fields are percent-encoded, so that no field can end another early."""
    message = "\n".join(
        (
            _SCHEME,
            request.method,
            quote(request.bucket, safe=""),
            quote(request.key, safe=""),
            quote(request.access_key_id, safe=""),
            str(request.expires_at),
            "-" if request.content_type is None else "=" + quote(request.content_type, safe=""),
        )
    )
    return hmac.digest(secret_access_key.encode(), message.encode(), "sha256").hex()
