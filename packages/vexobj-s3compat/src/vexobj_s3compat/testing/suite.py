"""The conformance suite: scenarios that any S3 endpoint must pass, each in buckets of its own.

    async with Conformance("http://127.0.0.1:8000", Signer(id, secret), Signer(id2, secret2)) as s3:
        for scenario in SCENARIOS:
            await scenario(s3)

Two identities are needed, neither of which may see what the other owns.
"""

import secrets
from collections.abc import Awaitable, Callable
from typing import Self

from vexobj_s3compat.sigv4.signer import Signer
from vexobj_s3compat.testing.client import S3TestClient


class Conformance:
    """The endpoint under test: its owner's client, another identity's, and nobody's."""

    def __init__(self, base_url: str, owner: Signer, other: Signer) -> None:
        self.owner = S3TestClient(base_url, owner)
        self.other = S3TestClient(base_url, other)
        self.anonymous = S3TestClient(base_url, None)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for client in (self.owner, self.other, self.anonymous):
            await client.aclose()

    async def bucket(self) -> str:
        """A new bucket of the owner."""
        return await self.owner.bucket(f"conformance-{secrets.token_hex(6)}")


Scenario = Callable[[Conformance], Awaitable[None]]
