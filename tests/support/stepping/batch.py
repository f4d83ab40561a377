"""Sixty-four operations that the writer of the metadata commits in one transaction."""

import asyncio
import os
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

from support.stepping.shim import Fault, Shim
from support.stepping.world import Named
from vexobj_storage import (
    LocalBlobStore,
    ObjectStore,
    StorageError,
    StoreConfig,
    WriteCondition,
    open_metadata,
)
from vexobj_storage.metadata.connections import SqliteFiles, open_lock, write_lock
from vexobj_storage.metadata.sqlite import SqliteConfig, SqliteMetaStore
from vexobj_storage.metadata.writer import WriterLimits
from vexobj_storage.testing import invariants
from vexobj_storage.testing.helpers import content, make_bucket, put
from vexobj_storage.types import Bucket

SIZE = 64
_CONTESTED = b"contested"
_CREATE = WriteCondition(if_none_match_any=True)
_PATIENT = SqliteConfig(limits=WriterLimits(batch_seconds=60))
"""A slow machine makes the batch no smaller."""


def _data(number: int) -> bytes:
    return b"%d " % number * 2000


def _open(directory: Path, shim: Shim) -> ObjectStore:
    metadata = Named(SqliteMetaStore(directory, _PATIENT), shim)
    return ObjectStore(StoreConfig(directory), metadata, LocalBlobStore(directory))


async def prepare(directory: Path, shim: Shim) -> None:
    await (await open_metadata(directory)).close()
    store = _open(directory, shim)
    bucket = await make_bucket(store)
    for number in range(8):
        await put(store, bucket, b"delete %d" % number, _data(number))
    await store.close()


async def run(directory: Path, shim: Shim, fault: tuple[Fault, int, int]) -> dict[str, Any]:
    """Break the batch at a step of it; what was said to each client, and how many steps it had."""
    store = _open(directory, shim)
    bucket, begun = await store.bucket("bucket"), shim.marks
    lock = open_lock(SqliteFiles(directory))
    with write_lock(lock):  # so that all of them wait when the writer begins
        work = {name: asyncio.ensure_future(each) for name, each in _work(store, bucket).items()}
        await _until_begun(shim, begun + SIZE)
        shim.watch(directory)
        shim.break_at(*fault)
    await asyncio.wait(work.values())
    steps = shim.leave()
    os.close(lock)
    await store.close()
    return {"outcomes": {name: _outcome(task) for name, task in work.items()}, "steps": steps}


async def _until_begun(shim: Shim, marks: int) -> None:
    while shim.marks < marks:  # noqa: ASYNC110 - a count of ours, which each of them changes
        await asyncio.sleep(0)


def _work(store: ObjectStore, bucket: Bucket) -> dict[str, Awaitable[object]]:
    """Puts, deletes, and creates of one key of which one can win."""
    work: dict[str, Awaitable[object]] = {}
    for number in range(8):
        work[f"delete {number}"] = store.delete_object(bucket, b"delete %d" % number)
        work[f"create {number}"] = put(store, bucket, _CONTESTED, _data(number), _CREATE)
    for number in range(SIZE - len(work)):
        work[f"put {number}"] = put(store, bucket, b"put %d" % number, _data(number))
    return work


def _outcome(task: "asyncio.Future[object]") -> str:
    error = task.exception()
    if error is None:
        return "done"
    if isinstance(error, StorageError):
        return type(error).__name__
    raise error


async def seen(directory: Path, shim: Shim) -> dict[str, Any]:
    """What is there after a restart: which keys, and whose content the contested one has."""
    store = _open(directory, shim)
    await invariants(store)
    bucket, keys, winner = await store.bucket("bucket"), [], None
    for each in (await store.list_objects(bucket)).objects:
        data = await content(store, bucket, each.key)
        number = int(data.split()[0])
        assert data == _data(number)
        if each.key == _CONTESTED:
            winner = number
        else:
            assert each.key.endswith(b" %d" % number)
            keys.append(each.key.decode())
    await store.close()
    return {"keys": keys, "winner": winner}
