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

from vexobj_storage.errors import NoSuchKey, ObjectLocked, QuotaExceeded
from vexobj_storage.lifecycle import LifecycleRule
from vexobj_storage.locks import ObjectLock
from vexobj_storage.store import ObjectStore
from vexobj_storage.testing.helpers import PLAIN, complete, content, make_bucket, put, put_part
from vexobj_storage.testing.invariants import invariants
from vexobj_storage.testing.listings import expected_listing, listed
from vexobj_storage.types import Bucket, BucketChange, Deleted, Quota, Versioning

T = TypeVar("T")

_LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)

_KEYS = st.text("ab/-\u00e9", min_size=1, max_size=4).map(str.encode)
_DATA = st.sampled_from([b"", b"1", b"22", b"333", b"x" * 2_000])
_LIMITS = st.none() | st.integers(0, 8) | st.integers(2_000, 9_000)
_NOT_NAMED = b"not named"
_REPLACED = b"replaced"

_Step = tuple[int, tuple[int, int]]
"""Bytes of parts that are there already, and by how many objects and bytes it grows."""


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
        self.quota = Quota()

    @initialize()
    def begin(self) -> None:
        type(self).made += 1
        self.bucket = self._run(make_bucket(self.store, name=f"bucket-{self.made}"))

    @rule(key=_KEYS, data=_DATA)
    def put(self, key: bytes, data: bytes) -> None:
        with self._refused_by(self._objection(key, [(0, self._growth(key, data))])):
            self._wrote(key, self._run(put(self.store, self.bucket, key, data)).version_id, data)

    @precondition(lambda self: self.history)
    @rule(data=st.data(), name=_KEYS)
    def copy(self, data: st.DataObject, name: bytes) -> None:
        key, version = self._choose(data)
        if version.data is None:
            return
        stored = self._run(self.store.get_object(self.bucket, key, version.id))
        with self._refused_by(self._objection(name, [(0, self._growth(name, version.data))])):
            copied = self._run(self.store.copy_object(stored, self.bucket, name, PLAIN))
            self._wrote(name, copied.version_id, version.data)

    @rule(key=_KEYS, parts=st.lists(_DATA, min_size=1, max_size=3), again=st.booleans())
    def multipart(self, key: bytes, parts: list[bytes], again: bool) -> None:
        sizes = [len(part) for part in parts] + [len(_NOT_NAMED)]
        if again:
            sizes += [len(_REPLACED) - sizes[0], sizes[0] - len(_REPLACED)]
        data = b"".join(parts)
        objects, size = self._growth(key, data)
        steps = [(sum(sizes[:n]), (0, grown)) for n, grown in enumerate(sizes)]
        steps.append((sum(sizes), (objects, size - sum(sizes))))
        with self._refused_by(self._objection(key, steps)):
            self._wrote(key, self._run(self._multipart(key, parts, again)), data)

    @rule(max_bytes=_LIMITS, max_objects=st.none() | st.integers(0, 8))
    def limit(self, max_bytes: int | None, max_objects: int | None) -> None:
        self.quota = Quota(max_bytes, max_objects)
        self.bucket = self._run(self.store.set_quota(self.bucket.name, self.quota))

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
        """Aborted when it is refused."""
        upload = await self.store.create_upload(self.bucket, key, PLAIN)
        try:
            named = [
                await put_part(self.store, upload, 2 * n + 1, part) for n, part in enumerate(parts)
            ]
            await put_part(self.store, upload, 2, _NOT_NAMED)
            if again:
                await put_part(self.store, upload, 1, _REPLACED)
                named[0] = await put_part(self.store, upload, 1, parts[0])
            return (await complete(self.store, self.bucket, upload, named)).version_id
        except (QuotaExceeded, ObjectLocked):
            await self.store.abort_upload(self.bucket, key, upload.upload_id)
            raise

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
        return self._refused_by(ObjectLocked if held else None)

    def _refused_by(self, objection: type[Exception] | None) -> AbstractContextManager[object]:
        return nullcontext() if objection is None else pytest.raises(objection)

    def _objection(self, key: bytes, steps: list[_Step]) -> type[Exception] | None:
        """What comes in the way of parts, and of a version of the key as the last step."""
        *parts, last = steps
        if any(self._too_much(step) for step in parts):
            return QuotaExceeded
        if self._replaces_held(key):
            return ObjectLocked
        return QuotaExceeded if self._too_much(last) else None

    def _growth(self, key: bytes, data: bytes) -> tuple[int, int]:
        """How many objects and bytes more there are once `data` is written."""
        history = self.history.get(key, [])
        keeps = self.versioning is Versioning.ENABLED
        gone = [v.data for v in history if v.id == "null" and not keeps and v.data is not None]
        return 1 - len(gone), len(data) - sum(map(len, gone))

    def _too_much(self, step: _Step) -> bool:
        """Whether a step grows above the quota."""
        held = [v.data for history in self.history.values() for v in history if v.data is not None]
        uploaded, (objects, size) = step
        most_objects, most_bytes = self.quota.max_objects, self.quota.max_bytes
        if most_objects is not None and objects > 0 and len(held) + objects > most_objects:
            return True
        total = sum(map(len, held)) + uploaded + size
        return most_bytes is not None and size > 0 and total > most_bytes

    def _current(self, key: bytes) -> bytes | None:
        history = self.history.get(key)
        return history[-1].data if history else None

    def _choose(self, data: st.DataObject) -> tuple[bytes, _Version]:
        key = data.draw(st.sampled_from(sorted(self.history)))
        return key, data.draw(st.sampled_from(self.history[key]))

    def _run(self, operation: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(operation)


class SealedModel(StoreModel):
    """Of a store that seals: now and then there is a new root key, and some of it is rewritten."""

    @rule(steps=st.integers(1, 8))
    def rewrite(self, steps: int) -> None:
        self._run(self.store._keys.add(0))  # noqa: SLF001 - as an operator who will not wait
        self._run(self.store.start_rewriting())
        for _ in range(steps):
            self._run(self.store.rewrite_some())
