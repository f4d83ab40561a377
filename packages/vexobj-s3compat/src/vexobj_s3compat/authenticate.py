"""Who a request is from: SigV4 by header or query, a bearer token, or nobody."""

from collections.abc import Mapping
from typing import NamedTuple

from vexobj_s3compat.asgi import Scope
from vexobj_s3compat.backend import Credentials
from vexobj_s3compat.errors import AccessDenied, InvalidAccessKeyId
from vexobj_s3compat.sigv4 import Verified, parse
from vexobj_s3compat.types import ANONYMOUS, Caller

_BEARER = "bearer "


_ANYBODY = Caller("anonymous")


class Identity(NamedTuple):
    """A caller and what its signature says about the payload.

    `seed` begins the chain of chunk signatures; None where nothing was signed.
    """

    caller: Caller
    payload_hash: str | None = None
    seed: Verified | None = None


def anybody(headers: Mapping[str, str]) -> Identity:
    """Where signatures are not looked at; the payload's own digests are still held to."""
    return Identity(_ANYBODY, headers.get("x-amz-content-sha256"))


async def authenticate(
    scope: Scope,
    headers: Mapping[str, str],
    credentials: Credentials,
    *,
    now: float,
    region: str | None,
) -> Identity:
    """Prove who signed the exact bytes of path and query that arrived.

    Raises:
        InvalidAccessKeyId: a key that the credentials do not know, or no longer.
        SignatureDoesNotMatch
        AccessDenied: an unknown bearer token.
        S3Error: the signature is malformed, expired, or of a kind that is not supported.
    """
    authorization = headers.get("authorization")
    if authorization is not None and authorization[:7].lower() == _BEARER:
        found = await credentials.bearer(authorization[7:].strip())
        if found is None:
            raise AccessDenied
        caller = Caller(found.access_key_id, found.principal, "bearer")
        return Identity(caller, headers.get("x-amz-content-sha256"))
    pending = parse(
        scope["method"],
        scope["raw_path"],
        scope["query_string"],
        headers,
        now=now,
        region=region,
    )
    if pending is None:
        return Identity(ANONYMOUS, headers.get("x-amz-content-sha256"))
    found = await credentials.find(pending.access_key_id)
    if found is None:
        raise InvalidAccessKeyId(fields={"AWSAccessKeyId": pending.access_key_id})
    seed = pending.verify(found.secret_access_key)
    caller = Caller(found.access_key_id, found.principal, pending.kind)
    return Identity(caller, pending.payload_hash, seed)
