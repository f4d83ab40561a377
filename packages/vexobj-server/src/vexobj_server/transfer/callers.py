"""Who calls the native API: `Authorization: Bearer <secret>`, or the bare secret."""

from vexobj_auth import Principal
from vexobj_server.services.identities import Identities
from vexobj_server.transfer.errors import invalid_key, missing_authorization


async def caller(identities: Identities, authorization: str | None) -> Principal | None:
    """None for a caller who says nothing. With authentication off, the root identity.

    Raises: RestError (401), for a key that is unknown, revoked or expired.
    """
    if identities.everyone is not None:
        return identities.everyone
    if not authorization:
        return None
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token:
        token = authorization
    proof = await identities.bearer(token.strip())
    if proof is None:
        raise invalid_key()
    return proof.principal


async def proven_caller(identities: Identities, authorization: str | None) -> Principal:
    principal = await caller(identities, authorization)
    if principal is None:
        raise missing_authorization()
    return principal
