"""What is interrupted at each of its steps: one row for each operation of a store.

A new operation is a row here, and its steps in `steps.txt`.
"""

import shutil
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta

from support.stepping.shim import Shim
from support.stepping.world import MASTER, NEXT_MASTER, OTHER, SMALL, Setup, observe
from vexobj_storage import (
    BackupOptions,
    BackupTarget,
    KeyRing,
    MovingBlobStore,
    ObjectLock,
    ObjectName,
    ObjectStore,
    RestoreOptions,
    StoreNotEmpty,
    move_blobs,
    restore,
)
from vexobj_storage.testing.helpers import PLAIN, complete, make_bucket, put, put_part
from vexobj_storage.types import LifecycleReport

_MOMENT = timedelta(microseconds=1)
_HOLD_SECONDS = 2.0
_RESTORED = "restored"


@dataclass
class Stage:
    """Where an operation is done. `store` is open unless opening is what is done."""

    setup: Setup
    shim: Shim
    opened: ObjectStore | None = None

    @property
    def store(self) -> ObjectStore:
        assert self.opened is not None
        return self.opened

    async def open(self) -> None:
        self.opened = await self.setup.open(self.shim)

    async def close(self) -> None:
        if self.opened is not None:
            opened, self.opened = self.opened, None
            await opened.close()


def _as_it_is(setup: Setup) -> Setup:
    return setup


@dataclass(frozen=True)
class Act:
    """`whole`: it is done or not, and nothing between; else each of the things that it changes is.

    `again`: who is interrupted does it once more, and is where it would have been.
    `needs`: what is there before: `world`, the same after a `kill`, with a `backup`, or
    after a `rot`, or `nothing`.
    `proof`: what is seen in the store that was made besides, when it is done.
    `beside`: transactions that time brings, or not.
    """

    name: str
    run: Callable[[Stage], Awaitable[object]]
    whole: bool = True
    again: bool = False
    needs: str = "world"
    setup: Callable[[Setup], Setup] = _as_it_is
    proof: Callable[[Stage], Awaitable[list[str]]] | None = None
    beside: tuple[str, ...] = ()


def _put(bucket: str, key: bytes, data: bytes) -> Callable[[Stage], Awaitable[object]]:
    async def run(stage: Stage) -> None:
        await put(stage.store, await stage.store.bucket(bucket), key, data)

    return run


def _copy(source: bytes) -> Callable[[Stage], Awaitable[object]]:
    async def run(stage: Stage) -> None:
        store, bucket = stage.store, await stage.store.bucket("plain")
        found = await store.get_object(bucket, source)
        await store.copy_object(found, bucket, b"copy", PLAIN)

    return run


def _delete(bucket: str, *keys: bytes) -> Callable[[Stage], Awaitable[object]]:
    async def run(stage: Stage) -> None:
        names = [ObjectName(key) for key in keys]
        await stage.store.delete_objects(await stage.store.bucket(bucket), names)

    return run


async def _delete_version(stage: Stage) -> None:
    bucket = await stage.store.bucket("kept")
    newest = (await stage.store.list_versions(bucket, prefix=b"document")).versions[0]
    await stage.store.delete_object(bucket, b"document", newest.version_id)


async def _purge(stage: Stage) -> None:
    await stage.store.purge(await stage.store.bucket("kept"), b"document")


async def _hold(stage: Stage) -> None:
    def held(lock: ObjectLock) -> ObjectLock:
        return replace(lock, legal_hold=True)

    await stage.store.update_lock(await stage.store.bucket("kept"), b"free", None, held)


async def _create_upload(stage: Stage) -> None:
    await stage.store.create_upload(await stage.store.bucket("plain"), b"new upload", PLAIN)


async def _put_part(stage: Stage) -> None:
    bucket = await stage.store.bucket("plain")
    (upload,) = (await stage.store.list_uploads(bucket, prefix=b"upload")).uploads
    await put_part(stage.store, upload, 1, OTHER)


async def _complete(stage: Stage) -> None:
    bucket = await stage.store.bucket("plain")
    (upload,) = (await stage.store.list_uploads(bucket, prefix=b"upload")).uploads
    parts = (await stage.store.list_parts(upload)).parts
    await complete(stage.store, bucket, upload, parts)


async def _abort(stage: Stage) -> None:
    bucket = await stage.store.bucket("plain")
    (upload,) = (await stage.store.list_uploads(bucket, prefix=b"another")).uploads
    await stage.store.abort_upload(bucket, upload.key, upload.upload_id)


async def _sweep_lifecycle(stage: Stage) -> None:
    """Until nothing is due any more: what is hidden in one sweep goes in the next."""
    while await stage.store.sweep_lifecycle(day=_MOMENT) != LifecycleReport():
        continue


async def _rewrap(stage: Stage) -> None:
    masters = (NEXT_MASTER, MASTER)
    ring = await KeyRing.open(stage.store._metadata, masters, seal=True, now_us=0)
    await ring.rewrap()


async def _rewrite(stage: Stage) -> None:
    await stage.store.start_rewriting()
    while await stage.store.rewrite_some() is not None:
        continue


async def _scrub(stage: Stage) -> None:
    await stage.store.start_scrub()
    while await stage.store.scrub_some() is not None:
        continue


async def _move(stage: Stage) -> None:
    blobs = stage.store._blobs
    assert isinstance(blobs, MovingBlobStore)
    done = await move_blobs(stage.store._metadata, blobs, at_once=1)
    assert not done.damaged


def _target(stage: Stage) -> BackupTarget:
    return BackupTarget(stage.setup.directory / "target")


async def back_up(stage: Stage) -> None:
    options = BackupOptions(keep=1, at_once=1, hold_seconds=_HOLD_SECONDS)
    await stage.store.back_up(_target(stage), options)


async def _restore(stage: Stage) -> None:
    """Unless all of it is there already."""
    config = replace(stage.store.config, data_dir=stage.setup.directory / _RESTORED)
    with suppress(StoreNotEmpty):
        await restore(config, _target(stage), options=RestoreOptions(at_once=1))


async def _seen_restored(stage: Stage) -> list[str]:
    """What is in the store that the newest backup makes, or has made."""
    await _restore(stage)
    directory = stage.setup.directory / _RESTORED
    restored = await replace(stage.setup, directory=directory).open(stage.shim)
    seen = await observe(restored)
    await restored.close()
    shutil.rmtree(directory)
    return seen


def _sealing(setup: Setup) -> Setup:
    return replace(setup, seals=True)


def _moving(setup: Setup) -> Setup:
    return replace(setup, moves=True)


ACTS = {
    act.name: act
    for act in (
        Act("first start", Stage.open, needs="nothing", setup=_sealing),
        Act("start after a kill", Stage.open, needs="kill"),
        Act("stop", Stage.close),
        Act("create bucket", lambda stage: make_bucket(stage.store, name="new")),
        Act("delete bucket", lambda stage: stage.store.delete_bucket("empty")),
        Act("put inline", _put("plain", b"new", SMALL)),
        Act("put blob", _put("plain", b"new", OTHER[4:])),
        Act("put what is there", _put("plain", b"new", OTHER)),
        Act("overwrite", _put("plain", b"big", OTHER[4:])),
        Act("put version", _put("kept", b"document", OTHER[4:])),
        Act("copy", _copy(b"big")),
        Act("copy of parts", _copy(b"parts")),
        Act("delete", _delete("plain", b"other")),
        Act("delete batch", _delete("plain", b"big", b"same", b"small", b"parts")),
        Act("delete marker", _delete("kept", b"document")),
        Act("delete version", _delete_version),
        Act("purge", _purge),
        Act("legal hold", _hold),
        Act("create upload", _create_upload),
        Act("put part", _put_part),
        Act("complete", _complete),
        Act("abort", _abort),
        Act("abort stale uploads", lambda stage: stage.store.abort_stale_uploads(timedelta(0)),
            whole=False, again=True),
        Act("collect garbage", lambda stage: stage.store.collect_garbage(), again=True),
        Act("sweep orphans", lambda stage: stage.store.sweep_orphans(timedelta(0)), again=True),
        Act("lifecycle", _sweep_lifecycle, whole=False, again=True),
        Act("fold usage", lambda stage: stage.store.fold_usage(), again=True),
        Act("rewrap keys", _rewrap, again=True, setup=_sealing),
        Act("rewrite", _rewrite, again=True, setup=_sealing),
        Act("scrub", _scrub, again=True),
        Act("scrub what rots", _scrub, again=True, needs="rot"),
        Act("back up", back_up, again=True, proof=_seen_restored, beside=("remember",)),
        Act("back up again", back_up, again=True, needs="backup", proof=_seen_restored,
            beside=("remember",)),
        Act("restore", _restore, again=True, needs="backup", proof=_seen_restored),
        Act("move blobs", _move, again=True, setup=_moving),
    )
}  # fmt: skip

STORY = [act for act in ACTS.values() if act.needs in {"world", "backup"}]
"""Each can be done after the others."""

ENDED = "ended: "
"""Begins the mark that an operation of the story was acknowledged."""
