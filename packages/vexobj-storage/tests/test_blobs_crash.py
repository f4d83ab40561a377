"""Blobs under kill -9, power loss and devices that refuse."""

import errno
import os
import resource
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import pytest

from support.tools import need
from vexobj_storage.blobs.base import BlobWriter
from vexobj_storage.blobs.durable import BlobTree, DurableFile
from vexobj_storage.blobs.local import LocalBlobStore
from vexobj_storage.blobs.testing import get_blob
from vexobj_storage.errors import OutOfSpace, StoreBusy, StoreError, WriteFailed
from vexobj_storage.files import Buffer, PosixFiles
from vexobj_storage.ids import new_id


@dataclass
class ForgetfulFile:
    data: bytearray = field(default_factory=bytearray)
    synced: bytes = b""


Entry = ForgetfulFile | str


class ForgetfulDisk:
    """Files in memory. `after_power_loss` is what the syncs so far have earned, and no more.

    A name is durable once its directory was synced after it appeared, and reachable if the names
    of all directories above it are durable too.
    """

    def __init__(self, ignored: str = "nothing") -> None:
        self._ignored = ignored
        self._now: dict[str, dict[str, Entry]] = {"/": {}}
        self._durable: dict[str, dict[str, Entry]] = {"/": {}}
        self._open: dict[int, ForgetfulFile] = {}

    def after_power_loss(self, path: str) -> bytes | None:
        parent = "/"
        *directories, name = PurePosixPath(path).parts[1:]
        for directory in directories:
            if directory not in self._durable[parent]:
                return None
            parent = str(PurePosixPath(parent, directory))
        entry = self._durable[parent].get(name)
        return entry.synced if isinstance(entry, ForgetfulFile) else None

    def open_files(self) -> list[ForgetfulFile]:
        return list(self._open.values())

    def create(self, path: str) -> int:
        parent, name = self._split(path)
        assert name not in parent
        descriptor = len(self._open) + 3
        parent[name] = self._open[descriptor] = ForgetfulFile()
        return descriptor

    def write(self, descriptor: int, data: Buffer) -> None:
        self._open[descriptor].data += data

    def sync(self, descriptor: int) -> None:
        if self._ignored != "sync":
            self._open[descriptor].synced = bytes(self._open[descriptor].data)

    def close(self, descriptor: int) -> None:
        pass

    def rename(self, source: str, target: str) -> None:
        parent, name = self._split(source)
        target_parent, target_name = self._split(target)
        file = parent.pop(name)
        assert isinstance(file, ForgetfulFile)
        # The disk is free to keep a rename and lose data that was not synced before it.
        assert file.synced == file.data, "renamed before its bytes were durable"
        target_parent[target_name] = file

    def make_directory(self, path: str) -> None:
        parent, name = self._split(path)
        parent.setdefault(name, "directory")
        self._now.setdefault(path, {})
        self._durable.setdefault(path, {})

    def sync_directory(self, path: str) -> None:
        if self._ignored != "sync_directory" and self._ignored != PurePosixPath(path).name:
            self._durable[path] = dict(self._now[path])

    def unlink(self, path: str) -> None:
        parent, name = self._split(path)
        if parent.pop(name, None) is None:
            raise FileNotFoundError(errno.ENOENT, path)

    def _split(self, path: str) -> tuple[dict[str, Entry], str]:
        parent = str(PurePosixPath(path).parent)
        if parent not in self._now:
            raise FileNotFoundError(errno.ENOENT, path)
        return self._now[parent], PurePosixPath(path).name


def disk_with_root(ignored: str = "nothing") -> ForgetfulDisk:
    disk = ForgetfulDisk(ignored)
    disk.make_directory("/data")
    disk.sync_directory("/")
    return disk


def write_blob(tree: BlobTree, blob_id: bytes, *chunks: bytes) -> None:
    file = DurableFile(tree, blob_id)
    for chunk in chunks:
        file.append(chunk)
    file.commit()


def test_committed_blobs_survive_power_loss() -> None:
    disk = disk_with_root()
    tree = BlobTree("/data", disk)
    committed: dict[str, bytes] = {}
    for tail in (b"\0\0", b"\0\1", b"\0\0", b"\1\0", b"\0\1"):
        blob_id = new_id()[:-2] + tail
        write_blob(tree, blob_id, b"one", tail)
        committed[tree.path(blob_id)] = b"one" + tail
        assert {path: disk.after_power_loss(path) for path in committed} == committed


def test_directories_made_by_another_process_are_synced_too() -> None:
    disk = disk_with_root()
    tree = BlobTree("/data", disk)
    disk.make_directory("/data/blobs/07")
    disk.make_directory("/data/blobs/07/09")
    blob_id = new_id()[:-2] + b"\7\11"
    write_blob(tree, blob_id, b"bytes")
    assert disk.after_power_loss(tree.path(blob_id)) == b"bytes"


@pytest.mark.parametrize("ignored", ["sync_directory", "data", "blobs", "07", "09"])
def test_each_directory_sync_is_needed(ignored: str) -> None:
    tree = BlobTree("/data", disk := disk_with_root(ignored))
    blob_id = new_id()[:-2] + b"\7\11"
    write_blob(tree, blob_id, b"bytes")
    assert disk.after_power_loss(tree.path(blob_id)) is None


def test_the_file_sync_is_needed() -> None:
    tree = BlobTree("/data", disk_with_root("sync"))
    with pytest.raises(AssertionError, match="before its bytes were durable"):
        write_blob(tree, new_id(), b"bytes")


def test_a_huge_blob_is_synced_on_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vexobj_storage.blobs.durable._SYNC_EVERY", 1000)
    disk = disk_with_root()
    file = DurableFile(BlobTree("/data", disk), new_id())
    synced = []
    for _ in range(6):
        file.append(bytes(400))
        (written,) = disk.open_files()
        synced.append(len(written.synced))
    assert synced == [0, 0, 1200, 1200, 1200, 2400]


_KILLED = """
import os, signal, sys
from pathlib import Path
from vexobj_storage.blobs.durable import BlobTree, DurableFile
from vexobj_storage.files import PosixFiles
from vexobj_storage.ids import new_id

remaining = 0

class Deadly(PosixFiles):
    def __getattribute__(self, name):
        call = super().__getattribute__(name)
        def counted(*args):
            global remaining
            if remaining == 0:
                if name == "write":
                    call(args[0], args[1][: len(args[1]) // 2])
                os.kill(os.getpid(), signal.SIGKILL)
            remaining -= 1
            return call(*args)
        return counted

def write_until_killed():
    tree = BlobTree(sys.argv[1], Deadly())
    while True:
        blob_id = new_id()
        file = DurableFile(tree, blob_id)
        for _ in range(3):
            file.append(blob_id * 5000)
        file.commit()
        os.write(1, blob_id.hex().encode() + b"\\n")

for remaining in map(int, sys.argv[2:]):
    child = os.fork()
    if child == 0:
        write_until_killed()
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL
"""


def test_kill_at_each_call_leaves_no_half_blob(tmp_path: Path) -> None:
    deaths = [str(calls) for calls in (*range(3, 17), 24, 31)]
    done = subprocess.run(
        [sys.executable, "-c", _KILLED, str(tmp_path), *deaths],
        stdout=subprocess.PIPE,
        text=True,
        timeout=60,
        check=True,
    )
    acknowledged = set(done.stdout.split())
    visible = {path.name: path for path in (tmp_path / "blobs").glob("*/*/*")}
    assert acknowledged
    assert acknowledged <= visible.keys()
    for name, path in visible.items():
        assert path.read_bytes() == bytes.fromhex(name) * 15000


class FailingFiles(PosixFiles):
    """Fails the named call with an errno, and counts how often it was tried."""

    def __init__(self, call: str, number: int) -> None:
        self._call = call
        self._error = OSError(number, os.strerror(number))
        self.attempts = 0
        self.armed = False

    def _fail(self, call: str) -> None:
        if self.armed and call == self._call:
            self.attempts += 1
            raise self._error

    def create(self, path: str) -> int:
        self._fail("create")
        return super().create(path)

    def write(self, descriptor: int, data: Buffer) -> None:
        self._fail("write")
        super().write(descriptor, data)

    def sync(self, descriptor: int) -> None:
        self._fail("sync")
        super().sync(descriptor)

    def rename(self, source: str, target: str) -> None:
        self._fail("rename")
        super().rename(source, target)

    def make_directory(self, path: str) -> None:
        self._fail("make_directory")
        super().make_directory(path)

    def sync_directory(self, path: str) -> None:
        self._fail("sync_directory")
        super().sync_directory(path)


@pytest.mark.parametrize(
    ("number", "condition"),
    [
        (errno.ENOSPC, OutOfSpace),
        (errno.EDQUOT, OutOfSpace),
        (errno.EIO, WriteFailed),
        (errno.EROFS, WriteFailed),
        (errno.EMFILE, StoreBusy),
    ],
)
@pytest.mark.parametrize(
    "call", ["create", "write", "sync", "rename", "make_directory", "sync_directory"]
)
async def test_a_refused_call_is_not_repeated_and_leaves_nothing(
    tmp_path: Path, call: str, number: int, condition: type[StoreError]
) -> None:
    files = FailingFiles(call, number)
    store = LocalBlobStore(tmp_path / "data", files=files)
    files.armed = True
    writer = store.create(blob_id := new_id())
    with pytest.raises(condition):
        await write_and_commit(writer)
    with pytest.raises(WriteFailed):
        await writer.commit()
    await writer.abort()
    assert files.attempts == 1
    assert await store.stat(blob_id) is None
    await store.close()
    assert files_under(tmp_path) == []


async def write_and_commit(writer: BlobWriter) -> None:
    await writer.write(b"x" * 1000)
    await writer.commit()


_TRY = """
import asyncio, sys
from pathlib import Path
from vexobj_storage.blobs.local import LocalBlobStore
from vexobj_storage.errors import StorageError

async def main():
    store = LocalBlobStore(Path(sys.argv[1]))
    for size in map(int, sys.argv[2:]):
        writer = store.create(size.to_bytes(16, "big"))
        try:
            await writer.write(b"x" * size)
            await writer.commit()
        except StorageError as error:
            print(type(error).__name__)
        else:
            print("written")
    await store.close()

asyncio.run(main())
"""


def files_under(path: Path) -> list[Path]:
    return [found for found in path.rglob("*") if found.is_file()]


async def blob_sizes(root: Path) -> list[int]:
    store = LocalBlobStore(root)
    found = [(blob.blob_id, blob.size) async for blob in store.iterate()]
    for blob_id, size in found:
        assert await get_blob(store, blob_id, 0, size) == b"x" * size
    await store.close()
    return sorted(size for _, size in found)


def attempt(root: Path, *sizes: int, prefix: tuple[str, ...] = (), limit: int = 0) -> list[str]:
    def limit_file_size() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    command = [*prefix, sys.executable, "-c", _TRY, str(root), *map(str, sizes)]
    done = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        text=True,
        timeout=60,
        check=True,
        preexec_fn=limit_file_size if limit else None,
    )
    return done.stdout.split()


async def test_a_short_write_at_the_size_limit(tmp_path: Path) -> None:
    """The kernel writes what fits, then EFBIG (Python ignores SIGXFSZ)."""
    assert attempt(tmp_path, 50_000, 150_000, 60_000, limit=100_000) == [
        "written",
        "WriteFailed",
        "written",
    ]
    assert await blob_sizes(tmp_path) == [50_000, 60_000]
    assert files_under(tmp_path / "tmp") == []


@pytest.mark.parametrize(
    ("call", "number", "condition"),
    [("fsync", "EIO", "WriteFailed"), ("write", "ENOSPC", "OutOfSpace")],
)
async def test_the_kernel_refuses(tmp_path: Path, call: str, number: str, condition: str) -> None:
    refused = tmp_path / "tmp" / (200_000).to_bytes(16, "big").hex()
    inject = f"inject={call}:error={number}:when=1+"
    prefix = (need("strace"), "-f", "-qq", "-o", os.devnull, "-P", str(refused), "-e", inject)
    told = attempt(tmp_path, 100_000, 200_000, 300_000, prefix=prefix)
    assert told == ["written", condition, "written"]
    assert await blob_sizes(tmp_path) == [100_000, 300_000]
    assert files_under(tmp_path / "tmp") == []
