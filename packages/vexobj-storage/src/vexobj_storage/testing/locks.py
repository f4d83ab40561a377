"""What every store must do with locked versions: keep them, whoever asks for what."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from vexobj_storage import errors
from vexobj_storage.locks import (
    UNLOCKED,
    DefaultRetention,
    LockChange,
    LockRefusal,
    ObjectLock,
    ObjectLockConfiguration,
    Retention,
    RetentionMode,
)
from vexobj_storage.store import ObjectStore
from vexobj_storage.testing.helpers import (
    PLAIN,
    complete,
    content,
    make_bucket,
    put,
    put_locked,
    put_part,
)
from vexobj_storage.testing.invariants import invariants
from vexobj_storage.types import Bucket, BucketChange, ObjectName, ObjectVersion, Versioning

_DAY = timedelta(days=1)
_HELD = ObjectLock(legal_hold=True)


def _retained(mode: RetentionMode, passes_in: timedelta = _DAY) -> ObjectLock:
    return ObjectLock(Retention(mode, _whole_now() + passes_in))


def _whole_now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


_GOVERNED = _retained(RetentionMode.GOVERNANCE)
_COMPLIANT = _retained(RetentionMode.COMPLIANCE)
_OVER = _retained(RetentionMode.COMPLIANCE, -_DAY)
_LIFTED = ObjectLock(legal_hold=False)
_REASONS = {
    _HELD: LockRefusal.LEGAL_HOLD,
    _GOVERNED: LockRefusal.RETENTION,
    _COMPLIANT: LockRefusal.RETENTION,
}


def to(lock: ObjectLock) -> LockChange:
    return lambda _: lock


@asynccontextmanager
async def refused(
    store: ObjectStore, bucket: Bucket, key: bytes, reason: LockRefusal
) -> AsyncIterator[None]:
    """What is done within is refused for that reason, and leaves the store as it was."""
    before = await store.list_versions(bucket)
    with pytest.raises(errors.ObjectLocked) as locked:
        yield
    assert (locked.value.bucket, locked.value.key) == (bucket.name, key.decode())
    assert locked.value.reason is reason
    assert locked.value.version_id in [version.version_id for version in before.versions]
    assert await store.list_versions(bucket) == before
    await invariants(store)


class LockContract:
    @pytest.mark.parametrize("lock", _REASONS)
    @pytest.mark.parametrize("versioning", [Versioning.OFF, Versioning.SUSPENDED])
    async def test_a_locked_null_version_is_not_replaced(
        self, store: ObjectStore, versioning: Versioning, lock: ObjectLock
    ) -> None:
        bucket = await make_bucket(store, versioning)
        await put_locked(store, bucket, b"key", b"kept", lock)
        await put(store, bucket, b"other", b"new")
        source = await store.get_object(bucket, b"other")
        upload = await store.create_upload(bucket, b"key", PLAIN)
        part = await put_part(store, upload, 1, b"part")
        for write in (
            lambda: put(store, bucket, b"key", b"new"),
            lambda: store.copy_object(source, bucket, b"key", PLAIN),
            lambda: complete(store, bucket, upload, [part]),
            lambda: store.delete_object(bucket, b"key"),
            lambda: store.delete_object(bucket, b"key", "null"),
            lambda: store.purge(bucket, b"key"),
        ):
            async with refused(store, bucket, b"key", _REASONS[lock]):
                asked: Awaitable[object] = write()
                await asked
        assert await content(store, bucket, b"key") == b"kept"

    @pytest.mark.parametrize("lock", _REASONS)
    async def test_with_versions_a_locked_one_is_set_aside_and_kept(
        self, store: ObjectStore, lock: ObjectLock
    ) -> None:
        bucket = await make_bucket(store, Versioning.ENABLED)
        kept = await put_locked(store, bucket, b"key", b"kept", lock)
        newer = await put(store, bucket, b"key", b"newer")
        marker = await store.delete_object(bucket, b"key")
        assert marker.is_delete_marker
        await store.delete_object(bucket, b"key", newer.version_id)
        async with refused(store, bucket, b"key", _REASONS[lock]):
            await store.delete_object(bucket, b"key", kept.version_id)
        async with refused(store, bucket, b"key", _REASONS[lock]):
            await store.purge(bucket, b"key")
        await store.delete_object(bucket, b"key", marker.version_id)
        assert (await store.get_object(bucket, b"key")).version.lock == lock
        async with refused(store, bucket, b"key", _REASONS[lock]):
            await store.delete_object(bucket, b"key", hide_locked=False)
        assert (await store.delete_object(bucket, b"key")).is_delete_marker

    async def test_a_locked_null_version_below_is_kept(self, store: ObjectStore) -> None:
        bucket = await make_bucket(store)
        await put_locked(store, bucket, b"key", b"kept", _HELD)
        for versioning in (Versioning.ENABLED, Versioning.SUSPENDED):
            await store.update_bucket("bucket", BucketChange(versioning=versioning))
            if versioning is Versioning.ENABLED:
                await put(store, bucket, b"key", b"newer")
        async with refused(store, bucket, b"key", LockRefusal.LEGAL_HOLD):
            await put(store, bucket, b"key", b"newest")
        async with refused(store, bucket, b"key", LockRefusal.LEGAL_HOLD):
            await store.delete_object(bucket, b"key")

    @pytest.mark.parametrize("versioning", list(Versioning))
    async def test_a_batch_does_what_it_may(
        self, store: ObjectStore, versioning: Versioning
    ) -> None:
        bucket = await make_bucket(store, versioning)
        locked = await put_locked(store, bucket, b"locked", b"data", _HELD)
        free = await put(store, bucket, b"free", b"data")
        names = [ObjectName(v.key, v.version_id) for v in (locked, free)]
        kept, gone = await store.delete_objects(bucket, names)
        assert (kept.refusal, kept.version_id) == (LockRefusal.LEGAL_HOLD, locked.version_id)
        assert (gone.refusal, gone.existed) == (None, True)
        assert [v.key for v in (await store.list_versions(bucket)).versions] == [b"locked"]
        await invariants(store)

    @pytest.mark.parametrize("lock", [_OVER, _LIFTED])
    @pytest.mark.parametrize("versioning", list(Versioning))
    async def test_a_lock_that_is_over_keeps_nothing(
        self, store: ObjectStore, versioning: Versioning, lock: ObjectLock
    ) -> None:
        bucket = await make_bucket(store, versioning)
        version = await put_locked(store, bucket, b"key", b"1", lock)
        await put(store, bucket, b"key", b"2")
        await store.delete_object(bucket, b"key", version.version_id)
        await put_locked(store, bucket, b"key", b"3", lock)
        assert (await store.purge(bucket, b"key")).versions >= 1
        assert not (await store.list_versions(bucket)).versions
        await invariants(store)

    @pytest.mark.parametrize("versioning", list(Versioning))
    async def test_governance_yields_to_the_right_alone(
        self, store: ObjectStore, versioning: Versioning
    ) -> None:
        bucket = await make_bucket(store, versioning)
        for lock in (_GOVERNED, _COMPLIANT, replace(_GOVERNED, legal_hold=True)):
            key = repr(lock).encode()
            version = await put_locked(store, bucket, key, b"data", lock)
            if lock is _GOVERNED:
                await store.delete_object(bucket, key, version.version_id, bypass_governance=True)
                continue
            with pytest.raises(errors.ObjectLocked):
                await store.delete_object(bucket, key, version.version_id, bypass_governance=True)
            with pytest.raises(errors.ObjectLocked):
                await store.purge(bucket, key, bypass_governance=True)
        governed = await put_locked(store, bucket, b"purged", b"data", _GOVERNED)
        assert governed.lock == _GOVERNED
        assert (await store.purge(bucket, b"purged", bypass_governance=True)).versions == 1
        await invariants(store)

    @pytest.mark.parametrize("versioning", list(Versioning))
    async def test_a_retention_only_grows(self, store: ObjectStore, versioning: Versioning) -> None:
        bucket = await make_bucket(store, versioning)
        version = await put(store, bucket, b"key", b"data")
        longer = _retained(RetentionMode.COMPLIANCE, 2 * _DAY)
        for lock in (_COMPLIANT, longer, replace(longer, legal_hold=True), longer):
            changed = await store.update_lock(bucket, b"key", version.version_id, to(lock))
            assert changed.lock == lock
        governed = replace(longer, retention=Retention(RetentionMode.GOVERNANCE, _whole_now()))
        for lock in (_COMPLIANT, UNLOCKED, governed):
            with pytest.raises(errors.RetentionActive):
                await store.update_lock(
                    bucket, b"key", version.version_id, to(lock), bypass_governance=True
                )
        assert (await store.get_object(bucket, b"key")).version.lock == longer
        await put_locked(store, bucket, b"governed", b"data", _GOVERNED)
        with pytest.raises(errors.RetentionActive):
            await store.update_lock(bucket, b"governed", None, to(UNLOCKED))
        unlocked = await store.update_lock(
            bucket, b"governed", None, to(UNLOCKED), bypass_governance=True
        )
        assert unlocked.lock == UNLOCKED

    async def test_only_what_is_there_is_locked(self, store: ObjectStore) -> None:
        bucket = await make_bucket(store, Versioning.ENABLED)
        with pytest.raises(errors.NoSuchKey):
            await store.update_lock(bucket, b"key", None, to(_HELD))
        old = await put(store, bucket, b"key", b"old")
        new = await put(store, bucket, b"key", b"new")
        marker = await store.delete_object(bucket, b"key")
        with pytest.raises(errors.NoSuchVersion):
            await store.update_lock(bucket, b"key", marker.version_id, to(_HELD))
        held = await store.update_lock(bucket, b"key", old.version_id, to(_HELD))
        assert (held.uid, held.lock) == (old.uid, _HELD)
        await store.delete_object(bucket, b"key", new.version_id)
        with pytest.raises(errors.ObjectLocked):
            await store.delete_object(bucket, b"key", old.version_id)
        await store.update_lock(bucket, b"key", old.version_id, to(_LIFTED))
        await store.delete_object(bucket, b"key", old.version_id)
        await invariants(store)

    async def test_a_copy_brings_no_lock(self, store: ObjectStore) -> None:
        bucket = await make_bucket(store)
        await put_locked(store, bucket, b"source", b"data", _HELD)
        source = await store.get_object(bucket, b"source")
        assert (await store.copy_object(source, bucket, b"copy", PLAIN)).lock == UNLOCKED
        copied = await store.copy_object(source, bucket, b"held", PLAIN, lock=_HELD)
        assert copied.lock == _HELD
        assert (await store.get_object(bucket, b"held")).version == copied

    @pytest.mark.parametrize("versioning", list(Versioning))
    async def test_what_was_locked_in_time_stays(
        self, store: ObjectStore, versioning: Versioning
    ) -> None:
        bucket = await make_bucket(store, versioning)
        removals: list[Callable[[ObjectVersion], Awaitable[object]]] = [
            lambda v: store.delete_object(bucket, v.key, v.version_id),
            lambda v: store.delete_objects(bucket, [ObjectName(v.key)]),
            lambda v: put(store, bucket, v.key, b"other"),
            lambda v: store.purge(bucket, v.key),
        ]

        async def lock(version: ObjectVersion) -> bool:
            with suppress(errors.NoSuchKey, errors.NoSuchVersion):
                name = version.version_id
                locked = await store.update_lock(bucket, version.key, name, to(_HELD))
                return locked.uid == version.uid
            return False

        async def remove(version: ObjectVersion, number: int) -> None:
            with suppress(errors.ObjectLocked):
                await removals[number % len(removals)](version)

        kept = 0
        for number in range(160):
            version = await put(store, bucket, b"%d" % number, b"data")
            calls: list[Awaitable[object]] = [lock(version), remove(version, number)]
            order = 1 if number % 8 < 4 else -1
            locked = (await asyncio.gather(*calls[::order]))[::order][0]
            if locked:
                kept += 1
                found = await store.get_object(bucket, version.key, version.version_id)
                assert (found.version.uid, found.version.lock) == (version.uid, _HELD)
        assert kept
        await invariants(store)


class BucketLockContract:
    async def test_a_bucket_with_object_lock_keeps_versions(self, store: ObjectStore) -> None:
        bucket = await store.create_bucket("bucket", "owner", object_lock=True)
        assert bucket.versioning is Versioning.ENABLED
        assert bucket.object_lock == ObjectLockConfiguration()
        assert await store.bucket("bucket") == bucket
        with pytest.raises(errors.ObjectLockNeedsVersioning):
            await store.update_bucket("bucket", BucketChange(versioning=Versioning.SUSPENDED))
        plain = await make_bucket(store, name="plain")
        enabled = BucketChange(object_lock=ObjectLockConfiguration())
        with pytest.raises(errors.ObjectLockNeedsVersioning):
            await store.update_bucket("plain", enabled)
        await store.update_bucket("plain", BucketChange(versioning=Versioning.ENABLED))
        changed = await store.update_bucket("plain", enabled)
        assert (changed.id, changed.object_lock) == (plain.id, ObjectLockConfiguration())

    async def test_new_versions_begin_with_the_default(self, store: ObjectStore) -> None:
        await store.create_bucket("bucket", "owner", object_lock=True)
        default = DefaultRetention(RetentionMode.GOVERNANCE, days=3)
        bucket = await store.update_bucket(
            "bucket", BucketChange(object_lock=ObjectLockConfiguration(default))
        )
        upload = await store.create_upload(bucket, b"multipart", PLAIN)
        part = await put_part(store, upload, 1, b"part")
        written = await put(store, bucket, b"put", b"data")
        source = await store.get_object(bucket, b"put")
        for version in (
            written,
            await put_locked(store, bucket, b"held", b"data", _HELD),
            await store.copy_object(source, bucket, b"copy", PLAIN),
            await complete(store, bucket, upload, [part]),
        ):
            until = version.modified_at + 3 * _DAY
            assert version.lock.retention == Retention(RetentionMode.GOVERNANCE, until)
            assert (await store.get_object(bucket, version.key)).version == version
        assert (await put_locked(store, bucket, b"own", b"data", _COMPLIANT)).lock == _COMPLIANT
        with pytest.raises(errors.ObjectLocked):
            await store.delete_object(bucket, b"put", written.version_id)
        await store.update_bucket("bucket", BucketChange(object_lock=ObjectLockConfiguration()))
        assert (await put(store, bucket, b"later", b"data")).lock == UNLOCKED

    async def test_an_upload_remembers_its_lock(self, store: ObjectStore) -> None:
        bucket = await store.create_bucket("bucket", "owner", object_lock=True)
        lock = replace(_COMPLIANT, legal_hold=True)
        upload = await store.create_upload(bucket, b"key", PLAIN, lock=lock)
        part = await put_part(store, upload, 1, b"part")
        first = await complete(store, bucket, upload, [part])
        assert first.lock == lock
        assert await complete(store, bucket, upload, [part]) == first
        await invariants(store)
