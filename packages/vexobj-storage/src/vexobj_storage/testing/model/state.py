"""What one bucket holds, in plain Python: what a store is compared with."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from vexobj_storage.locks import (
    UNLOCKED,
    DefaultRetention,
    ObjectLock,
    ObjectLockConfiguration,
    RetentionMode,
)
from vexobj_storage.types import Quota, Versioning

NULL = "null"


def md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


@dataclass(frozen=True)
class Held:
    """A version, or with `data` None a delete marker."""

    id: str
    data: bytes | None
    etag: str
    at: datetime
    tags: Mapping[str, str] = field(default_factory=dict)
    lock: ObjectLock = UNLOCKED

    @property
    def size(self) -> int:
        return len(self.data or b"")


@dataclass
class Pending:
    """An open upload; `touched_at` is when something last happened in it."""

    key: bytes
    lock: ObjectLock
    began_at: datetime
    touched_at: datetime
    parts: dict[int, bytes] = field(default_factory=dict)

    @property
    def size(self) -> int:
        return sum(map(len, self.parts.values()))


@dataclass(frozen=True)
class Growth:
    """By how much a write makes its bucket larger."""

    objects: int
    bytes: int


class Contents:
    """The history of each key, the oldest version first, and all that decides about it."""

    def __init__(self, now: Callable[[], datetime], *, object_lock: bool) -> None:
        self.now = now
        self.history: dict[bytes, list[Held]] = {}
        self.uploads: dict[str, Pending] = {}
        self.versioning = Versioning.ENABLED if object_lock else Versioning.OFF
        self.object_lock = ObjectLockConfiguration() if object_lock else None
        self.quota = Quota()

    @property
    def default_retention(self) -> DefaultRetention | None:
        return None if self.object_lock is None else self.object_lock.default_retention

    def current(self, key: bytes) -> Held | None:
        history = self.history.get(key)
        return history[-1] if history and history[-1].data is not None else None

    def live_keys(self) -> list[bytes]:
        return sorted(key for key in self.history if self.current(key) is not None)

    def versions(self) -> Iterator[tuple[bytes, Held]]:
        """By key, the newest of each first, as a listing has them."""
        for key, history in sorted(self.history.items()):
            yield from ((key, held) for held in reversed(history))

    def replaced(self, key: bytes) -> Held | None:
        """The version whose place a new one takes."""
        if self.versioning is Versioning.ENABLED:
            return None
        return next((held for held in self.history.get(key, []) if held.id == NULL), None)

    def growth(self, key: bytes, size: int) -> Growth:
        gone = self.replaced(key)
        if gone is None or gone.data is None:
            return Growth(1, size)
        return Growth(0, size - gone.size)

    def has_room(self, grown: Growth) -> bool:
        """Whether the quota lets it in: only what grows is refused."""
        objects, size = self.totals()
        most_objects, most_bytes = self.quota.max_objects, self.quota.max_bytes
        if most_bytes is not None and grown.bytes > 0 and size + grown.bytes > most_bytes:
            return False
        if most_objects is None or grown.objects <= 0:
            return True
        return objects + grown.objects <= most_objects

    def totals(self) -> tuple[int, int]:
        """Objects and bytes as a quota counts them."""
        held = [held for _, held in self.versions() if held.data is not None]
        parts = sum(pending.size for pending in self.uploads.values())
        return len(held), sum(each.size for each in held) + parts

    def is_locked(self, held: Held | None, *, bypass: bool = False) -> bool:
        """Whether the version must stay."""
        if held is None or held.lock.legal_hold:
            return held is not None
        retention = held.lock.retention
        if retention is None or retention.until <= self.now():
            return False
        return not (bypass and retention.mode is RetentionMode.GOVERNANCE)

    def may_lock(self, held: Held, lock: ObjectLock, *, bypass: bool) -> bool:
        """Whether a version's lock may become this one."""
        old, new = held.lock.retention, lock.retention
        if old is None or old.until <= self.now():
            return True
        if bypass and old.mode is RetentionMode.GOVERNANCE:
            return True
        return new is not None and new.mode is old.mode and new.until >= old.until

    def begun_lock(self, lock: ObjectLock) -> ObjectLock:
        """What a new version that asks for `lock` gets."""
        if lock.retention is not None or self.default_retention is None:
            return lock
        return replace(lock, retention=self.default_retention.beginning(self.now()))

    def write(
        self,
        key: bytes,
        version_id: str,
        data: bytes,
        *,
        etag: str | None = None,
        tags: Mapping[str, str] | None = None,
        lock: ObjectLock = UNLOCKED,
    ) -> None:
        told = md5(data) if etag is None else etag
        begun = self.begun_lock(lock)
        self._add(key, Held(version_id, data, told, self.now(), tags or {}, begun))

    def hide(self, key: bytes, version_id: str) -> None:
        """By a delete marker."""
        self._add(key, Held(version_id, None, "", self.now()))

    def remove(self, key: bytes, held: Held) -> None:
        self.history[key].remove(held)
        if not self.history[key]:
            del self.history[key]

    def change(self, key: bytes, old: Held, new: Held) -> None:
        history = self.history[key]
        history[history.index(old)] = new

    def _add(self, key: bytes, held: Held) -> None:
        gone = self.replaced(key)
        assert (held.id == NULL) == (self.versioning is not Versioning.ENABLED)
        self.history[key] = [*(h for h in self.history.get(key, []) if h is not gone), held]
