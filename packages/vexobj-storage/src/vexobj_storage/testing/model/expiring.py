"""Rules by which time passes, and what is done then: lifecycle, garbage, usage."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from vexobj_storage import lifecycle
from vexobj_storage.lifecycle import Fate, LifecycleRule, VersionFacts
from vexobj_storage.metadata.rows import to_us
from vexobj_storage.testing.model.machine import Machine
from vexobj_storage.testing.model.state import Held
from vexobj_storage.types import Versioning

_LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
_EXPIRIES = st.sampled_from(
    [
        {},
        {"expire_at": _LONG_AGO},
        {"expire_days": 1},
        {"expire_days": 2, "tags": {"keep": "no"}},
        {"expire_days": 1, "size_greater_than": 2, "size_less_than": 3_000},
        {"expire_delete_markers": True},
    ]
)
_NONCURRENT = st.sampled_from(
    [
        {},
        {"keep_noncurrent": 1},
        {"keep_noncurrent": 2},
        {"noncurrent_days": 1},
        {"noncurrent_days": 2, "keep_noncurrent": 1},
    ]
)


class ExpiringRules(Machine):
    @rule(hours=st.sampled_from([1, 12, 24, 60]))
    def wait(self, hours: int) -> None:
        self.clock.advance(timedelta(hours=hours))

    @rule(
        prefix=st.sampled_from(["", "a", "a/"]),
        expiry=_EXPIRIES,
        noncurrent=_NONCURRENT,
        abort_days=st.none() | st.integers(1, 2),
    )
    def sweep(
        self,
        prefix: str,
        expiry: dict[str, Any],
        noncurrent: dict[str, Any],
        abort_days: int | None,
    ) -> None:
        said = expiry | noncurrent
        rules = []
        if said:
            rules.append(LifecycleRule("versions", self.clock.now(), prefix=prefix, **said))
        if abort_days is not None:
            rules.append(
                LifecycleRule(
                    "uploads", self.clock.now(), prefix=prefix, abort_upload_days=abort_days
                )
            )
        self.run(self.store.set_lifecycle(self.bucket.name, rules))
        report = self.run(self.store.sweep_lifecycle())
        self.run(self.store.set_lifecycle(self.bucket.name, []))
        locked = sum(self._swept(key, rules) for key in sorted(self.held.history))
        assert report.locked == locked
        assert report.uploads_aborted == self._aborted(rules)

    @rule()
    def collect(self) -> None:
        self.run(self.store.collect_garbage())
        self.run(self.store.fold_usage())
        assert self.run(self.store.sweep_orphans(timedelta(0))) == 0

    def _swept(self, key: bytes, rules: Sequence[LifecycleRule]) -> int:
        """What was due when the sweep saw the key is done; how much of it a lock kept."""
        now_us, locked = to_us(self.clock.now()), 0
        due = [(held, lifecycle.decide(rules, facts, now_us)) for held, facts in self._facts(key)]
        for held, fate in due:
            if fate is Fate.REMOVE:
                if self.held.is_locked(held):
                    locked += 1
                else:
                    self.held.remove(key, held)
            elif fate is Fate.EXPIRE:
                if self.held.is_locked(self.held.replaced(key)):
                    locked += 1
                elif self.held.versioning is Versioning.OFF:
                    del self.held.history[key]
                else:
                    page = self.run(self.store.list_versions(self.bucket, prefix=key, limit=1))
                    self.held.hide(key, page.versions[0].version_id)
        return locked

    def _facts(self, key: bytes) -> list[tuple[Held, VersionFacts]]:
        """The oldest first."""
        history = self.held.history[key]
        facts = []
        for at, held in enumerate(history):
            newer = history[at + 1 :]
            facts.append(
                VersionFacts(
                    key,
                    held.size,
                    held.tags,
                    to_us(held.at),
                    held.data is None,
                    to_us(newer[0].at) if newer else None,
                    sum(each.data is not None for each in newer[:-1]),
                    alone=len(history) == 1,
                )
            )
        return list(zip(history, facts, strict=True))

    def _aborted(self, rules: Sequence[LifecycleRule]) -> int:
        ended = [
            upload_id
            for upload_id, pending in self.held.uploads.items()
            if lifecycle.aborts(
                rules, pending.key, to_us(pending.began_at), to_us(self.clock.now())
            )
        ]
        for upload_id in ended:
            del self.held.uploads[upload_id]
        return len(ended)
