"""A disk that is full: writes are refused, deletes go on, and a start still succeeds."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from support.photos import ROCKET
from support.tools import missing, need
from vexobj_server.testing import RunningServer, running_server

_ENVIRONMENT = {"VEXOBJ_STORAGE_GC_GRACE": "0s"}
_PIECE = 1024**2


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 MiB: a real one, that says itself when it is full."""
    if os.geteuid() != 0:
        missing("root, who may mount a file system,")
    disk = tmp_path / "data"
    disk.mkdir()
    subprocess.run([need("mount"), "-t", "tmpfs", "-o", "size=64m", "none", disk], check=True)
    yield disk
    subprocess.run([need("umount"), "--lazy", disk], check=True)


def client(server: RunningServer) -> httpx.Client:
    headers = {"authorization": f"Bearer {server.secret_access_key}"}
    return httpx.Client(base_url=server.url, headers=headers, timeout=60, trust_env=False)


def fill_by_putting(api: httpx.Client) -> tuple[list[str], httpx.Response]:
    """The keys of what was stored, and the first refusal."""
    stored: list[str] = []
    while True:
        body = os.urandom(_PIECE)
        answer = api.put(f"/v1/objects/bucket/{len(stored)}", content=body)
        if answer.status_code != httpx.codes.CREATED:
            return stored, answer
        stored.append(f"{len(stored)}")


def fill_beside(path: Path) -> Callable[[], None]:
    """As another program would, to the last byte; what frees it again."""
    with path.open("wb", buffering=0) as file:
        for size in (_PIECE, 4096):
            try:
                while file.write(bytes(size)) == size:
                    continue
            except OSError:
                continue
    assert os.statvfs(path).f_bavail == 0
    return path.unlink


def entries(cache: Path) -> list[Path]:
    return [path for path in cache.rglob("*") if path.is_file() and path.stat().st_size > 1000]


def until(satisfied: Callable[[], bool]) -> None:
    """What happens beside us, in a second or two."""
    for _ in range(600):
        if satisfied():
            return
        os.sched_yield()
        subprocess.run(["/bin/sleep", "0.1"], check=True)
    raise AssertionError("it never happened")


def test_deletes_work_on_a_full_disk(small_disk: Path) -> None:
    with running_server(small_disk, environment=_ENVIRONMENT) as server, client(server) as api:
        assert api.post("/v1/buckets", json={"name": "bucket"}).status_code == 201
        stored, refused = fill_by_putting(api)
        assert len(stored) > 30
        assert (refused.status_code, refused.json()["code"]) == (507, "OutOfSpace")
        s3 = api.put("/bucket/one-more", content=os.urandom(_PIECE))
        assert (s3.status_code, "<Code>StorageFull</Code>" in s3.text) == (507, True)

        fill_beside(small_disk / "log of somebody")
        assert api.get(f"/v1/objects/bucket/{stored[0]}").status_code == 200
        for key in stored:
            assert api.delete(f"/v1/objects/bucket/{key}").status_code == 204, key
        assert api.post("/v1/admin/gc").json()["bytes_freed"] == len(stored) * _PIECE
        until(lambda: api.put("/v1/objects/bucket/new", content=b"x").status_code == 201)


def test_a_start_succeeds_on_a_full_disk(small_disk: Path) -> None:
    with running_server(small_disk, environment=_ENVIRONMENT) as server, client(server) as api:
        api.post("/v1/buckets", json={"name": "bucket"})
        stored, _ = fill_by_putting(api)
    free = fill_beside(small_disk / "log of somebody")
    with running_server(small_disk, environment=_ENVIRONMENT) as server, client(server) as api:
        assert api.get(f"/v1/objects/bucket/{stored[0]}").status_code == 200
        assert api.put("/v1/objects/bucket/new", content=b"x").status_code == 507
        assert api.delete(f"/v1/objects/bucket/{stored[0]}").status_code == 204
        free()
        until(lambda: api.put("/v1/objects/bucket/new", content=b"x").status_code == 201)


def test_the_cache_of_variants_gives_way(small_disk: Path) -> None:
    with running_server(small_disk, environment=_ENVIRONMENT) as server, client(server) as api:
        api.post("/v1/buckets", json={"name": "bucket"})
        jpeg = {"content-type": "image/jpeg"}
        api.put("/v1/objects/bucket/rocket", content=ROCKET.read_bytes(), headers=jpeg)
        for width in range(100, 200, 10):
            assert api.get(f"/v1/objects/bucket/rocket?w={width}").status_code == 200
        variants = small_disk / "cache"
        until(lambda: len(entries(variants)) == 10)
        fill_by_putting(api)
        until(lambda: not entries(variants))
        assert api.get("/v1/objects/bucket/rocket?w=100").status_code == 200
