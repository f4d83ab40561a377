"""Rules that put, copy, change and delete."""

from collections.abc import Sequence
from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import rule

from vexobj_storage.errors import (
    NoSuchKey,
    ObjectLocked,
    ObjectLockNeedsVersioning,
    PreconditionFailed,
    QuotaExceeded,
)
from vexobj_storage.locks import UNLOCKED, ObjectLock, Retention, RetentionMode
from vexobj_storage.testing.helpers import chunks
from vexobj_storage.testing.model.machine import DATA, KEYS, Machine, has_history
from vexobj_storage.testing.model.state import Held
from vexobj_storage.types import (
    BucketChange,
    ObjectAttributes,
    ObjectName,
    Quota,
    Versioning,
    WriteCondition,
)

_TAGS = st.sampled_from([{}, {"keep": "no"}, {"keep": "yes", "of": "\u00e9"}])
_CONDITIONS = st.sampled_from([*[""] * 8, "none", "any", "etag", "other"])
_LOCKS = st.sampled_from([*["none"] * 6, "held", *RetentionMode])
_LIMITS = st.none() | st.integers(0, 8) | st.integers(2_000, 900_000)
_VERSIONING = st.sampled_from([Versioning.ENABLED, Versioning.ENABLED, Versioning.SUSPENDED])


class WritingRules(Machine):
    @rule(key=KEYS, data=DATA, tags=_TAGS, asked=_CONDITIONS, lock=_LOCKS)
    def put(
        self, key: bytes, data: bytes, tags: dict[str, str], asked: str, lock: str | RetentionMode
    ) -> None:
        begun = self._begun(lock)
        condition, failure = self._condition(key, asked)
        attributes = ObjectAttributes(owner_id="owner", tags=tags)
        with self.refused_by(failure, *self.objections(key, len(data))):
            staged = self.run(self.store.stage(chunks(data)))
            version = self.run(
                self.store.put_object(self.bucket, key, staged, attributes, condition, lock=begun)
            )
            self.held.write(key, version.version_id, data, tags=tags, lock=begun)
            self.same(version, self.held.history[key][-1])

    @rule(written=st.lists(st.tuples(KEYS, DATA), min_size=2, max_size=6))
    def put_some(self, written: list[tuple[bytes, bytes]]) -> None:
        for key, data in written:
            self.put(key, data, {}, "", "none")

    @has_history
    @rule(data=st.data(), content=DATA, lock=_LOCKS)
    def put_over(self, data: st.DataObject, content: bytes, lock: str | RetentionMode) -> None:
        key, _ = self.choose(data)
        self.put(key, content, {}, "", lock)

    @has_history
    @rule(data=st.data(), name=KEYS, tags=_TAGS, asked=_CONDITIONS)
    def copy(self, data: st.DataObject, name: bytes, tags: dict[str, str], asked: str) -> None:
        key, held = self.choose(data)
        if held.data is None:
            return
        condition, failure = self._condition(name, asked)
        attributes = ObjectAttributes(owner_id="owner", tags=tags)
        stored = self.run(self.store.get_object(self.bucket, key, held.id))
        with self.refused_by(failure, *self.objections(name, held.size)):
            copied = self.run(
                self.store.copy_object(stored, self.bucket, name, attributes, condition)
            )
            self.held.write(name, copied.version_id, held.data, etag=held.etag, tags=tags)
            self.same(copied, self.held.history[name][-1])

    @has_history
    @rule(data=st.data(), tags=_TAGS)
    def tag(self, data: st.DataObject, tags: dict[str, str]) -> None:
        key, held = self.choose(data)
        if held.data is not None:
            new = Held(held.id, held.data, held.etag, held.at, tags, held.lock)
            changed = self.run(self.store.update_object(self.bucket, key, held.id, tags=tags))
            self.held.change(key, held, new)
            self.same(changed, new)

    @rule(key=KEYS)
    def delete(self, key: bytes) -> None:
        with self.refused_by(ObjectLocked if self._keeps(key) else None):
            deleted = self.run(self.store.delete_object(self.bucket, key))
            assert deleted.existed == (self.held.current(key) is not None)
            self._deleted(key, deleted.version_id)

    @has_history
    @rule(data=st.data(), bypass=st.booleans())
    def delete_version(self, data: st.DataObject, bypass: bool) -> None:
        key, held = self.choose(data)
        with self.refused_by(ObjectLocked if self.held.is_locked(held, bypass=bypass) else None):
            deleted = self.run(
                self.store.delete_object(self.bucket, key, held.id, bypass_governance=bypass)
            )
            assert deleted.existed
            assert deleted.is_delete_marker == (held.data is None)
            self.held.remove(key, held)

    @has_history
    @rule(data=st.data())
    def delete_some(self, data: st.DataObject) -> None:
        """At once; of one key in the order asked."""
        named = [self.choose(data) for _ in range(data.draw(st.integers(1, 4)))]
        whole = data.draw(st.booleans())
        names = [ObjectName(key, None if whole else held.id) for key, held in named]
        answers = self.run(self.store.delete_objects(self.bucket, names))
        for at in sorted(range(len(names)), key=lambda n: names[n].key):
            (key, held), answer = named[at], answers[at]
            assert answer.key == key
            if whole:
                assert (answer.refusal is not None) == self._keeps(key)
                if answer.refusal is None:
                    self._deleted(key, answer.version_id)
            elif held in self.held.history.get(key, []):
                assert (answer.refusal is not None) == self.held.is_locked(held)
                if answer.refusal is None:
                    self.held.remove(key, held)
            else:
                assert (answer.existed, answer.refusal) == (False, None)

    @has_history
    @rule(data=st.data(), bypass=st.booleans())
    def purge(self, data: st.DataObject, bypass: bool) -> None:
        key, _ = self.choose(data)
        history = self.held.history[key]
        kept = any(self.held.is_locked(held, bypass=bypass) for held in history)
        with self.refused_by(ObjectLocked if kept else None):
            purged = self.run(self.store.purge(self.bucket, key, bypass_governance=bypass))
            assert purged.versions == len(history)
            assert purged.bytes == sum(held.size for held in history)
            del self.held.history[key]

    @rule(versioning=_VERSIONING)
    def switch(self, versioning: Versioning) -> None:
        stays = self.held.object_lock is not None and versioning is not Versioning.ENABLED
        with self.refused_by(ObjectLockNeedsVersioning if stays else None):
            change = BucketChange(versioning=versioning)
            self.bucket = self.run(self.store.update_bucket(self.bucket.name, change))
            self.held.versioning = versioning

    @rule(max_bytes=_LIMITS, max_objects=st.none() | st.integers(0, 20), lifted=st.booleans())
    def limit(self, max_bytes: int | None, max_objects: int | None, lifted: bool) -> None:
        self.held.quota = Quota() if lifted else Quota(max_bytes, max_objects)
        self.bucket = self.run(self.store.set_quota(self.bucket.name, self.held.quota))

    def objections(self, key: bytes, size: int) -> Sequence[type[Exception] | None]:
        """What may come in the way of a new version, in the order in which it is told."""
        has_room = self.held.has_room(self.held.growth(key, size))
        return (
            ObjectLocked if self.held.is_locked(self.held.replaced(key)) else None,
            None if has_room else QuotaExceeded,
        )

    def _begun(self, lock: str | RetentionMode) -> ObjectLock:
        if isinstance(lock, RetentionMode):
            return ObjectLock(Retention(lock, self.clock.now() + timedelta(days=2)))
        return ObjectLock(legal_hold=True) if lock == "held" else UNLOCKED

    def _condition(self, key: bytes, asked: str) -> tuple[WriteCondition, type[Exception] | None]:
        """A condition, and what it is refused by."""
        current = self.held.current(key)
        if asked == "none":
            failed = PreconditionFailed if current is not None else None
            return WriteCondition(if_none_match_any=True), failed
        if not asked:
            return WriteCondition(), None
        etag = {"any": "*", "other": "other"}.get(asked, "" if current is None else current.etag)
        if current is None:
            return WriteCondition(if_match=etag), NoSuchKey
        return WriteCondition(if_match=etag), PreconditionFailed if asked == "other" else None

    def _keeps(self, key: bytes) -> bool:
        """Whether a lock keeps the version that a delete of the key would destroy."""
        return self.held.is_locked(self.held.replaced(key))

    def _deleted(self, key: bytes, version_id: str | None) -> None:
        if self.held.versioning is Versioning.OFF:
            self.held.history.pop(key, None)
        else:
            assert version_id is not None
            self.held.hide(key, version_id)
