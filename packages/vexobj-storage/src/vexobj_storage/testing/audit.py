"""What every store must do with the audit log."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from vexobj_storage import errors
from vexobj_storage.metadata.ops.audit import AuditEntry, AuditFilter, new_nonce
from vexobj_storage.recording import recording
from vexobj_storage.store import ObjectStore
from vexobj_storage.testing.helpers import make_bucket, put
from vexobj_storage.types import WriteCondition

_NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


def _entry(
    target: str, action: str = "object.create", hours: int = 0, key: str = "K"
) -> AuditEntry:
    at = _NOON + timedelta(hours=hours)
    told = (key, "identity", "name", "192.0.2.1", f"r-{target}")
    return AuditEntry(at, new_nonce(), action, target, *told, {})


class AuditContract:
    async def test_a_write_leaves_its_entry(self, store: ObjectStore) -> None:
        bucket = await make_bucket(store)
        entry = replace(_entry("bucket/ü"), details={"keys": ["ü"]})
        with recording(entry):
            await put(store, bucket, "ü".encode(), b"1")
        await put(store, bucket, b"unrecorded", b"1")
        assert await store.audit_entries() == [entry]
        assert (await store.audit_entries())[0].id == entry.id

    async def test_what_is_refused_leaves_none(self, store: ObjectStore) -> None:
        bucket = await make_bucket(store)
        await put(store, bucket, b"key", b"1")
        with recording(_entry("bucket/key")), pytest.raises(errors.PreconditionFailed):
            await put(store, bucket, b"key", b"2", WriteCondition(if_none_match_any=True))
        assert await store.audit_entries() == []

    async def test_many_transactions_leave_one(self, store: ObjectStore) -> None:
        bucket = await make_bucket(store)
        with recording(_entry("bucket")):
            for key in (b"a", b"b"):
                await put(store, bucket, key, b"1")
            await store.note()
        assert len(await store.audit_entries()) == 1

    async def test_entries_are_found_by_what_they_tell(self, store: ObjectStore) -> None:
        made = [
            _entry("photos/a", hours=0),
            _entry("photos", "bucket.create", hours=1),
            _entry("photosynthesis/a", "object.delete", hours=2, key="L"),
            _entry("photos/b/c", "object.version.delete", hours=3),
        ]
        for entry in made:
            with recording(entry):
                await store.note()
        for wanted, found in (
            (AuditFilter(), [3, 2, 1, 0]),
            (AuditFilter(target="photos"), [3, 1, 0]),
            (AuditFilter(target="photos/b"), [3]),
            (AuditFilter(action="object.delete"), [2]),
            (AuditFilter(action="object."), [3, 2, 0]),
            (AuditFilter(access_key_id="L"), [2]),
            (AuditFilter(identity_id="other"), []),
            (AuditFilter(address="192.0.2.1", request_id="r-photos"), [1]),
            (AuditFilter(since=made[1].at, until=made[3].at), [2, 1]),
        ):
            assert await store.audit_entries(wanted) == [made[n] for n in found], wanted
        assert await store.audit_entries(offset=1, limit=2) == [made[2], made[1]]

    async def test_old_entries_are_trimmed(self, store: ObjectStore) -> None:
        entries = [_entry(str(hours), hours=hours) for hours in range(5)]
        for entry in entries:
            with recording(entry):
                await store.note()
        assert await store.trim_audit(entries[3].at) == 3
        assert await store.audit_entries() == [entries[4], entries[3]]
        assert await store.trim_audit(entries[3].at) == 0

    async def test_writers_at_once_are_told_apart(self, store: ObjectStore) -> None:
        bucket = await make_bucket(store)

        async def write(name: str) -> None:
            with recording(_entry(f"bucket/{name}")):
                await put(store, bucket, name.encode(), name.encode())

        names = [f"key-{n}" for n in range(20)]
        await asyncio.gather(*map(write, names))
        targets = {entry.target for entry in await store.audit_entries()}
        assert targets == {f"bucket/{name}" for name in names}
