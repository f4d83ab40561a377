"""Rules of object lock: holds, retentions, and the default retention of the bucket."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import rule

from vexobj_storage.errors import ObjectLockNeedsVersioning, RetentionActive
from vexobj_storage.locks import (
    DefaultRetention,
    ObjectLock,
    ObjectLockConfiguration,
    Retention,
    RetentionMode,
)
from vexobj_storage.testing.model.machine import Machine, has_history, lifted
from vexobj_storage.types import BucketChange, Versioning

_MODES = st.sampled_from(RetentionMode)


class LockingRules(Machine):
    @has_history
    @rule(data=st.data(), mode=st.none() | _MODES, days=st.integers(-1, 4), bypass=st.booleans())
    def retain(
        self, data: st.DataObject, mode: RetentionMode | None, days: int, bypass: bool
    ) -> None:
        """For so long, or no longer."""
        key, version = self.choose(data)
        if version.data is not None:
            until = self.clock.now() + timedelta(days=days)
            retention = None if mode is None else Retention(mode, until)
            lock = replace(version.lock, retention=retention)
            may = self.held.may_lock(version, lock, bypass=bypass)
            with self.refused_by(None if may else RetentionActive):
                self._lock(key, version.id, lock, bypass=bypass)

    @rule(mode=_MODES, days=st.none() | st.integers(1, 3))
    def lock_by_default(self, mode: RetentionMode, days: int | None) -> None:
        default = None if days is None else DefaultRetention(mode, days=days)
        wanted = ObjectLockConfiguration(default)
        enabled = self.held.versioning is Versioning.ENABLED
        with self.refused_by(None if enabled else ObjectLockNeedsVersioning):
            change = BucketChange(object_lock=wanted)
            self.bucket = self.run(self.store.update_bucket(self.bucket.name, change))
            self.held.object_lock = wanted

    @has_history
    @rule(data=st.data())
    def hold(self, data: st.DataObject) -> None:
        """One more; or fewer, so that not all is held in the end."""
        key, version = self.choose(data)
        if version.data is not None and not version.lock.legal_hold:
            self._lock(key, version.id, replace(version.lock, legal_hold=True), bypass=False)
            return
        for name, each in list(self.held.versions()):
            if each.lock.legal_hold and data.draw(st.booleans()):
                self._lock(name, each.id, lifted(each.lock), bypass=False)

    def _lock(self, key: bytes, version_id: str, lock: ObjectLock, *, bypass: bool) -> None:
        changed = self.run(
            self.store.update_lock(
                self.bucket, key, version_id, lambda _: lock, bypass_governance=bypass
            )
        )
        (old,) = (held for held in self.held.history[key] if held.id == version_id)
        new = replace(old, lock=lock)
        self.held.change(key, old, new)
        self.same(changed, new)
