"""Rules that read: by key, by version, in pages of any size."""

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import rule

from vexobj_storage.errors import NoSuchKey, NoSuchVersion
from vexobj_storage.testing.helpers import content
from vexobj_storage.testing.listings import expected_listing
from vexobj_storage.testing.model.machine import KEYS, Machine, has_history

_PREFIXES = st.sampled_from([b"", b"a", b"a/", b"b", "\u00e9".encode(), b"none"])
_DELIMITERS = st.sampled_from([b"", b"/", b"b", b"/b", "\u00e9".encode()])
_LIMITS = st.integers(1, 5)


class ListingRules(Machine):
    @rule(key=KEYS)
    def read(self, key: bytes) -> None:
        held = self.held.current(key)
        if held is not None:
            stored = self.run(self.store.get_object(self.bucket, key))
            self.same(stored.version, held)
            assert self.run(content(self.store, self.bucket, key)) == held.data
            return
        with pytest.raises(NoSuchKey) as missing:
            self.run(self.store.get_object(self.bucket, key))
        history = self.held.history.get(key)
        assert missing.value.marker_version_id == (history[-1].id if history else None)

    @has_history
    @rule(data=st.data())
    def read_range(self, data: st.DataObject) -> None:
        key, held = self.choose(data)
        self._key_pages(key, data.draw(_LIMITS))
        if held.data:
            start = data.draw(st.integers(0, held.size - 1))
            length = data.draw(st.integers(0, held.size - start))
            found = self.run(content(self.store, self.bucket, key, held.id, start, length))
            assert found == held.data[start : start + length]

    @rule(key=KEYS, version_id=st.sampled_from(["null", "other", "00" * 16]))
    def read_version(self, key: bytes, version_id: str) -> None:
        found = [held for held in self.held.history.get(key, []) if held.id == version_id]
        if not found:
            with pytest.raises(NoSuchVersion):
                self.run(self.store.get_object(self.bucket, key, version_id))
            return
        version = self.run(self.store.get_object(self.bucket, key, version_id)).version
        assert version.is_delete_marker == (found[0].data is None)
        assert version.is_latest == (found[0] is self.held.history[key][-1])

    @rule(prefix=_PREFIXES, delimiter=_DELIMITERS, after=st.just(b"") | KEYS, limit=_LIMITS)
    def list_all(self, prefix: bytes, delimiter: bytes, after: bytes, limit: int) -> None:
        self._object_pages(prefix, delimiter, after, limit)
        self._version_pages(prefix, delimiter, limit)
        self._upload_pages(prefix, limit)

    def _object_pages(self, prefix: bytes, delimiter: bytes, after: bytes, limit: int) -> None:
        found: list[bytes] = []
        following: bytes | None = after
        while following is not None:
            page = self.run(
                self.store.list_objects(
                    self.bucket, prefix=prefix, delimiter=delimiter, after=following, limit=limit
                )
            )
            found += sorted([*(each.key for each in page.objects), *page.common_prefixes])
            following = page.next_after
        assert found == expected_listing(self.held.live_keys(), prefix, delimiter, after)

    def _version_pages(self, prefix: bytes, delimiter: bytes, limit: int) -> None:
        versions: list[tuple[bytes, str]] = []
        prefixes: list[bytes] = []
        key: bytes | None = b""
        version_id: str | None = None
        while key is not None:
            page = self.run(
                self.store.list_versions(
                    self.bucket,
                    prefix=prefix,
                    delimiter=delimiter,
                    key_marker=key,
                    version_id_marker=version_id,
                    limit=limit,
                )
            )
            versions += [(each.key, each.version_id) for each in page.versions]
            prefixes += page.common_prefixes
            key, version_id = page.next_key, page.next_version_id
        told = expected_listing(list(self.held.history), prefix, delimiter)
        plain = [key for key in told if not delimiter or key.find(delimiter, len(prefix)) < 0]
        assert prefixes == [item for item in told if item not in plain]
        assert versions == [(key, held.id) for key, held in self.held.versions() if key in plain]

    def _key_pages(self, key: bytes, limit: int) -> None:
        found, after = [], None
        while True:
            page = self.run(self.store.key_versions(self.bucket, key, after=after, limit=limit))
            found += list(page.items)
            if page.after is None:
                break
            after = str(page.after)
        history = self.held.history.get(key, [])
        for version, held in zip(found, reversed(history), strict=True):
            self.same(version, held)

    def _upload_pages(self, prefix: bytes, limit: int) -> None:
        found = []
        key: bytes | None = b""
        upload_id: str | None = None
        while key is not None:
            page = self.run(
                self.store.list_uploads(
                    self.bucket,
                    prefix=prefix,
                    key_marker=key,
                    upload_id_marker=upload_id,
                    limit=limit,
                )
            )
            found += [(each.key, each.upload_id) for each in page.uploads]
            key, upload_id = page.next_key, page.next_upload_id
        assert found == sorted(found, key=lambda each: each[0])
        assert sorted(found) == sorted(
            (pending.key, name)
            for name, pending in self.held.uploads.items()
            if pending.key.startswith(prefix)
        )
