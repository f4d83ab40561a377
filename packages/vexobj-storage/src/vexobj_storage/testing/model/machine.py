"""What all rules work with: the store, its clock, the model, and how the two are compared."""

import asyncio
from collections.abc import Coroutine
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from typing import Any, ClassVar, TypeVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from vexobj_storage.errors import BucketNotEmpty, NoSuchBucket
from vexobj_storage.locks import ObjectLock
from vexobj_storage.store import ObjectStore
from vexobj_storage.testing.clocks import ManualClock
from vexobj_storage.testing.helpers import content
from vexobj_storage.testing.invariants import invariants
from vexobj_storage.testing.model.state import Contents, Held
from vexobj_storage.types import Bucket, BucketUsage, ObjectVersion

T = TypeVar("T")

KEYS = st.sampled_from([key.encode() for key in ("a", "a/", "a/b", "a-b", "b/\u00e9")])
DATA = st.sampled_from([0, 1, 2, 3, 2_000, 70_000]).map(lambda size: b"%d" % (size % 7) * size)
"""Of one frame and of several, inline and in the blob store."""

_AGES = timedelta(days=30)
"""Longer than any retention that a rule sets."""


class Machine(RuleBasedStateMachine):
    """One bucket at a time, which is made anew when it was deleted."""

    store: ClassVar[ObjectStore]
    clock: ClassVar[ManualClock]
    runner: ClassVar[asyncio.Runner]
    made: ClassVar[int] = 0
    compared: ClassVar[int] = 0
    bucket: Bucket
    held: Contents

    @initialize(object_lock=st.booleans())
    def begin(self, object_lock: bool) -> None:
        type(self).made += 1
        name = f"bucket-{self.made}"
        self.bucket = self.run(self.store.create_bucket(name, "owner", object_lock=object_lock))
        self.held = Contents(self.clock.now, object_lock=object_lock)

    @rule(object_lock=st.booleans(), sure=st.integers(0, 3))
    def delete_bucket(self, object_lock: bool, sure: int) -> None:
        if sure and not self.held.history:
            return
        with self.refused_by(BucketNotEmpty if self.held.history else None):
            self.run(self.store.delete_bucket(self.bucket.name))
            with pytest.raises(NoSuchBucket):
                self.run(self.store.bucket(self.bucket.name))
            self.begin(object_lock)

    @invariant()
    def agree(self) -> None:
        type(self).compared += 1
        self.run(self._agree())

    def teardown(self) -> None:
        """All that is left can be read, and removed once nothing locks it; then nothing is left."""
        if hasattr(self, "held"):
            self.run(self._empty())
            self._until_noon()

    async def _agree(self) -> None:
        assert await invariants(self.store) == set()
        bucket = await self.store.bucket(self.bucket.name)
        assert (bucket.versioning, bucket.object_lock) == (
            self.held.versioning,
            self.held.object_lock,
        )
        page = await self.store.list_versions(bucket)
        told = [
            (v.key, v.version_id, v.size, v.etag, v.modified_at, v.is_latest, v.is_delete_marker)
            for v in page.versions
        ]
        assert told == [
            (key, h.id, h.size, h.etag, h.at, h is self.held.history[key][-1], h.data is None)
            for key, h in self.held.versions()
        ]
        listed = (await self.store.list_objects(bucket)).objects
        assert [each.key for each in listed] == self.held.live_keys()
        assert await self.store.usage(bucket) == self._usage(bucket.id)
        uploads = (await self.store.list_uploads(bucket)).uploads
        assert {each.upload_id: each.key for each in uploads} == {
            upload_id: pending.key for upload_id, pending in self.held.uploads.items()
        }

    def _until_noon(self) -> None:
        """Each run begins at the same hour: what expires at midnight does so in a run's replay."""
        noon = (self.clock.now() + timedelta(days=1)).replace(hour=12)
        self.clock.advance(noon - self.clock.now())

    async def _empty(self) -> None:
        for key, held in list(self.held.versions()):
            if held.data is not None:
                stored = await self.store.get_object(self.bucket, key, held.id)
                self.same(stored.version, held)
                assert await content(self.store, self.bucket, key, held.id) == held.data
                if held.lock.legal_hold:
                    await self.store.update_lock(self.bucket, key, held.id, lifted)
        self.clock.advance(_AGES)
        for key in self.held.history:
            await self.store.purge(self.bucket, key)
        await self.store.delete_bucket(self.bucket.name)
        for _ in range(3):
            self.clock.advance(timedelta(days=2))
            await self.store.collect_garbage()
        assert await invariants(self.store) == set()
        left = await self.store.stored_bytes()
        assert (left.live_blobs, left.waiting_blobs, left.unused_bytes) == (0, 0, 0)

    def same(self, version: ObjectVersion, held: Held) -> None:
        found = (version.version_id, version.size, version.etag, version.modified_at)
        assert found == (held.id, held.size, held.etag, held.at)
        assert version.attributes.tags == held.tags
        assert version.lock == held.lock

    def run(self, operation: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(operation)

    def refused_by(self, *conditions: type[Exception] | None) -> AbstractContextManager[object]:
        """The first that is there is what the store must answer; None are not there."""
        met = next((each for each in conditions if each is not None), None)
        return nullcontext() if met is None else pytest.raises(met)

    def choose(self, data: st.DataObject) -> tuple[bytes, Held]:
        key = data.draw(st.sampled_from(sorted(self.held.history)))
        return key, data.draw(st.sampled_from(self.held.history[key]))

    def _usage(self, bucket_id: int) -> BucketUsage:
        current = [self.held.current(key) for key in self.held.live_keys()]
        sizes = [held.size for held in current if held is not None]
        objects, size = self.held.totals()
        uploads = sum(pending.size for pending in self.held.uploads.values())
        noncurrent = size - sum(sizes) - uploads
        return BucketUsage(
            bucket_id, len(sizes), sum(sizes), objects - len(sizes), noncurrent, uploads
        )


has_history = precondition(lambda machine: machine.held.history)


def lifted(lock: ObjectLock) -> ObjectLock:
    return ObjectLock(lock.retention, legal_hold=False)
