"""The conformance suite of the S3 protocol against the real server, at the root and at /s3."""

import secrets

import httpx
import pytest

from vexobj_s3compat import Signer
from vexobj_s3compat.testing import SCENARIOS, Conformance, Scenario
from vexobj_server.testing import RunningServer


@pytest.fixture(scope="module")
def other(server: RunningServer) -> Signer:
    """A key of an identity that owns nothing else."""
    headers = {"authorization": f"Bearer {server.secret_access_key}"}
    with httpx.Client(base_url=server.url, headers=headers) as root:
        identity = root.post(
            "/v1/admin/identities", json={"display_name": secrets.token_hex(4)}
        ).json()
        wanted = {
            "name": "other",
            "identity": identity["id"],
            "permissions": {"read": True, "write": True, "delete": True},
        }
        made = root.post("/v1/admin/keys", json=wanted).json()
    return Signer(made["access_key_id"], made["secret"])


@pytest.fixture(scope="module")
def owner(server: RunningServer) -> Signer:
    """Not the root key: that one may do everything everywhere."""
    headers = {"authorization": f"Bearer {server.secret_access_key}"}
    permissions = {"read": True, "write": True, "delete": True}
    with httpx.Client(base_url=server.url, headers=headers) as root:
        made = root.post("/v1/admin/keys", json={"name": "o", "permissions": permissions}).json()
    return Signer(made["access_key_id"], made["secret"])


@pytest.mark.parametrize("mount", ["", "/s3"], ids=["root", "s3"])
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
async def test_conformance(
    server: RunningServer, owner: Signer, other: Signer, scenario: Scenario, mount: str
) -> None:
    async with Conformance(server.url + mount, owner, other) as s3:
        await scenario(s3)
