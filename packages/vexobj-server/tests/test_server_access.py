"""Who may do what, on both APIs by the same rules."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from vexobj_s3compat import Signer
from vexobj_s3compat.testing import S3TestClient
from vexobj_server.testing import RunningServer


@dataclass(frozen=True)
class World:
    """Two buckets of one owner, one of them public, and keys of several kinds."""

    url: str
    private: str
    public: str
    keys: dict[str, tuple[str, str] | None]


@pytest.fixture(scope="module")
def world(server: RunningServer) -> Iterator[World]:
    headers = {"authorization": f"Bearer {server.secret_access_key}"}
    with httpx.Client(base_url=server.url, headers=headers) as root:
        mark = secrets.token_hex(4)
        private, public = f"private-{mark}", f"public-{mark}"
        owner, stranger, copier = (
            root.post("/v1/admin/identities", json={"display_name": name}).json()["id"]
            for name in ("owner", "stranger", "copier")
        )
        everything = {"read": True, "write": True, "delete": True}

        def key(identity: str, permissions: dict[str, bool], *scope: str) -> tuple[str, str]:
            access = {"type": "specific", "buckets": list(scope)} if scope else {"type": "all"}
            wanted = {
                "name": "k",
                "identity": identity,
                "permissions": permissions,
                "bucket_access": access,
            }
            made = root.post("/v1/admin/keys", json=wanted).json()
            return made["access_key_id"], made["secret"]

        owners = key(owner, everything)
        keys = {
            "owner": owners,
            "reader": key(owner, {"read": True}),
            "writer": key(owner, {"write": True}),
            "scoped": key(owner, everything, public),
            "stranger": key(stranger, everything),
            "copier": key(copier, everything),
            "root": (server.access_key_id, server.secret_access_key),
            "nobody": None,
        }
        bearer = {"authorization": f"Bearer {owners[1]}"}
        for name in (private, public):
            made = root.post(
                "/v1/buckets", json={"name": name, "public": name == public}, headers=bearer
            )
            assert made.status_code == 201, made.text
            for object_key in ("there", "listed"):
                root.put(f"/v1/objects/{name}/{object_key}", content=b"x", headers=bearer)
        yield World(server.url, private, public, keys)


# Who may read, list, write and delete in the private bucket, then in the public one.
MATRIX = {
    "owner": ("rlwd", "rlwd"),
    "reader": ("rl", "rl"),
    "writer": ("w", "w"),
    "scoped": ("", "rlwd"),
    "stranger": ("", "r"),
    "root": ("rlwd", "rlwd"),
    "nobody": ("", "r"),
}


def _cases() -> Iterator[tuple[str, str, str, bool]]:
    for who, allowed in MATRIX.items():
        for where, letters in zip(("private", "public"), allowed, strict=True):
            for act in "rlwd":
                yield who, where, act, act in letters


@pytest.mark.parametrize(("who", "where", "act", "allowed"), list(_cases()))
async def test_the_matrix(world: World, who: str, where: str, act: str, *, allowed: bool) -> None:
    bucket = getattr(world, where)
    pair = world.keys[who]
    native = await _native(world.url, pair, bucket, act)
    signed = await _s3(world.url, pair, bucket, act)
    if allowed:
        assert native in {200, 201, 404}, native
        assert signed in {200, 204}, signed
    else:
        assert native == (401 if pair is None else 403)
        assert signed == 403


async def _native(url: str, pair: tuple[str, str] | None, bucket: str, act: str) -> int:
    headers = {} if pair is None else {"authorization": f"Bearer {pair[1]}"}
    method, path = {
        "r": ("GET", f"/v1/objects/{bucket}/there"),
        "l": ("GET", f"/v1/objects/{bucket}"),
        "w": ("PUT", f"/v1/objects/{bucket}/new"),
        "d": ("DELETE", f"/v1/objects/{bucket}/missing"),
    }[act]
    async with httpx.AsyncClient(base_url=url, headers=headers) as http:
        body = b"x" if method == "PUT" else None
        return (await http.request(method, path, content=body)).status_code


async def _s3(url: str, pair: tuple[str, str] | None, bucket: str, act: str) -> int:
    signer = None if pair is None else Signer(*pair)
    method, key = {
        "r": ("GET", b"there"),
        "l": ("GET", None),
        "w": ("PUT", b"new"),
        "d": ("DELETE", b"missing"),
    }[act]
    async with S3TestClient(url, signer) as s3:
        body = b"x" if method == "PUT" else b""
        return (await s3.send(method, s3.path(bucket, key), body=body)).status


async def test_a_missing_key_is_told_to_who_may_list(world: World) -> None:
    for who, status in (("owner", 404), ("stranger", 403), ("writer", 403)):
        pair = world.keys[who]
        assert pair is not None
        async with S3TestClient(world.url, Signer(*pair)) as s3:
            assert (await s3.get(world.private, b"missing")).status == status


async def test_an_object_made_public_is_everybodys(world: World) -> None:
    pair = world.keys["owner"]
    assert pair is not None
    async with S3TestClient(world.url, Signer(*pair)) as s3:
        await s3.put(world.private, b"shown", b"x", {"x-amz-acl": "public-read"})
        await s3.put(world.private, b"later", b"x")
    async with httpx.AsyncClient(base_url=world.url) as http:
        assert (await http.get(f"/{world.private}/shown")).status_code == 200
        assert (await http.get(f"/v1/objects/{world.private}/shown")).status_code == 200
        assert (await http.get(f"/{world.private}/later")).status_code == 403
    async with S3TestClient(world.url, Signer(*pair)) as s3:
        path = s3.path(world.private, b"later")
        for canned in ("public-read", "private"):
            answer = await s3.send("PUT", path, "acl=", headers={"x-amz-acl": canned})
            assert answer.status == 200, answer
            wanted = 200 if canned == "public-read" else 403
            async with S3TestClient(world.url, None) as anyone:
                assert (await anyone.get(world.private, b"later")).status == wanted


@pytest.mark.parametrize("who", ["owner", "reader", "stranger", "scoped", "nobody"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/admin/keys"),
        ("POST", "/v1/admin/gc"),
        ("GET", "/v1/stats"),
        ("GET", "/v1/admin/identities"),
    ],
)
def test_only_admins_administer(world: World, who: str, method: str, path: str) -> None:
    pair = world.keys[who]
    headers = {} if pair is None else {"authorization": pair[1]}
    answer = httpx.request(method, world.url + path, headers=headers)
    assert answer.status_code == (401 if pair is None else 403)


def test_a_stranger_sees_only_its_own_buckets(world: World) -> None:
    pair = world.keys["stranger"]
    assert pair is not None
    headers = {"authorization": pair[1]}
    assert httpx.get(f"{world.url}/v1/buckets", headers=headers).json() == {"buckets": []}


async def test_the_token_as_both_values(world: World, server: RunningServer) -> None:
    """As the reference guides have it; and the log never shows it."""
    pair = world.keys["owner"]
    assert pair is not None
    async with S3TestClient(world.url, Signer(pair[1], pair[1])) as s3:
        assert (await s3.get(world.private, b"there")).status == 200
    assert pair[1] not in server.log


async def test_a_copy_does_not_tell_tags_to_who_may_not_read_them(world: World) -> None:
    owner, copier = world.keys["owner"], world.keys["copier"]
    assert owner is not None
    assert copier is not None
    async with S3TestClient(world.url, Signer(*owner)) as s3:
        shared = {"x-amz-acl": "public-read"}
        await s3.put(world.private, b"tagged", b"x", {**shared, "x-amz-tagging": "secret=yes"})
        await s3.put(world.private, b"bare", b"x", shared)
        own = {"x-amz-copy-source": f"{world.private}/tagged"}
        assert (await s3.put(world.private, b"own", b"", own)).status == 200
    async with S3TestClient(world.url, Signer(*copier)) as s3:
        bucket = await s3.bucket(f"mine-{secrets.token_hex(4)}")
        for source, directive, status in (
            ("tagged", "COPY", 403),
            ("tagged", "REPLACE", 200),
            ("bare", "COPY", 200),
        ):
            headers = {
                "x-amz-copy-source": f"{world.private}/{source}",
                "x-amz-tagging-directive": directive,
            }
            path = s3.path(bucket, b"copy")
            assert (await s3.send("PUT", path, headers=headers)).status == status
