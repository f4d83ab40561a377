"""No log ever holds a secret: whatever form a client sends it in, whatever becomes of it."""

import secrets
import time
from pathlib import Path
from urllib.parse import parse_qsl

import httpx
import pytest

from vexobj_s3compat import Signer
from vexobj_s3compat.testing import S3TestClient
from vexobj_server.testing import SECRET_ACCESS_KEY, RunningServer, start_server


@pytest.fixture(params=[("text", "info"), ("json", "debug")], ids="-".join)
def log_settings(request: pytest.FixtureRequest) -> dict[str, str]:
    log_format, level = request.param
    return {"VEXOBJ_SERVER_LOG_FORMAT": log_format, "VEXOBJ_SERVER_LOG_LEVEL": level}


async def test_no_secret_is_ever_logged(tmp_path: Path, log_settings: dict[str, str]) -> None:
    server = start_server(tmp_path / "data", environment=log_settings)
    try:
        async with httpx.AsyncClient(base_url=server.url) as http:
            http.headers["authorization"] = f"Bearer {server.secret_access_key}"
            wanted = {"name": "k", "permissions": {"read": True, "write": True, "delete": True}}
            made = (await http.post("/v1/admin/keys", json=wanted)).json()
            assert (await http.post("/v1/buckets", json={"name": "photos"})).status_code == 201
        token, key_id = made["secret"], made["access_key_id"]
        await _as_bearer(server, token)
        forbidden = {token, SECRET_ACCESS_KEY}
        for signer in (Signer(key_id, token), Signer(token, token)):
            forbidden |= await _signed(server, signer)
            forbidden |= await _presigned(server, signer)
        await _badly(server, token)
    finally:
        server.stop()
        server.kill()
    log = server.log
    assert log.count(key_id) > 4  # who asked is told, by the id that is no secret
    assert [each for each in forbidden if each in log] == []


async def _as_bearer(server: RunningServer, token: str) -> None:
    headers = {"authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=server.url, headers=headers) as http:
        assert (await http.put("/v1/objects/photos/a", content=b"x")).status_code == 201
        assert (await http.get("/v1/objects/photos/a")).status_code == 200
        assert (await http.get("/v1/admin/keys")).status_code == 403
        assert (await http.get("/v1/nothing")).status_code == 404
        await http.get("/photos/a")


async def _signed(server: RunningServer, signer: Signer) -> set[str]:
    """The signatures: they are worth as much as a password until they expire."""
    async with S3TestClient(server.url, signer) as s3:
        assert (await s3.put("photos", b"b", b"x")).status == 200
        assert (await s3.get("photos", b"b")).status == 200
        assert (await s3.get("photos", b"missing")).status == 404
        wrong = Signer(signer.access_key_id, signer.secret_access_key + "x")
    async with S3TestClient(server.url, wrong) as s3:
        assert (await s3.get("photos", b"b")).status == 403
    return {wrong.secret_access_key}


async def _presigned(server: RunningServer, signer: Signer) -> set[str]:
    signatures = set()
    async with httpx.AsyncClient(base_url=server.url) as http:
        for key, status in (("b", 200), ("missing", 404)):
            query = signer.presign(
                "GET",
                f"/photos/{key}".encode(),
                b"",
                {"host": http.base_url.netloc.decode()},
                now=time.time(),
                expires_seconds=600,
            ).decode()
            assert (await http.get(f"/photos/{key}?{query}")).status_code == status
            assert (await http.get(f"/photos/{key}?{query}0")).status_code == 403
            signatures.add(dict(parse_qsl(query))["X-Amz-Signature"])
    return signatures


async def _badly(server: RunningServer, token: str) -> None:
    """What no client should send."""
    async with httpx.AsyncClient(base_url=server.url) as http:
        for authorization in (
            token,
            f"Basic {token}",
            f"AWS {token}:{token}",
            f"AWS4-HMAC-SHA256 Credential={token}",
            f"AWS4-HMAC-SHA256 Credential={token}/x/y/z, SignedHeaders=host, Signature={token}",
            f"Bearer {token}{secrets.token_hex(4)}",
        ):
            for path in ("/photos/a", "/v1/buckets", "/v1/objects/photos/a"):
                answer = await http.get(path, headers={"authorization": authorization})
                assert answer.status_code < 500
        for query in (f"X-Amz-Credential={token}&X-Amz-Signature=0", f"key={token}", token):
            for path in ("/photos/a", "/v1/objects/photos/a", "/health"):
                assert (await http.get(f"{path}?{query}")).status_code < 500
        assert (await http.post("/v1/buckets", content=token)).status_code == 401
