"""A store against a plain model of it, driven by Hypothesis."""

import asyncio
from collections.abc import Coroutine
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, ClassVar, TypeVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from vexobj_storage.errors import NoSuchKey, ObjectLocked
from vexobj_storage.lifecycle import LifecycleRule
from vexobj_storage.locks import ObjectLock
from vexobj_storage.store import ObjectStore
from vexobj_storage.testing.helpers import PLAIN, complete, content, make_bucket, put, put_part
from vexobj_storage.testing.invariants import invariants
from vexobj_storage.testing.listings import expected_listing, listed
from vexobj_storage.types import Bucket, BucketChange, Deleted, Versioning

T = TypeVar("T")

_LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)

_KEYS = st.text("ab/-\u00e9", min_size=1, max_size=4).map(str.encode)
_DATA = st.sampled_from([b"", b"1", b"22", b"333", b"x" * 2_000])


@dataclass(frozen=True)
class _Version:
    id: str
    data: bytes | None
    """None for a delete marker."""
    held: bool = False


class StoreModel(RuleBasedStateMachine):
    """Subclass it with a `store` and the `runner` of its event loop; each run has its bucket."""

    store: ClassVar[ObjectStore]
    runner: ClassVar[asyncio.Runner]
    made: ClassVar[int] = 0
    bucket: Bucket

    def __init__(self) -> None:
        super().__init__()
        self.history: dict[bytes, list[_Version]] = {}
        self.versioning = Versioning.OFF

    @initialize()
    def begin(self) -> None:
        type(self).made += 1
        self.bucket = self._run(make_bucket(self.store, name=f"bucket-{self.made}"))

    @rule(key=_KEYS, data=_DATA)
    def put(self, key: bytes, data: bytes) -> None:
        with self._refused_if(self._replaces_held(key)):
            self._wrote(key, self._run(put(self.store, self.bucket, key, data)).version_id, data)

    @precondition(lambda self: self.history)
    @rule(data=st.data(), name=_KEYS)
    def copy(self, data: st.DataObject, name: bytes) -> None:
        key, version = self._choose(data)
        if version.data is not None:
            stored = self._run(self.store.get_object(self.bucket, key, version.id))
            with self._refused_if(self._replaces_held(name)):
                copied = self._run(self.store.copy_object(stored, self.bucket, name, PLAIN))
                self._wrote(name, copied.version_id, version.data)

    @rule(key=_KEYS, parts=st.lists(_DATA, min_size=1, max_size=3), again=st.booleans())
    def multipart(self, key: bytes, parts: list[bytes], again: bool) -> None:
        with self._refused_if(self._replaces_held(key)):
            version_id = self._run(self._multipart(key, parts, again))
            self._wrote(key, version_id, b"".join(parts))

    @rule(key=_KEYS)
    def delete(self, key: bytes) -> None:
        with self._refused_if(self._replaces_held(key)):
            self._delete(key)

    def _delete(self, key: bytes) -> None:
        deleted: Deleted = self._run(self.store.delete_object(self.bucket, key))
        assert deleted.existed == (self._current(key) is not None)
        if self.versioning is Versioning.OFF:
            self.history.pop(key, None)
        else:
            assert deleted.version_id is not None
            self._wrote(key, deleted.version_id, None)

    @precondition(lambda self: self.history)
    @rule(data=st.data())
    def delete_version(self, data: st.DataObject) -> None:
        key, version = self._choose(data)
        with self._refused_if(version.held):
            deleted = self._run(self.store.delete_object(self.bucket, key, version.id))
            assert deleted.existed
            assert deleted.is_delete_marker == (version.data is None)
            self.history[key].remove(version)
            if not self.history[key]:
                del self.history[key]

    @precondition(lambda self: self.history)
    @rule(data=st.data())
    def purge(self, data: st.DataObject) -> None:
        key, _ = self._choose(data)
        with self._refused_if(any(version.held for version in self.history[key])):
            purged = self._run(self.store.purge(self.bucket, key))
            assert purged.versions == len(self.history.pop(key))

    @precondition(lambda self: self.history)
    @rule(data=st.data(), held=st.booleans())
    def hold(self, data: st.DataObject, held: bool) -> None:
        key, version = self._choose(data)
        if version.data is not None:
            lock = ObjectLock(legal_hold=held)
            self._run(self.store.update_lock(self.bucket, key, version.id, lambda _: lock))
            history = self.history[key]
            history[history.index(version)] = replace(version, held=held)

    @rule(versioning=st.sampled_from([Versioning.ENABLED, Versioning.SUSPENDED]))
    def switch(self, versioning: Versioning) -> None:
        change = BucketChange(versioning=versioning)
        self.bucket = self._run(self.store.update_bucket(self.bucket.name, change))
        self.versioning = versioning

    @rule(
        prefix=st.sampled_from(["", "a", "b"]),
        said=st.sampled_from(
            [
                {"expire_at": _LONG_AGO},
                {"expire_delete_markers": True},
                {"keep_noncurrent": 1},
                {"keep_noncurrent": 2},
            ]
        ),
    )
    def sweep(self, prefix: str, said: dict[str, Any]) -> None:
        """What rules want done at once, whatever time it is."""
        wanted = LifecycleRule("rule", _LONG_AGO, prefix=prefix, **said)
        self._run(self.store.set_lifecycle(self.bucket.name, [wanted]))
        self._run(self.store.sweep_lifecycle())
        self._run(self.store.set_lifecycle(self.bucket.name, []))
        for key in [key for key in self.history if key.startswith(prefix.encode())]:
            self._swept(key, wanted)

    @rule()
    def collect(self) -> None:
        self._run(self.store.collect_garbage())
        self._run(self.store.fold_usage())

    @rule(key=_KEYS)
    def read(self, key: bytes) -> None:
        current = self._current(key)
        if current is not None:
            assert self._run(content(self.store, self.bucket, key)) == current
            return
        with pytest.raises(NoSuchKey) as missing:
            self._run(self.store.get_object(self.bucket, key))
        history = self.history.get(key)
        assert missing.value.marker_version_id == (history[-1].id if history else None)

    @precondition(lambda self: self.history)
    @rule(data=st.data())
    def read_version(self, data: st.DataObject) -> None:
        key, version = self._choose(data)
        if version.data is not None:
            read = self._run(content(self.store, self.bucket, key, version.id))
            assert read == version.data

    @rule(
        prefix=st.text("ab/\u00e9", max_size=2).map(str.encode),
        delimiter=st.text("ab/-\u00e9", max_size=2).map(str.encode),
        limit=st.integers(1, 5),
    )
    def list_objects(self, prefix: bytes, delimiter: bytes, limit: int) -> None:
        live = [key for key in self.history if self._current(key) is not None]
        found = self._run(listed(self.store, self.bucket, prefix, delimiter, limit))
        assert found == expected_listing(live, prefix, delimiter)

    @rule(limit=st.integers(1, 5))
    def list_versions(self, limit: int) -> None:
        assert self._run(self._versions(limit)) == [
            (key, version.id, version == history[-1], version.data is None)
            for key, history in sorted(self.history.items())
            for version in reversed(history)
        ]

    def teardown(self) -> None:
        self._run(invariants(self.store))

    async def _multipart(self, key: bytes, parts: list[bytes], again: bool) -> str:
        upload = await self.store.create_upload(self.bucket, key, PLAIN)
        named = [
            await put_part(self.store, upload, 2 * n + 1, part) for n, part in enumerate(parts)
        ]
        await put_part(self.store, upload, 2, b"not named")
        if again:
            await put_part(self.store, upload, 1, b"replaced")
            named[0] = await put_part(self.store, upload, 1, parts[0])
        return (await complete(self.store, self.bucket, upload, named)).version_id

    async def _versions(self, limit: int) -> list[tuple[bytes, str, bool, bool]]:
        items: list[tuple[bytes, str, bool, bool]] = []
        key, version_id = b"", None
        while True:
            page = await self.store.list_versions(
                self.bucket, key_marker=key, version_id_marker=version_id, limit=limit
            )
            items += [(v.key, v.version_id, v.is_latest, v.is_delete_marker) for v in page.versions]
            if page.next_key is None:
                return items
            key, version_id = page.next_key, page.next_version_id

    def _wrote(self, key: bytes, version_id: str, data: bytes | None) -> None:
        assert (version_id == "null") == (self.versioning is not Versioning.ENABLED)
        history = [v for v in self.history.get(key, []) if v.id != version_id]
        self.history[key] = [*history, _Version(version_id, data)]

    def _swept(self, key: bytes, wanted: LifecycleRule) -> None:
        history = self.history[key]
        if wanted.expire_at is not None and self._current(key) is not None:
            if self._replaces_held(key):
                return
            if self.versioning is Versioning.OFF:
                del self.history[key]
            else:
                page = self._run(self.store.list_versions(self.bucket, prefix=key, limit=1))
                self._wrote(key, page.versions[0].version_id, None)
        elif wanted.expire_delete_markers and [v.data for v in history] == [None]:
            del self.history[key]
        elif wanted.keep_noncurrent is not None:
            newer, kept = 0, [history[-1]]
            for version in reversed(history[:-1]):
                if newer < wanted.keep_noncurrent or version.held:
                    kept.insert(0, version)
                newer += version.data is not None
            self.history[key] = kept

    def _replaces_held(self, key: bytes) -> bool:
        """Whether what is written to the key takes the place of a version that is held."""
        if self.versioning is Versioning.ENABLED:
            return False
        return any(v.held and v.id == "null" for v in self.history.get(key, []))

    def _refused_if(self, held: bool) -> AbstractContextManager[object]:
        return pytest.raises(ObjectLocked) if held else nullcontext()

    def _current(self, key: bytes) -> bytes | None:
        history = self.history.get(key)
        return history[-1].data if history else None

    def _choose(self, data: st.DataObject) -> tuple[bytes, _Version]:
        key = data.draw(st.sampled_from(sorted(self.history)))
        return key, data.draw(st.sampled_from(self.history[key]))

    def _run(self, operation: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(operation)
