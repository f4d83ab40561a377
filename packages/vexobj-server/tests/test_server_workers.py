"""What one worker did, every worker knows on its next request."""

import secrets

import httpx

from vexobj_server.testing import RunningServer

_CONNECTIONS = 24


def _statuses(server: RunningServer, path: str, token: str) -> set[int]:
    """Over many connections, so that both workers answer some."""
    headers = {"authorization": f"Bearer {token}"}
    found = set()
    for _ in range(_CONNECTIONS):
        with httpx.Client(base_url=server.url, headers=headers) as fresh:
            found.add(fresh.get(path).status_code)
    return found


def test_keys_and_buckets_across_workers(two_workers: RunningServer) -> None:
    root = {"authorization": f"Bearer {two_workers.secret_access_key}"}
    for _ in range(5):
        name = f"shared-{secrets.token_hex(4)}"
        with httpx.Client(base_url=two_workers.url, headers=root) as api:
            made = api.post("/v1/admin/keys", json={"name": "k"}).json()
            api.post("/v1/buckets", json={"name": name})
        path = f"/v1/buckets/{name}"
        assert _statuses(two_workers, path, made["secret"]) == {200}
        with httpx.Client(base_url=two_workers.url, headers=root) as api:
            api.delete(f"/v1/admin/keys/{made['key']['id']}")
            api.delete(path)
        assert _statuses(two_workers, path, made["secret"]) == {401}
        assert _statuses(two_workers, path, two_workers.secret_access_key) == {404}
