"""Objects through the Python SDK, against a real server."""

import gzip
import io
import os
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from vexobj_sdk import (
    Body,
    BucketObjectLock,
    BucketRetention,
    Conflict,
    Forbidden,
    InvalidRequest,
    NotFound,
    ObjectLock,
    Permissions,
    VexObj,
)
from vexobj_server.testing import RunningServer

MIB = 1024**2
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63f8cfc0"
    "000003010100c9fe92ef0000000049454e44ae426082"
)


def stored(client: VexObj, bucket: str, key: str) -> bytes:
    with client.get_object(bucket, key) as download:
        return download.read()


@pytest.mark.parametrize(
    "key",
    [
        "plain",
        "a b+c&d=e",
        "x//y",
        "/",
        "../up",
        "a/../b",
        ".",
        "..",
        "é-\U0001f98a",
        "%2F",
        "a\nb",
    ],
)
def test_any_key(client: VexObj, bucket: str, key: str) -> None:
    meta = client.put_object(bucket, key, key.encode())
    assert (meta.bucket, meta.key, meta.size) == (bucket, key, len(key.encode()))
    assert stored(client, bucket, key) == key.encode()
    assert client.head_object(bucket, key)["ETag"] == f'"{meta.etag}"'
    assert [each.key for each in client.iterate_objects(bucket)] == [key]
    client.delete_object(bucket, key)
    with pytest.raises(NotFound):
        client.head_object(bucket, key)


@pytest.mark.parametrize("key", ["", "\x00", "k" * 1025])
def test_no_key(client: VexObj, bucket: str, key: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        client.put_object(bucket, key, b"x")
    assert caught.value.code in {"InvalidKey", "KeyTooLongError"}
    assert not client.list_objects(bucket).objects


def parts() -> Iterator[bytes]:
    yield b"one "
    yield b""
    yield b"two"


class Pipe:
    """A file that cannot seek, and reads less than it is asked for."""

    def __init__(self, content: bytes) -> None:
        self._left = content

    def read(self, size: int = -1) -> bytes:
        size = min(size, 3)
        chunk, self._left = self._left[:size], self._left[size:]
        return chunk


def test_every_kind_of_body(client: VexObj, bucket: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"one two")
    with path.open("rb") as file, gzip.open(io.BytesIO(gzip.compress(b"one two"))) as unpacked:
        bodies: list[Body] = [
            b"one two",
            "one two",
            bytearray(b"one two"),
            parts(),
            [b"one two"],
            file,
            io.BytesIO(b"one two"),
            Pipe(b"one two"),
            unpacked,
        ]
        for body in bodies:
            client.put_object(bucket, "key", body)
            assert stored(client, bucket, "key") == b"one two"
        file.seek(4)
        client.put_object(bucket, "rest", file)
    assert stored(client, bucket, "rest") == b"two"
    assert client.put_object(bucket, "none", b"").size == 0
    assert client.put_object(bucket, "none", iter(())).size == 0
    assert client.put_object(bucket, "sized", parts(), size=7).size == 7


def test_a_text_file_is_no_body(client: VexObj, bucket: str) -> None:
    with pytest.raises(TypeError, match="binary"):
        client.put_object(bucket, "key", io.StringIO("text"))  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [6, 8])
def test_a_body_of_another_length_stores_nothing(client: VexObj, bucket: str, size: int) -> None:
    with pytest.raises(ValueError, match="the body"):
        client.put_object(bucket, "key", parts(), size=size)
    assert not client.list_objects(bucket).objects
    client.put_object(bucket, "key", b"the client still works")


def test_a_body_that_fails_stores_nothing(client: VexObj, bucket: str) -> None:
    def failing() -> Iterator[bytes]:
        yield b"x" * MIB
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        client.put_object(bucket, "key", failing())
    assert not client.list_objects(bucket).objects


def test_iterables_are_sent_as_they_are_read(client: VexObj, bucket: str) -> None:
    """The next chunk is asked for only when the one before is on its way."""
    alive = 0
    most = 0

    class Chunk(bytes):
        def __del__(self) -> None:
            nonlocal alive
            alive -= 1

    def chunks() -> Iterator[bytes]:
        nonlocal alive, most
        for _ in range(48):
            alive += 1
            most = max(most, alive)
            yield Chunk(MIB)

    assert client.put_object(bucket, "key", chunks()).size == 48 * MIB
    assert most <= 4
    with client.get_object(bucket, "key") as download:
        sizes = [len(chunk) for chunk in download]
    assert download.size == sum(sizes) == 48 * MIB
    assert max(sizes) <= 256 * 1024


def test_what_is_said_beside_the_bytes(client: VexObj, bucket: str) -> None:
    packed = gzip.compress(b"text")
    meta = client.put_object(
        bucket,
        "page",
        packed,
        content_type="text/html",
        cache_control="no-cache",
        content_disposition="inline",
        content_encoding="gzip",
        metadata={"Author": "nobody"},
    )
    assert meta.metadata == {"author": "nobody"}
    with client.get_object(bucket, "page") as download:
        assert download.read() == packed, "as it is stored, not as it would be shown"
        assert download.size == len(packed)
        assert download.content_type == "text/html"
        assert download.etag == meta.etag
        assert download.headers["Cache-Control"] == "no-cache"
        assert download.headers["content-disposition"] == "inline"
        assert download.headers["x-amz-meta-author"] == "nobody"
    assert client.put_object(bucket, "guessed.html", "x").content_type == "text/html"


def test_promises_are_kept(client: VexObj, bucket: str) -> None:
    first = client.put_object(bucket, "key", b"1", if_none_match="*")
    with pytest.raises(Conflict) as caught:
        client.put_object(bucket, "key", b"2", if_none_match="*")
    assert (caught.value.status, caught.value.code) == (412, "PreconditionFailed")
    second = client.put_object(bucket, "key", b"2", if_match=first.etag, sha256=None)
    with pytest.raises(Conflict):
        client.put_object(bucket, "key", b"3", if_match=first.etag)
    with pytest.raises(InvalidRequest) as refused:
        client.put_object(bucket, "key", b"3", sha256=second.sha256)
    assert refused.value.code == "BadDigest"
    assert stored(client, bucket, "key") == b"2"


def test_ranges_and_versions(client: VexObj, bucket: str) -> None:
    meta = client.put_object(bucket, "key", b"0123456789")
    for first, last, wanted in [(0, 0, b"0"), (3, 5, b"345"), (8, None, b"89"), (7, 99, b"789")]:
        with client.get_object(bucket, "key", first=first, last=last) as part:
            assert part.read() == wanted
    with client.get_object(bucket, "key", version_id="null") as whole:
        assert whole.read() == b"0123456789"
    with pytest.raises(InvalidRequest) as caught, client.get_object(bucket, "key", first=10):
        pass
    assert (caught.value.status, caught.value.code) == (416, "InvalidRange")
    with pytest.raises(ValueError, match="range"), client.get_object(bucket, "key", first=-1):
        pass
    with pytest.raises(ValueError, match="range"):
        client.get_object(bucket, "key", first=2, last=1).__enter__()
    with pytest.raises(NotFound) as missing:
        client.head_object(bucket, "key", version_id="no-such-version")
    assert missing.value.status == 404
    assert meta.size == 10


def test_pages_and_prefixes(client: VexObj, bucket: str) -> None:
    keys = ["a/1", "a/2", "a_1", "b+1", "é"]
    for key in keys:
        client.put_object(bucket, key, b"x")
    page = client.list_objects(bucket, delimiter="/", max_keys=2)
    assert page.common_prefixes == ["a/"]
    assert [each.key for each in page.objects] == ["a_1"]
    assert page.is_truncated
    rest = client.list_objects(
        bucket, delimiter="/", continuation_token=page.next_continuation_token
    )
    assert [each.key for each in rest.objects] == ["b+1", "é"]
    assert (rest.is_truncated, rest.next_continuation_token) == (False, None)
    assert [each.key for each in client.iterate_objects(bucket, page_size=1)] == keys
    assert [each.key for each in client.iterate_objects(bucket, prefix="a/")] == keys[:2]


def test_versions_and_locks(client: VexObj, bucket: str) -> None:
    assert client.get_versioning(bucket).versioning == "off"
    assert client.enable_versioning(bucket).versioning == "enabled"
    for body in (b"1", b"2"):
        client.put_object(bucket, "key", body)
    client.delete_object(bucket, "key")
    marker, newer, older = client.iterate_versions(bucket, "key", page_size=1)
    assert (marker.is_delete_marker, marker.is_latest) == (True, True)
    assert newer.created_at > older.created_at
    client.delete_object(bucket, "key", version_id=marker.version_id)
    assert client.get_lock(bucket, "key") == ObjectLock(None, legal_hold=False, mode=None)
    until = datetime.now(UTC) + timedelta(days=1)
    lock = client.set_lock(bucket, "key", retain_until=until, legal_hold=True)
    assert lock == ObjectLock(until, legal_hold=True, mode="governance")
    with pytest.raises(Conflict, match="object is locked"):
        client.purge_versions(bucket, "key", bypass_governance=True)
    client.release_legal_hold(bucket, "key")
    with pytest.raises(Conflict):
        client.delete_object(bucket, "key")
    client.delete_object(bucket, "key", version_id=newer.version_id, bypass_governance=True)
    assert client.purge_versions(bucket, "key").versions_removed == 1
    assert client.enable_versioning(bucket, suspend=True).versioning == "suspended"


def test_object_lock_of_a_bucket(client: VexObj, bucket: str) -> None:
    assert client.get_bucket(bucket).object_lock is None
    lock = BucketObjectLock(BucketRetention("governance", years=1))
    with pytest.raises(Conflict):
        client.update_bucket(bucket, object_lock=lock)
    locked = client.create_bucket(f"locked-{secrets.token_hex(6)}", object_lock=True)
    assert (locked.versioning, locked.object_lock) == ("enabled", BucketObjectLock())
    assert client.update_bucket(locked.name, object_lock=lock).object_lock == lock


def test_images(client: VexObj, server: RunningServer) -> None:
    name = client.create_bucket(f"images-{secrets.token_hex(4)}", public=True).name
    client.put_object(name, "a b.png", PIXEL)
    with client.get_image(name, "a b.png", format="webp", quality=50) as image:
        assert image.content_type == "image/webp"
        assert image.read()[8:12] == b"WEBP"
    url = urlsplit(client.image_url(name, "a b.png", w=1, format="jpeg", fit="contain"))
    assert f"{url.scheme}://{url.netloc}{url.path}" == f"{server.url}/v1/object/{name}"
    wanted = {"key": ["a b.png"], "w": ["1"], "format": ["jpeg"], "fit": ["contain"]}
    assert parse_qs(url.query) == wanted
    with pytest.raises(InvalidRequest) as caught, client.get_image(name, "a b.png", w=-1):
        pass
    assert caught.value.code == "InvalidTransform"


def test_a_refusal_arrives_though_the_body_is_large(
    client: VexObj, server: RunningServer, bucket: str
) -> None:
    created = client.create_api_key("reader", permissions=Permissions(read=True, write=False))
    with VexObj(server.url, created.secret) as reader, pytest.raises(Forbidden) as caught:
        reader.put_object(bucket, "key", (os.urandom(MIB) for _ in range(64)))
    assert (caught.value.status, caught.value.code) == (403, "MissingPermission")
    with pytest.raises(InvalidRequest) as large:
        client.put_object(bucket, "key", (bytes(MIB) for _ in range(65)))
    assert (large.value.status, large.value.code) == (413, "TooLarge")
    assert not client.list_objects(bucket).objects
