"""What every store must do about bytes that are not what was put any more."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest

from vexobj_storage import errors
from vexobj_storage.store import ObjectStore
from vexobj_storage.testing.damage import flipped, restore, spoil, stored_bytes
from vexobj_storage.testing.helpers import (
    PLAIN,
    complete,
    content,
    make_bucket,
    put,
    put_part,
)
from vexobj_storage.testing.invariants import invariants
from vexobj_storage.types import (
    Bucket,
    Damage,
    ObjectVersion,
    ScrubPass,
    Versioning,
)

_BIG = b"bytes that rot " * 8192
_DAMAGES: dict[str, tuple[Callable[[bytes], bytes | None], Damage]] = {
    "flipped": (flipped, Damage.CORRUPT),
    "cut": (lambda data: data[:-1], Damage.CORRUPT),
    "longer": (lambda data: data + b"x", Damage.CORRUPT),
    "gone": (lambda _: None, Damage.MISSING),
}


async def scrub(store: ObjectStore, *, dry_run: bool = False, accept: bool = False) -> ScrubPass:
    """A whole pass, its findings traced."""
    assert await store.start_scrub(dry_run=dry_run, accept_losses=accept)
    while await store.scrub_some() is not None:
        pass
    await store.trace_findings()
    current = (await store.scrub_state()).current
    assert current is not None
    return current


async def damage(store: ObjectStore, version: ObjectVersion, how: str = "flipped") -> bytes:
    """What was there before."""
    assert version.blob_id is not None
    before = await stored_bytes(store, version.blob_id)
    await spoil(store, version.blob_id, _DAMAGES[how][0](before))
    return before


async def refused(store: ObjectStore, bucket: Bucket, key: bytes) -> None:
    """No form of reading gives out a byte of it; everything else of it can be had."""
    await store.bucket(bucket.name)
    stored = await store.get_object(bucket, key)
    size = stored.version.size
    assert (stored.inline, store.path(stored)) == (None, None)
    assert store.read_now(stored, 0, min(size, 1024)) is None
    with pytest.raises(errors.BlobCorrupt):
        await store.check_readable(stored, 0, size)
    with pytest.raises(errors.BlobCorrupt):
        await content(store, bucket, key)


class ScrubContract:
    @pytest.mark.parametrize("data", [_BIG, b"inline"], ids=["stored", "inline"])
    @pytest.mark.parametrize("how", list(_DAMAGES))
    async def test_what_is_damaged_is_found_and_not_given_out(
        self, store: ObjectStore, how: str, data: bytes
    ) -> None:
        bucket = await make_bucket(store)
        version = await put(store, bucket, b"key", data)
        await put(store, bucket, b"other", data + b"other")
        assert await content(store, bucket, b"key") == data
        await damage(store, version, how)
        found = await scrub(store)
        assert (found.blobs, found.halted) == (2, None)
        assert found.corrupt + found.missing == 1
        (finding,) = await store.findings()
        assert finding.blob_id == version.blob_id
        assert (finding.quarantined, finding.size) == (True, len(data))
        assert finding.damage in (_DAMAGES[how][1], Damage.CORRUPT)
        (place,) = finding.places
        assert (place.bucket, place.key, place.version_id) == ("bucket", b"key", "null")
        await refused(store, bucket, b"key")
        assert await content(store, bucket, b"other") == data + b"other"
        with pytest.raises(errors.BlobCorrupt):
            await store.copy_object(await store.get_object(bucket, b"key"), bucket, b"copy", PLAIN)
        assert await invariants(store) == set()

    async def test_a_pass_does_not_run_after_what_is_put_meanwhile(
        self, store: ObjectStore
    ) -> None:
        bucket = await make_bucket(store)
        await put(store, bucket, b"old", b"old")
        assert await store.start_scrub()
        looked_at = 0
        for number in range(5):
            await put(store, bucket, b"%d" % number, b"%d" % number)
            step = await store.scrub_some()
            looked_at += 0 if step is None else step.blobs
        assert looked_at == 1
        completed = (await store.scrub_state()).completed
        assert completed is not None
        assert completed.ended_at is not None

    @pytest.mark.parametrize("data", [_BIG, b"inline"], ids=["stored", "inline"])
    async def test_new_bytes_of_the_same_content_heal_all_that_had_the_old(
        self, store: ObjectStore, data: bytes
    ) -> None:
        bucket = await make_bucket(store, Versioning.ENABLED)
        version = await put(store, bucket, b"key", data)
        await put(store, bucket, b"key", b"newer")
        await store.copy_object(
            await store.get_object(bucket, b"key", version.version_id), bucket, b"copy", PLAIN
        )
        await damage(store, version)
        await scrub(store)
        assert (await store.findings())[0].places_count == 2
        assert await store.heal_findings() == 0
        fresh = await put(store, bucket, b"elsewhere", data)
        assert fresh.blob_id != version.blob_id
        assert await content(store, bucket, b"elsewhere") == data
        assert await store.heal_findings() == 1
        assert await content(store, bucket, b"key", version.version_id) == data
        assert await content(store, bucket, b"copy") == data
        assert await store.findings() == []
        assert (await scrub(store)).corrupt == 0
        assert (await store.collect_garbage()).condemned == 1
        await store.collect_garbage()
        assert await invariants(store) == set()
        assert (await scrub(store)).blobs == 2

    async def test_a_twin_that_is_damaged_too_heals_nothing(self, store: ObjectStore) -> None:
        bucket = await make_bucket(store)
        version = await put(store, bucket, b"key", _BIG)
        await damage(store, version)
        await scrub(store)
        await damage(store, await put(store, bucket, b"twin", _BIG), "cut")
        assert await store.heal_findings() == 0
        await refused(store, bucket, b"key")

    async def test_parts_are_named_refused_and_healed(self, store: ObjectStore) -> None:
        bucket = await make_bucket(store)
        whole = await store.create_upload(bucket, b"key", PLAIN)
        datas = [_BIG + b"%d" % number for number in range(3)]
        parts = [await put_part(store, whole, n + 1, data) for n, data in enumerate(datas)]
        version = await complete(store, bucket, whole, parts)
        await store.copy_object(await store.get_object(bucket, b"key"), bucket, b"copy", PLAIN)
        opened = await store.create_upload(bucket, b"unfinished", PLAIN)
        await put_part(store, opened, 1, datas[1])
        (blob_id,) = [
            segment.blob_id
            for segment in await store._segments(  # noqa: SLF001 - which blob is the second
                await store.get_object(bucket, b"key"), len(datas[0]), 1
            )
        ]
        await spoil(store, blob_id, flipped(await stored_bytes(store, blob_id)))
        await scrub(store)
        (finding,) = await store.findings()
        assert [(p.key, p.is_upload) for p in finding.places] == [
            (b"copy", False),
            (b"key", False),
            (b"unfinished", True),
        ]
        assert finding.places[1].version_id == version.version_id
        assert finding.places[2].version_id == opened.upload_id
        assert await content(store, bucket, b"key", length=len(datas[0])) == datas[0]
        with pytest.raises(errors.BlobCorrupt):
            await content(store, bucket, b"key")
        stored = await store.get_object(bucket, b"copy")
        await store.check_readable(stored, 0, len(datas[0]))
        with pytest.raises(errors.BlobCorrupt):
            await store.check_readable(stored, 0, stored.version.size)
        await put(store, bucket, b"again", datas[1])
        assert await store.heal_findings() == 1
        assert await content(store, bucket, b"copy") == b"".join(datas)
        await complete(store, bucket, opened, (await store.list_parts(opened)).parts)
        assert await content(store, bucket, b"unfinished") == datas[1]
        await store.collect_garbage()
        await invariants(store)

    async def test_a_dry_run_only_tells(self, store: ObjectStore) -> None:
        bucket = await make_bucket(store)
        version = await put(store, bucket, b"key", _BIG)
        await damage(store, version)
        assert (await scrub(store, dry_run=True)).corrupt == 1
        (finding,) = await store.findings()
        assert not finding.quarantined
        assert (await put(store, bucket, b"same", _BIG)).blob_id == version.blob_id
        state = await store.scrub_state()
        assert (state.completed, state.findings) == (None, {Damage.CORRUPT: 1})
        await scrub(store)
        (finding,) = await store.findings()
        assert finding.quarantined
        assert (await store.scrub_state()).completed is not None

    async def test_bytes_that_are_back_are_given_out_again(self, store: ObjectStore) -> None:
        bucket = await make_bucket(store)
        versions = [await put(store, bucket, b"key%d" % n, _BIG + b"%d" % n) for n in range(2)]
        before = [await damage(store, version, "gone") for version in versions]
        await scrub(store)
        for version, data in zip(versions, before, strict=True):
            assert version.blob_id is not None
            assert not await store.release_finding(version.blob_id)
            await restore(store, version.blob_id, data)
        assert versions[0].blob_id is not None
        assert await store.release_finding(versions[0].blob_id)
        assert await content(store, bucket, b"key0") == _BIG + b"0"
        await refused(store, bucket, b"key1")
        assert (await scrub(store)).missing == 0
        assert await content(store, bucket, b"key1") == _BIG + b"1"
        assert await store.findings() == []
        assert (await put(store, bucket, b"same", _BIG + b"1")).blob_id == versions[1].blob_id
        assert await invariants(store) == set()

    async def test_what_is_deleted_goes_with_its_finding(self, store: ObjectStore) -> None:
        bucket = await make_bucket(store)
        await damage(store, await put(store, bucket, b"key", _BIG))
        await scrub(store)
        await store.collect_garbage()
        assert len(await store.findings()) == 1
        await store.delete_object(bucket, b"key")
        await store.collect_garbage()
        assert await store.findings() == []
        assert [stat async for stat in store._blobs.iterate()] == []  # noqa: SLF001
        assert await invariants(store) == set()

    async def test_many_that_are_missing_together_halt_it(self, store: ObjectStore) -> None:
        bucket = await make_bucket(store)
        for number in range(33):
            await damage(store, await put(store, bucket, b"%d" % number, _BIG[number:]), "gone")
        halted = await scrub(store)
        assert halted.halted is not None
        assert (halted.ended_at, halted.missing) == (None, 0)
        assert await store.findings() == []
        assert not await store.start_scrub(accept_losses=True)
        while await store.scrub_some() is not None:
            pass
        state = await store.scrub_state()
        assert state.current is not None
        assert (state.current.missing, state.current.halted) == (33, None)
        assert state.findings == {Damage.MISSING: 33}

    async def test_a_pass_goes_on_where_it_was_and_ends(self, store: ObjectStore) -> None:
        bucket = await make_bucket(store)
        for number in range(300):
            await put(store, bucket, b"%d" % number, b"%d" % number)
        assert await store.scrub_is_due(timedelta(days=30))
        assert await store.start_scrub()
        assert not await store.start_scrub()
        steps = []
        while (step := await store.scrub_some()) is not None:
            steps.append(step.blobs)
            assert not await store.scrub_is_due(timedelta(0))
        assert steps == [128, 128, 44]
        current = (await store.scrub_state()).current
        assert current is not None
        assert (current.blobs, current.all_blobs, current.bytes) == (300, 300, current.all_bytes)
        assert current.ended_at is not None
        assert await store.scrub_some() is None
        assert await store.scrub_is_due(timedelta(0))
        assert not await store.scrub_is_due(timedelta(days=30))

    async def test_nothing_is_found_beside_writing_and_collecting(self, store: ObjectStore) -> None:
        bucket = await make_bucket(store)

        async def write(n: int) -> None:
            for turn in range(6):
                key = b"key%d" % n
                await put(store, bucket, key, _BIG + b"%d" % (turn % 3))
                assert await content(store, bucket, key) == _BIG + b"%d" % (turn % 3)
                if turn % 2:
                    await store.delete_object(bucket, key)

        async def collect() -> None:
            for _ in range(8):
                await store.collect_garbage()

        async def look() -> None:
            for _ in range(4):
                assert (await scrub(store)).halted is None

        await asyncio.gather(*(write(n) for n in range(4)), collect(), collect(), look())
        assert await store.findings() == []
        await store.collect_garbage()
        await invariants(store)

    async def test_healing_beside_writing(self, store: ObjectStore) -> None:
        """Versions come and go while what they have is exchanged: none is lost or revived."""
        bucket = await make_bucket(store, Versioning.ENABLED)
        first = await put(store, bucket, b"first", _BIG)
        source = await store.get_object(bucket, b"first")
        for n in range(8):
            await store.copy_object(source, bucket, b"copy%d" % n, PLAIN)
        await damage(store, first)
        await scrub(store)

        async def write(n: int) -> None:
            await put(store, bucket, b"copy%d" % n, _BIG)
            await store.delete_object(bucket, b"copy%d" % n)

        async def heal() -> None:
            for _ in range(4):
                await store.heal_findings()
                await store.collect_garbage()

        await asyncio.gather(*(write(n) for n in range(6)), heal(), heal())
        while await store.trace_findings() or await store.heal_findings():
            pass
        assert await store.findings() == []
        for n in range(6, 8):
            assert await content(store, bucket, b"copy%d" % n) == _BIG
        for version in (await store.list_versions(bucket)).versions:
            if not version.is_delete_marker:
                read = await content(store, bucket, version.key, version.version_id)
                assert read == _BIG
        await store.collect_garbage()
        await store.collect_garbage()
        assert await invariants(store) == set()
