"""The disk cache: bounded, shared by processes, and never giving out what is spoilt."""

# Tests may block a loop that nobody else runs on.

import asyncio
import hashlib
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from vexobj_cache import CacheEntry, CacheInUse, DiskCache, DiskCacheReader, TieredCache
from vexobj_cache.memory import MemoryCache
from vexobj_cache.tree import entry_name

_MAX = 256 * 1024


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[DiskCache]:
    disk = DiskCache(tmp_path / "cache", _MAX)
    yield disk
    disk.close()


def entry_files(root: Path) -> list[Path]:
    return [path for path in (root / "entries").rglob("*") if path.is_file()]


def path_of(cache: DiskCache, key: str) -> Path:
    return Path(cache._tree.path(entry_name(key)))


def disk_usage(root: Path) -> int:
    return sum(-(-path.stat().st_size // 4096) * 4096 for path in entry_files(root))


class DiskAgainstModel(RuleBasedStateMachine):
    """What the cache gives is what was put last; what it keeps is bounded, over restarts too."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp())
        self.cache = DiskCache(self.root, 64 * 1024, max_entry_bytes=32 * 1024)
        self.reader = DiskCacheReader(self.root)
        self.model: dict[str, CacheEntry] = {}
        self.serial = itertools.count()

    keys = st.sampled_from([f"key-{number}" for number in range(8)])

    @rule(key=keys, size=st.integers(0, 40_000))
    def put(self, key: str, size: int) -> None:
        entry = CacheEntry(os.urandom(size), {"serial": str(next(self.serial))})
        kept = asyncio.run(self.cache.put(key, entry))
        assert kept or size > 30_000
        self.model.pop(key, None)
        if kept:
            self.model[key] = entry
            assert asyncio.run(self.reader.get(key)) == entry

    @rule(key=keys)
    def get(self, key: str) -> None:
        found = asyncio.run(self.reader.get(key))
        assert found is None or found == self.model[key]
        if found is None:
            self.model.pop(key, None)

    @rule(key=keys)
    def delete(self, key: str) -> None:
        existed = asyncio.run(self.cache.delete(key))
        assert not existed or key in self.model
        self.model.pop(key, None)

    @rule(key=keys)
    def spoil(self, key: str) -> None:
        path = path_of(self.cache, key)
        if path.exists():
            os.truncate(path, path.stat().st_size - 1)
            self.model.pop(key)
            assert asyncio.run(self.reader.get(key)) is None
            assert not path.exists()

    @rule()
    def restart(self) -> None:
        self.cache.close()
        self.cache = DiskCache(self.root, 64 * 1024, max_entry_bytes=32 * 1024)
        assert self.cache.stats.bytes == disk_usage(self.root)
        assert self.cache.stats.entries == len(entry_files(self.root))

    @invariant()
    def is_bounded(self) -> None:
        assert disk_usage(self.root) <= self.cache.stats.bytes <= 64 * 1024

    def teardown(self) -> None:
        self.cache.close()
        shutil.rmtree(self.root)


TestDiskAgainstModel = DiskAgainstModel.TestCase
TestDiskAgainstModel.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)


async def test_what_was_just_written_is_there_now(tmp_path: Path) -> None:
    if not hasattr(os, "RWF_NOWAIT"):
        pytest.skip("RWF_NOWAIT is not in this platform's os module")
    cache = DiskCache(tmp_path, 10_000_000)
    small, large = CacheEntry(b"x" * 20_000, {"type": "image/avif"}), CacheEntry(bytes(300_000))
    await cache.put("small", small)
    await cache.put("large", large)
    assert cache.get_now("small") == small
    assert cache.get_now("large") is None
    assert await cache.get("large") == large
    assert (cache.stats.hits, cache.stats.misses) == (2, 0)
    cache.close()


async def test_survives_restart(tmp_path: Path) -> None:
    first = DiskCache(tmp_path, _MAX)
    await first.put("key", CacheEntry(b"value", {"type": "text/plain"}))
    first.close()
    second = DiskCache(tmp_path, _MAX)
    assert await second.get("key") == CacheEntry(b"value", {"type": "text/plain"})
    assert (second.stats.entries, second.stats.bytes) == (1, 4096)
    second.close()


async def test_a_smaller_bound_at_restart_evicts_the_least_recently_used(tmp_path: Path) -> None:
    first = DiskCache(tmp_path, _MAX)
    for number in range(10):
        await first.put(str(number), CacheEntry(b"x"))
        os.utime(path_of(first, str(number)), ns=(number, number))
    first.close()
    second = DiskCache(tmp_path, 4 * 4096, max_entry_bytes=4096)
    assert [await second.get(str(number)) is not None for number in range(10)] == [
        *[False] * 6,
        *[True] * 4,
    ]
    second.close()


async def test_what_a_reader_uses_stays(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path, 8 * 4096, max_entry_bytes=4096)
    reader = DiskCacheReader(tmp_path)
    for number in range(8):
        await cache.put(str(number), CacheEntry(b"x"))
    long_ago = path_of(cache, "0").stat().st_atime_ns - 3600 * 10**9
    for number in range(8):
        os.utime(path_of(cache, str(number)), ns=(long_ago, long_ago))
    cache.close()
    cache = DiskCache(tmp_path, 8 * 4096, max_entry_bytes=4096)
    # Equal times are told apart by name.
    oldest = min(map(str, range(8)), key=entry_name)
    assert await reader.get(oldest) is not None
    await cache.put("one more", CacheEntry(b"x"))
    assert await reader.get(oldest) is not None
    assert cache.stats.evictions == 1
    cache.close()


async def test_a_touch_is_rate_limited(cache: DiskCache) -> None:
    await cache.put("key", CacheEntry(b"x"))
    before = path_of(cache, "key").stat().st_atime_ns - 1
    os.utime(path_of(cache, "key"), ns=(before, before))
    await cache.get("key")
    # The kernel itself may note a read (relatime), but with its own time, not ours.
    os.utime(path_of(cache, "key"), ns=(0, 0))
    await cache.get("key")
    assert path_of(cache, "key").stat().st_atime_ns > before
    assert path_of(cache, "key").stat().st_mtime_ns == 0


@pytest.mark.parametrize("damage", ["empty", "short", "long", "flipped", "zeroed", "metadata"])
@pytest.mark.parametrize("way", ["get", "open", "now"])
async def test_spoilt_entries_are_dropped(cache: DiskCache, damage: str, way: str) -> None:
    await cache.put("key", CacheEntry(b"value" * 1000, {"type": "text/plain"}))
    path = path_of(cache, "key")
    whole = bytearray(path.read_bytes())
    if damage == "flipped":
        whole[-1] ^= 1
    elif damage == "metadata":
        whole[24] ^= 1
    elif damage == "zeroed":
        whole = bytearray(len(whole))
    elif damage == "long":
        whole += b"x"
    else:
        del whole[0 if damage == "empty" else 100 :]
    path.write_bytes(whole)
    if way == "now":
        cache.get_now("key")
    assert await (cache.open("key") if way == "open" else cache.get("key")) is None
    assert not path.exists()
    assert (cache.stats.failures, cache.stats.misses) == (1, 1)


async def test_a_file_under_a_wrong_name_is_no_entry(cache: DiskCache) -> None:
    await cache.put("a", CacheEntry(b"of a"))
    await cache.put("b", CacheEntry(b"of b"))
    path_of(cache, "a").replace(path_of(cache, "b"))
    assert await cache.get("b") is None


async def test_foreign_files_and_leavings_are_dropped(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path, _MAX)
    await cache.put("key", CacheEntry(b"value"))
    kept = path_of(cache, "key")
    cache.close()
    (tmp_path / "tmp" / "7").write_bytes(b"half")
    (tmp_path / "entries" / "README").write_text("not ours")
    (kept.parent / kept.name[:-1]).write_bytes(b"name too short")
    (kept.parent / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").write_text("untouched")
    cache = DiskCache(tmp_path, _MAX)
    assert entry_files(tmp_path) == [kept]
    assert list((tmp_path / "tmp").iterdir()) == []
    assert (tmp_path / "elsewhere").read_text() == "untouched"
    cache.close()


async def test_open_survives_eviction(cache: DiskCache) -> None:
    data = os.urandom(20_000)
    await cache.put("key", CacheEntry(data, {"type": "image/avif"}))
    opened = await cache.open("key")
    assert opened is not None
    with opened:
        for number in range(2 * _MAX // len(data)):  # what is being read gets a second chance
            await cache.put(f"newer-{number}", CacheEntry(data, {}))
        assert await cache.get("key") is None
        assert os.pread(opened.file.fileno(), opened.size, opened.offset) == data
        assert opened.metadata == {"type": "image/avif"}


async def test_one_owner(cache: DiskCache, tmp_path: Path) -> None:
    with pytest.raises(CacheInUse):
        DiskCache(tmp_path / "cache", _MAX)
    cache.close()
    DiskCache(tmp_path / "cache", _MAX).close()


async def test_a_new_owner_waits_for_the_old_one(cache: DiskCache, tmp_path: Path) -> None:
    waiting = asyncio.create_task(
        asyncio.to_thread(DiskCache, tmp_path / "cache", _MAX, wait_seconds=60)
    )
    await cache.put("key", CacheEntry(b"value"))
    cache.close()
    successor = await waiting
    assert await successor.get("key") == CacheEntry(b"value")
    successor.close()


async def test_a_device_that_refuses_is_a_miss(cache: DiskCache, tmp_path: Path) -> None:
    await cache.put("key", CacheEntry(b"old"))
    shutil.rmtree(tmp_path / "cache" / "tmp")
    assert await cache.put("key", CacheEntry(b"new")) is False
    assert await cache.get("key") is None, "the old value must not stand for the new"
    path_of(cache, "key").mkdir(parents=True, exist_ok=True)
    assert await cache.get("key") is None
    assert cache.stats.failures == 2


async def test_a_worker_reads_through_its_memory(cache: DiskCache, tmp_path: Path) -> None:
    worker = TieredCache(MemoryCache(_MAX), DiskCacheReader(tmp_path / "cache"))
    await cache.put("key", CacheEntry(b"value"))
    assert worker.get_now("key") is None
    assert await worker.get("key") == CacheEntry(b"value")
    assert worker.get_now("key") == CacheEntry(b"value")
    assert worker.stats.hits == 2


_READER = """
import asyncio, hashlib, sys
from pathlib import Path
from vexobj_cache import DiskCacheReader

async def main():
    reader = DiskCacheReader(Path(sys.argv[1]))
    print("ready", flush=True)
    while not (Path(sys.argv[1]) / "done").exists():
        for number in range(30):
            entry = await reader.get(str(number))
            if entry is not None:
                assert entry.metadata["sha256"] == hashlib.sha256(entry.data).hexdigest()
    assert reader.stats.failures == 0
    print(reader.stats.hits)

asyncio.run(main())
"""


def start_reader(root: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", _READER, str(root)], stdout=subprocess.PIPE, text=True
    )


async def write_under(reader: "subprocess.Popen[str]", cache: DiskCache, root: Path) -> None:
    assert reader.stdout is not None
    assert await asyncio.to_thread(reader.stdout.readline) == "ready\n"
    for turn in range(20):
        for number in range(30):
            data = os.urandom(1000 * (number + turn) % 20_000)
            await cache.put(
                str(number), CacheEntry(data, {"sha256": hashlib.sha256(data).hexdigest()})
            )
            assert disk_usage(root) <= cache.stats.bytes <= _MAX
    (root / "done").touch()


async def test_two_processes(cache: DiskCache, tmp_path: Path) -> None:
    """A reader in another process only ever sees whole entries while the owner churns."""
    root = tmp_path / "cache"
    reader = start_reader(root)
    await write_under(reader, cache, root)
    told, _ = await asyncio.to_thread(reader.communicate, timeout=60)
    assert reader.returncode == 0
    assert int(told) > 0
    assert cache.stats.evictions
