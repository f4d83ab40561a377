"""Backups of a running server, and the way back after a disaster, as the guide tells it."""

import os
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from vexobj_server.testing import RunningServer, free_port, running_server

pytestmark = pytest.mark.timeout(600)

_BIG = 200_000
_SECONDS = 120


def client(server: RunningServer) -> httpx.Client:
    headers = {"authorization": f"Bearer {server.secret_access_key}"}
    return httpx.Client(base_url=server.url, headers=headers, timeout=_SECONDS, trust_env=False)


def start(data_dir: Path, *arguments: str, **variables: str) -> "subprocess.Popen[str]":
    inherited = {name: value for name, value in os.environ.items() if "VEXOBJ" not in name}
    return subprocess.Popen(
        [sys.executable, "-m", "vexobj_server", *arguments],
        cwd=data_dir.parent,
        env=inherited | {"VEXOBJ_DATA_DIR": str(data_dir)} | variables,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def run(data_dir: Path, *arguments: str, **variables: str) -> tuple[int, str]:
    process = start(data_dir, *arguments, **variables)
    out, told = process.communicate(timeout=_SECONDS)
    return process.returncode, out + told


def fill(api: httpx.Client, count: int = 5) -> dict[str, bytes]:
    assert api.post("/v1/buckets", json={"name": "photos"}).status_code == 201
    objects = {f"{number}.bin": os.urandom(_BIG) for number in range(count)}
    objects["small.txt"] = b"a few bytes"
    for key, body in objects.items():
        assert api.put(f"/v1/objects/photos/{key}", content=body).status_code == 201
    return objects


def found(api: httpx.Client, objects: dict[str, bytes]) -> dict[str, bytes]:
    return {key: api.get(f"/v1/objects/photos/{key}").content for key in objects}


@pytest.fixture
def lost(tmp_path: Path) -> tuple[Path, dict[str, bytes]]:
    """Where the backups of a server are that is gone, with what was in it."""
    backups = tmp_path / "backups"
    settings = {"VEXOBJ_BACKUP_DIRECTORY": str(backups)}
    with running_server(tmp_path / "lost", environment=settings) as server, client(server) as api:
        objects = fill(api)
        assert api.post("/v1/admin/backup").status_code == 200
    return backups, objects


def test_a_backup_by_the_api(tmp_path: Path) -> None:
    settings = {"VEXOBJ_BACKUP_KEEP": "2"}
    with running_server(tmp_path / "data", environment=settings) as server, client(server) as api:
        empty = api.get("/v1/admin/backup").json()
        assert (empty["running"], empty["last"], empty["backups"]) == (None, None, [])
        fill(api)
        first = api.post("/v1/admin/backup")
        assert first.status_code == 200, first.text
        made = first.json()
        assert Path(made["path"]).is_dir()
        assert (made["blobs"], made["blobs_copied"], made["damaged"]) == (5, 5, 0)
        assert made["total_size"] == made["db_size"] + 5 * _BIG
        assert [(key["name"], key["inside"]) for key in made["keys"]] == [("server-secret", False)]
        assert api.post("/v1/admin/backup").json()["blobs_copied"] == 0
        last = api.post("/v1/admin/backup").json()["name"]
        told = api.get("/v1/admin/backup").json()
        assert told["last"]["name"] == last
        assert told["backups"][0]["name"] == last
        assert len(told["backups"]) == 2
        entries = api.get("/v1/admin/audit", params={"action": "backup.create"}).json()["entries"]
        assert len(entries) == 3
        metrics = api.get("/metrics").text
        assert "vexobj_backup_last_success_timestamp_seconds " in metrics
        assert "vexobj_backup_failed 0" in metrics
        assert httpx.post(f"{server.url}/v1/admin/backup").status_code == 401
        assert api.post("/v1/admin/backup", params={"wait": False}).status_code in {202, 409}


def test_backups_on_schedule(tmp_path: Path) -> None:
    """The first is due at once."""
    settings = {"VEXOBJ_BACKUP_INTERVAL": "1h"}
    with running_server(tmp_path / "data", environment=settings) as server, client(server) as api:
        deadline = time.monotonic() + 90
        while api.get("/v1/admin/backup").json()["last"] is None:
            assert time.monotonic() < deadline, server.log
            time.sleep(0.5)


def test_the_way_back_after_a_disaster(lost: tuple[Path, dict[str, bytes]], tmp_path: Path) -> None:
    backups, objects = lost
    new = tmp_path / "new"
    where = ("--directory", str(backups))
    assert run(new, "backup", "verify", *where)[0] == 0
    code, told = run(new, "restore", *where)
    assert (code, "auth.server_secret" in told) == (2, True), told
    assert not (new / "metadata.db").exists()
    (new / "server-secret").write_bytes((tmp_path / "lost" / "server-secret").read_bytes())
    code, told = run(new, "restore", *where)
    assert code == 0, told
    with running_server(new) as server, client(server) as api:
        assert found(api, objects) == objects
        code, told = run(new, "restore", "--force", *where)
        assert (code, "a server runs" in told) == (2, True), told
    code, told = run(new, "restore", *where)
    assert (code, "not empty" in told) == (1, True), told


def test_keys_in_the_backup(tmp_path: Path) -> None:
    backups = ("--directory", str(tmp_path / "backups"))
    master = {"VEXOBJ_SSE_ENABLED": "true", "VEXOBJ_SSE_MASTER_KEY": "ab" * 32}
    data = tmp_path / "data"
    with running_server(data, environment=master) as server, client(server) as api:
        objects = fill(api)
        code, told = run(data, "backup", "--with-secrets", *backups, **master)
        assert (code, "IS INSIDE" in told) == (0, True), told
    new = tmp_path / "new"
    code, told = run(new, "restore", *backups)
    assert (code, "restored-master-key" in told) == (0, True), told
    key = {"VEXOBJ_SSE_MASTER_KEY_FILE": str(new / "restored-master-key")}
    assert (new / "restored-master-key").stat().st_mode & 0o777 == 0o600
    with running_server(new, environment=key) as server, client(server) as api:
        assert found(api, objects) == objects


def test_force_sets_aside_what_is_there(
    lost: tuple[Path, dict[str, bytes]], tmp_path: Path
) -> None:
    backups, objects = lost
    other = tmp_path / "other"
    with running_server(other):
        pass
    secret = (tmp_path / "lost" / "server-secret").read_bytes()
    (other / "server-secret").write_bytes(secret)
    code, told = run(other, "restore", "--force", "--directory", str(backups))
    assert code == 0, told
    (aside,) = other.glob("replaced-*")
    assert (aside / "metadata.db").exists()
    with running_server(other) as server, client(server) as api:
        assert found(api, objects) == objects


def test_kill_in_the_midst_of_backups_and_of_restores(tmp_path: Path) -> None:
    data, backups = tmp_path / "data", tmp_path / "backups"
    where = ("--directory", str(backups))
    slow = {"VEXOBJ_BACKUP_MAX_RATE": "500KB"}
    with running_server(data) as server, client(server) as api:
        objects = fill(api, 10)
        _kill_when(start(data, "backup", *where, **slow), backups / "blobs", 3)
        assert run(data, "backup", "list", *where) == (0, "")
        deadline = time.monotonic() + 120
        while True:  # its lease ends within a minute
            code, told = run(data, "backup", *where)
            if code == 0:
                break
            assert "killed just now" in told
            assert time.monotonic() < deadline
            time.sleep(10)
        assert found(api, objects) == objects
    new = tmp_path / "new"
    new.mkdir()
    (new / "server-secret").write_bytes((data / "server-secret").read_bytes())
    for count in (3, 6):
        _kill_when(start(new, "restore", *where, **slow), new / "blobs", count)
        code, told = run(new, "serve", VEXOBJ_BIND=f"127.0.0.1:{free_port()}")
        assert (code, "has not ended" in told) == (2, True), told
    code, told = run(new, "restore", *where)
    assert code == 0, told
    with running_server(new) as server, client(server) as api:
        assert found(api, objects) == objects


def _kill_when(process: "subprocess.Popen[str]", blobs: Path, count: int) -> None:
    """As soon as so many blobs are there."""
    with process:
        while sum(path.is_file() for path in blobs.rglob("*")) < count:
            assert process.poll() is None, process.stderr.read() if process.stderr else ""
            time.sleep(0.02)
        process.kill()
