"""Keys that are given at the start."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MemoryCredential:
    """A key; it is its own principal."""

    access_key_id: str
    secret_access_key: str

    @property
    def principal(self) -> object:
        return self


class MemoryCredentials:
    """Keys from a mapping of ids to secrets; a secret is also a bearer token."""

    def __init__(self, secrets_by_id: Mapping[str, str]) -> None:
        self._keys = {i: MemoryCredential(i, secret) for i, secret in secrets_by_id.items()}
        self._tokens = {key.secret_access_key: key for key in self._keys.values()}

    async def find(self, access_key_id: str) -> MemoryCredential | None:
        return self._keys.get(access_key_id)

    async def bearer(self, token: str) -> MemoryCredential | None:
        return self._tokens.get(token)
