"""What every store must do when it lists: any bytes, any delimiter, pages of any size."""

import asyncio
from collections.abc import Sequence
from dataclasses import fields
from operator import itemgetter

import pytest

from vexobj_storage.store import ObjectStore
from vexobj_storage.testing.helpers import PLAIN, make_bucket
from vexobj_storage.types import Bucket, ObjectName, Versioning

KEYS = sorted(
    key.encode()
    for key in (
        "a", "a/", "a/b", "a/b/c", "a//", "a0", "aa", "b%", "b_", "b\\", "e\u0301", "\u00e9",
        "\u00e9/x", "\uffff", "\U0001f600", "\U0001f600/\U0001f601", "z", "z/1", "z/2", "\x01",
        "\x7f", *(f"many/{n:03}" for n in range(120)), *(f"dir{n:03}/x" for n in range(60)),
        *(f"dir{n:03}/y/z" for n in range(60)),
    )
)  # fmt: skip
_DELIMITERS = (b"", b"/", b"a", "\u00e9".encode(), b"/x", b"\x7f", b"0", b"\xff")
_PREFIXES = (b"", b"a", b"a/", b"many/", b"dir", b"dir0", b"none", "\U0001f600".encode(), b"\xff")


def expected_listing(
    keys: Sequence[bytes], prefix: bytes, delimiter: bytes, after: bytes = b""
) -> list[bytes]:
    """Keys and common prefixes in order; no key can be equal to a common prefix of another."""
    items: dict[bytes, None] = {}
    for key in sorted(keys):
        at = key.find(delimiter, len(prefix)) if delimiter else -1
        item = key if at < 0 else key[: at + len(delimiter)]
        told = key <= after or (at >= 0 and after.startswith(item))
        if key.startswith(prefix) and not told:
            items[item] = None
    return list(items)


async def listed(
    store: ObjectStore, bucket: Bucket, prefix: bytes, delimiter: bytes, limit: int
) -> list[bytes]:
    """All pages of a listing of objects, joined."""
    items: list[bytes] = []
    after = b""
    while True:
        page = await store.list_objects(
            bucket, prefix=prefix, delimiter=delimiter, after=after, limit=limit
        )
        found = sorted([*(o.key for o in page.objects), *page.common_prefixes])
        assert len(found) <= limit
        items += found
        if page.next_after is None:
            return items
        assert page.next_after == found[-1]
        assert len(found) == limit
        after = page.next_after


class ListingContract:
    @pytest.fixture
    async def filled(self, store: ObjectStore) -> Bucket:
        bucket = await make_bucket(store)
        puts = (store.put_object(bucket, k, store.stage_bytes(k), PLAIN) for k in KEYS)
        await asyncio.gather(*puts)
        return bucket

    async def test_pages_join_to_the_whole(self, store: ObjectStore, filled: Bucket) -> None:
        for delimiter in _DELIMITERS:
            for prefix in _PREFIXES:
                expected = expected_listing(KEYS, prefix, delimiter)
                for limit in (1000, 50) if len(expected) > 20 else (1000, 3, 1):
                    found = await listed(store, filled, prefix, delimiter, limit)
                    assert found == expected, (prefix, delimiter, limit)

    async def test_any_start(self, store: ObjectStore, filled: Bucket) -> None:
        for after in (b"a/b", b"a/", b"a0", b"dir030", b"dir030/", b"dir030/x", b"\xff", b"\x01"):
            for delimiter in (b"", b"/"):
                page = await store.list_objects(filled, delimiter=delimiter, after=after)
                found = sorted([*(o.key for o in page.objects), *page.common_prefixes])
                assert found == expected_listing(KEYS, b"", delimiter, after), (after, delimiter)
        assert not (await store.list_objects(filled, limit=0)).objects

    async def test_what_is_told_is_what_was_put(self, store: ObjectStore, filled: Bucket) -> None:
        page = await store.list_objects(filled, prefix=b"many/", limit=7)
        detailed = await store.list_object_details(filled, prefix=b"many/", limit=7)
        assert detailed.next_after == page.next_after == page.objects[-1].key
        for found, details in zip(page.objects, detailed.objects, strict=True):
            put = (await store.get_object(filled, found.key)).version
            for told in (found, details):
                for name in (field.name for field in fields(told)):
                    known = put.attributes if name in {"owner_id", "content_type"} else put
                    assert getattr(told, name) == getattr(known, name), name
        folded = await store.list_object_details(filled, prefix=b"many", delimiter=b"/")
        assert (folded.objects, folded.common_prefixes) == ([], [b"many/"])

    async def test_versions_newest_first(self, store: ObjectStore) -> None:
        bucket = await make_bucket(store, Versioning.ENABLED)
        expected = []
        for key in (b"a/1", b"a/2", b"b", b"b/1", b"b0"):
            ids = []
            for data in (b"1", b"2"):
                put = await store.put_object(bucket, key, store.stage_bytes(data), PLAIN)
                ids.append(put.version_id)
            if key != b"b":
                marker = await store.delete_object(bucket, key)
                ids.append(str(marker.version_id))
            expected += [(key, version_id) for version_id in reversed(ids)]
        for limit in (1, 2, 3, 1000):
            assert await _version_pages(store, bucket, b"", limit) == expected
        latest = [v.is_latest for v in (await store.list_versions(bucket)).versions]
        assert latest == [True, False, False] * 2 + [True, False] + [True, False, False] * 2
        for limit in (1, 2, 1000):
            alone = [item for item in expected if item[0] in (b"b", b"b0")]
            grouped = [(b"a/", ""), *alone[:2], (b"b/", ""), *alone[2:]]
            assert await _version_pages(store, bucket, b"/", limit) == grouped

    async def test_a_marker_that_went_away(self, store: ObjectStore) -> None:
        bucket = await make_bucket(store, Versioning.ENABLED)
        for key in (b"key %d" % n for n in range(10)):
            puts = (
                store.put_object(bucket, key, store.stage_bytes(d), PLAIN)
                for d in (b"1", b"2", b"3")
            )
            await asyncio.gather(*puts)
            (newest,) = (await store.list_versions(bucket, prefix=key, limit=1)).versions
            await store.delete_objects(bucket, [ObjectName(key, newest.version_id)])
            rest = await store.list_versions(
                bucket, prefix=key, key_marker=key, version_id_marker=newest.version_id
            )
            assert len(rest.versions) == 2

    async def test_uploads_oldest_first(self, store: ObjectStore) -> None:
        bucket = await make_bucket(store)
        made = []
        for key in (b"a/1", b"a/2", b"b", b"b", b"c/1"):
            upload = await store.create_upload(bucket, key, PLAIN)
            made.append((key, upload.upload_id))
        closed = await store.create_upload(bucket, b"b", PLAIN)
        await store.abort_upload(bucket, b"b", closed.upload_id)
        expected = sorted(made)
        for limit in (1, 2, 1000):
            assert await _upload_pages(store, bucket, b"", limit) == expected
            grouped = [(b"a/", ""), *expected[2:4], (b"c/", "")]
            assert await _upload_pages(store, bucket, b"/", limit) == grouped

    async def test_a_key_of_many_rows_between_prefixes_of_many_keys(
        self, store: ObjectStore
    ) -> None:
        """However much of it was read when the walk begins to jump from prefix to prefix."""
        for collapsing in (9, 11, 13, 40):
            bucket = await make_bucket(store, Versioning.ENABLED, f"bucket-{collapsing}")
            versions, uploads = [], []
            for key in (*(b"a/%03d" % n for n in range(collapsing)), *[b"b"] * 12, b"c/1", b"d"):
                put = await store.put_object(bucket, key, store.stage_bytes(b""), PLAIN)
                versions.append((key, put.version_id))
                uploads.append((key, (await store.create_upload(bucket, key, PLAIN)).upload_id))
            told = [(b"a/", ""), *reversed(versions[collapsing:-2]), (b"c/", ""), versions[-1]]
            for limit in (1, 5, 1000):
                assert await _version_pages(store, bucket, b"/", limit) == told
            told = [(b"a/", ""), *sorted(uploads[collapsing:-2]), (b"c/", ""), uploads[-1]]
            for limit in (1, 5, 1000):
                assert await _upload_pages(store, bucket, b"/", limit) == told


async def _version_pages(
    store: ObjectStore, bucket: Bucket, delimiter: bytes, limit: int
) -> list[tuple[bytes, str]]:
    items: list[tuple[bytes, str]] = []
    key, version_id = b"", None
    while True:
        page = await store.list_versions(
            bucket, delimiter=delimiter, key_marker=key, version_id_marker=version_id, limit=limit
        )
        found = [(v.key, v.version_id) for v in page.versions]
        items += _merged(found, page.common_prefixes)
        if page.next_key is None:
            return items
        key, version_id = page.next_key, page.next_version_id


async def _upload_pages(
    store: ObjectStore, bucket: Bucket, delimiter: bytes, limit: int
) -> list[tuple[bytes, str]]:
    items: list[tuple[bytes, str]] = []
    key, upload_id = b"", None
    while True:
        page = await store.list_uploads(
            bucket, delimiter=delimiter, key_marker=key, upload_id_marker=upload_id, limit=limit
        )
        found = [(u.key, u.upload_id) for u in page.uploads]
        items += _merged(found, page.common_prefixes)
        if page.next_key is None:
            return items
        key, upload_id = page.next_key, page.next_upload_id


def _merged(found: list[tuple[bytes, str]], prefixes: Sequence[bytes]) -> list[tuple[bytes, str]]:
    return sorted([*found, *((prefix, "") for prefix in prefixes)], key=itemgetter(0))
