"""Signing keys for the S3 protocol, found among the server's identities."""

from vexobj_s3compat import Credential
from vexobj_server.services.identities import Identities


class StoredCredentials:
    """A `vexobj_s3compat.Credentials`. A token may stand for both values of a pair."""

    def __init__(self, identities: Identities) -> None:
        self._identities = identities

    async def find(self, access_key_id: str) -> Credential | None:
        return await self._identities.find(access_key_id)

    async def bearer(self, token: str) -> Credential | None:
        return await self._identities.bearer(token)
