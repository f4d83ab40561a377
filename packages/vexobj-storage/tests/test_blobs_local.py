"""What is special to blobs in a local directory: modes, threads, cancellation, processes."""

import asyncio
import contextlib
import os
import stat
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from vexobj_storage.blobs.local import LocalBlobStore
from vexobj_storage.blobs.testing import get_blob, put_blob
from vexobj_storage.errors import BlobCorrupt, OutOfSpace, StoreClosed
from vexobj_storage.files import Buffer, PosixFiles
from vexobj_storage.ids import new_id


@pytest.fixture
async def blobs(tmp_path: Path) -> AsyncIterator[LocalBlobStore]:
    store = LocalBlobStore(tmp_path / "data")
    yield store
    await store.close()


def files_under(path: Path) -> list[Path]:
    return [found for found in path.rglob("*") if found.is_file()]


async def test_only_the_owner_may_read(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        store = LocalBlobStore(tmp_path / "data" / "deeper")
        await put_blob(store, b"x")
        await store.close()
    finally:
        os.umask(before)
    for found in (tmp_path / "data").rglob("*"):
        expected = 0o600 if found.is_file() else 0o700
        assert stat.S_IMODE(found.stat().st_mode) == expected, found


async def test_path_holds_exactly_the_bytes(blobs: LocalBlobStore) -> None:
    blob_id = await put_blob(blobs, b"exactly")
    path = blobs.path(blob_id)
    assert path is not None
    assert path.read_bytes() == b"exactly"
    name = blob_id.hex()
    assert path.parts[-4:] == ("blobs", name[-4:-2], name[-2:], name)


async def test_read_now_serves_what_was_just_written(blobs: LocalBlobStore) -> None:
    if not hasattr(os, "RWF_NOWAIT"):
        pytest.skip("RWF_NOWAIT is not in this platform's os module")
    data = os.urandom(256 * 1024)
    blob_id = await put_blob(blobs, data)
    assert blobs.read_now(blob_id, 0, len(data)) == data


async def test_read_now_gives_up_where_the_flag_is_refused(
    blobs: LocalBlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    blob_id = await put_blob(blobs, b"data")
    # An unknown flag is what a kernel or file system without RWF_NOWAIT answers EOPNOTSUPP to.
    monkeypatch.setattr("vexobj_storage.blobs.local._NOWAIT", 1 << 30)
    assert blobs.read_now(blob_id, 0, 4) is None
    monkeypatch.undo()
    assert blobs.read_now(blob_id, 0, 4) is None, "it should have stopped asking"
    assert await get_blob(blobs, blob_id, 0, 4) == b"data"


async def test_a_file_cut_short_is_corrupt(blobs: LocalBlobStore) -> None:
    blob_id = await put_blob(blobs, b"x" * 2_000_000)
    path = blobs.path(blob_id)
    assert path is not None
    os.truncate(path, 1_500_000)
    with pytest.raises(BlobCorrupt):
        await get_blob(blobs, blob_id, 0, 2_000_000)
    assert len(await get_blob(blobs, blob_id, 0, 1_500_000)) == 1_500_000


async def test_a_directory_that_went_away_is_made_again(blobs: LocalBlobStore) -> None:
    blob_id = await put_blob(blobs, b"first")
    path = blobs.path(blob_id)
    assert path is not None
    await blobs.delete(blob_id)
    path.parent.rmdir()
    path.parent.parent.rmdir()
    second = new_id()[:-2] + blob_id[-2:]
    writer = blobs.create(second)
    await writer.commit()
    assert await blobs.stat(second) is not None


async def test_foreign_files_are_not_blobs(blobs: LocalBlobStore, tmp_path: Path) -> None:
    blob_id = await put_blob(blobs, b"ours")
    path = blobs.path(blob_id)
    assert path is not None
    (path.parent / "README").write_text("not a blob")
    (tmp_path / "data" / "blobs" / "stray").write_text("not a directory")
    assert [found.blob_id async for found in blobs.iterate()] == [blob_id]


async def test_sweep_removes_only_old_leavings(blobs: LocalBlobStore, tmp_path: Path) -> None:
    writer = blobs.create(new_id())
    await writer.write(b"still at it")
    old = tmp_path / "data" / "tmp" / new_id().hex()
    old.write_bytes(b"half")
    os.utime(old, (0, 0))
    assert await blobs.sweep(datetime.now(UTC) - timedelta(hours=1)) == 1
    await writer.commit()
    assert len(files_under(tmp_path)) == 1


async def test_writers_of_one_blob_do_not_meet(blobs: LocalBlobStore, tmp_path: Path) -> None:
    """Two processes that copy it, or one that goes on where another was killed."""
    blob_id = new_id()
    first, second, third = [blobs.create(blob_id) for _ in range(3)]
    for writer in (first, second, third):
        await writer.write(b"the same")
    await second.commit()
    await first.abort()
    assert await get_blob(blobs, blob_id, 0, 8) == b"the same"
    await third.commit()
    assert await get_blob(blobs, blob_id, 0, 8) == b"the same"
    assert list((tmp_path / "data" / "tmp").iterdir()) == []


async def test_more_than_fits_is_refused_at_once(blobs: LocalBlobStore) -> None:
    with pytest.raises(OutOfSpace):
        blobs.create(new_id(), 1 << 60)


async def test_closed(tmp_path: Path) -> None:
    store = LocalBlobStore(tmp_path)
    blob_id = await put_blob(store, b"x")
    writer = store.create(new_id())
    await writer.write(b"unfinished")
    await store.close()
    with pytest.raises(StoreClosed):
        await writer.commit()
    with pytest.raises(StoreClosed):
        await get_blob(store, blob_id, 0, 1)
    await writer.abort()
    assert len(files_under(tmp_path)) == 1


class HeldFiles(PosixFiles):
    """Stops before the named call until it is released."""

    def __init__(self, held_call: str) -> None:
        self.held_call = held_call
        self.reached = threading.Event()
        self.released = threading.Event()

    def _hold(self, call: str) -> None:
        if call == self.held_call and not self.reached.is_set():
            self.reached.set()
            assert self.released.wait(30)

    def write(self, descriptor: int, data: Buffer) -> None:
        self._hold("write")
        super().write(descriptor, data)

    def sync(self, descriptor: int) -> None:
        self._hold("sync")
        super().sync(descriptor)

    def rename(self, source: str, target: str) -> None:
        self._hold("rename")
        super().rename(source, target)


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("call", ["write", "sync", "rename"])
async def test_a_cancelled_writer_leaves_no_file(tmp_path: Path, call: str, times: int) -> None:
    files = HeldFiles(call)
    store = LocalBlobStore(tmp_path / "data", files=files, write_threads=1)

    async def upload() -> None:
        writer = store.create(new_id())
        try:
            await writer.write(b"x" * 100_000)
            await writer.commit()
        except BaseException:
            await writer.abort()
            raise

    task = asyncio.create_task(upload())
    assert await asyncio.to_thread(files.reached.wait, 30)
    for _ in range(times):
        task.cancel()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    files.released.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    await store.close()
    assert files_under(tmp_path) == []


async def test_a_cancelled_read_closes_its_file(blobs: LocalBlobStore) -> None:
    blob_id = await put_blob(blobs, b"x" * 4_000_000)

    async def download() -> None:
        async with aclosing(blobs.open(blob_id, 0, 4_000_000)) as stream:
            async for _ in stream:
                await asyncio.Event().wait()

    tasks = [asyncio.create_task(download()) for _ in range(20)]
    for _ in range(50):
        await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    path = str(blobs.path(blob_id))
    await blobs.close()
    assert path not in open_paths()


def open_paths() -> list[str]:
    paths = []
    for link in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            paths.append(str(link.readlink()))
    return paths


_WRITER = """
import asyncio, sys
from pathlib import Path
from vexobj_storage.blobs.local import LocalBlobStore
from vexobj_storage.blobs.testing import put_blob

async def main():
    store = LocalBlobStore(Path(sys.argv[1]))
    for number in range(40):
        blob_id = await put_blob(store, sys.argv[2].encode() + b"%d" % number)
        print(blob_id.hex(), flush=True)
    await store.close()

asyncio.run(main())
"""


def run_writers(root: Path) -> list[list[str]]:
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(root), name], stdout=subprocess.PIPE, text=True
        )
        for name in ("a", "b")
    ]
    told = [writer.communicate(timeout=60)[0].split() for writer in writers]
    assert [writer.returncode for writer in writers] == [0, 0]
    return told


async def test_two_processes_share_a_directory(tmp_path: Path) -> None:
    root = tmp_path / "new" / "data"
    told = run_writers(root)
    store = LocalBlobStore(root)
    for name, ids in zip("ab", told, strict=True):
        for number, blob_id in enumerate(ids):
            data = f"{name}{number}".encode()
            assert await get_blob(store, bytes.fromhex(blob_id), 0, len(data)) == data
    assert len([found async for found in store.iterate()]) == 80
    await store.close()
