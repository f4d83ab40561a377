"""The conformance suite against the memory backend, over real sockets."""

import pytest

from vexobj_s3compat import Signer
from vexobj_s3compat.testing import SCENARIOS, Conformance, Scenario


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
async def test_scenario(scenario: Scenario, base_url: str) -> None:
    owner, other = Signer("ALICE", "alice-secret"), Signer("BOB", "bob-secret")
    async with Conformance(base_url, owner, other) as s3:
        await scenario(s3)
