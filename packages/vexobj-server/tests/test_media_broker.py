"""The broker with real processes: one computation for all, and every way for things to die."""

import asyncio
import hashlib
import os
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from vexobj_processing import (
    Format,
    ImageUnreadable,
    JobCrashed,
    JobTimeout,
    LimitExceeded,
    Limits,
    Transform,
    UnsupportedImage,
)
from vexobj_processing.testing import encoded, photo
from vexobj_server.media.client import MediaClient
from vexobj_server.media.config import BrokerConfig, answer_seconds
from vexobj_server.media.errors import MediaBusy, MediaDeadline, MediaUnavailable
from vexobj_server.media.supervisor import BrokerHandle, start_broker
from vexobj_server.settings import load_settings

ASKED = Transform(100, 80, format=Format.WEBP)
JPEG = (Format.JPEG,)


@pytest.fixture
def directory() -> Iterator[Path]:
    """A short path: a Unix socket's has at most 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="vx-") as path:
        yield Path(path)


@pytest.fixture
def source(tmp_path: Path) -> Iterator[int]:
    path = tmp_path / "source"
    path.write_bytes(encoded(photo(), "JPEG"))
    fd = os.open(path, os.O_RDONLY)
    yield fd
    os.close(fd)


@asynccontextmanager
async def running(
    directory: Path, **options: Any
) -> AsyncIterator[tuple[BrokerHandle, MediaClient]]:
    config = BrokerConfig(socket_path=directory / "m.sock", **{"workers": 1, **options})
    handle = await asyncio.to_thread(start_broker, config)
    client = MediaClient(config.socket_path)
    try:
        yield handle, client
    finally:
        await client.close()
        await asyncio.to_thread(handle.stop)


async def digest(client: MediaClient, key: str, fd: int, asked: Transform = ASKED) -> str:
    rendering = await client.render(key, fd, asked, JPEG)
    return hashlib.sha256(rendering.file.read()).hexdigest()


def children_of(pid: int | None) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid and fields[0] != "Z":
            found.append(int(path.parent.name))
    return found


def open_files(pid: int | str | None) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def environment_of(pid: int | None) -> bytes:
    return Path(f"/proc/{pid}/environ").read_bytes()


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - another process's state has no event
            await asyncio.sleep(0.005)


async def until_stats(client: MediaClient, **expected: int) -> None:
    async with asyncio.timeout(60):
        while True:
            stats = await client.stats()
            if all(getattr(stats, name) == value for name, value in expected.items()):
                return
            await asyncio.sleep(0.005)


async def stuck_child(handle: BrokerHandle, client: MediaClient, source: int) -> int:
    """The pid of the only child, stopped before its next job."""
    await digest(client, "warm-up", source)
    (child,) = children_of(handle.pid)
    os.kill(child, signal.SIGSTOP)
    return child


CROWD = """
import asyncio, hashlib, os, sys, uvloop
from pathlib import Path
from vexobj_processing import Format, Transform
from vexobj_server.media.client import MediaClient

async def main():
    client = MediaClient(Path(sys.argv[1]))
    fd = os.open(sys.argv[2], os.O_RDONLY)
    async def one():
        rendering = await client.render("same", fd, Transform(100, 80, format=Format.WEBP), ())
        return hashlib.sha256(rendering.file.read()).hexdigest()
    print(*set(await asyncio.gather(*(one() for _ in range(25)))))
    await client.close()

uvloop.run(main())
"""


async def crowds(handle: BrokerHandle, path: Path) -> list[asyncio.subprocess.Process]:
    command = (sys.executable, "-c", CROWD, str(handle.socket_path), str(path))
    return [
        await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE) for _ in range(2)
    ]


async def test_two_workers_of_25_clients_cause_one_computation(
    directory: Path, tmp_path: Path, source: int
) -> None:
    cache = {"cache_dir": directory / "cache", "cache_bytes": 10**7}
    async with running(directory, workers=2, **cache) as (handle, client):
        crowd = await crowds(handle, tmp_path / "source")
        answers = {(await process.communicate())[0] for process in crowd}
        assert (await client.stats()).computations == 1
        assert answers == {(await digest(client, "other", source)).encode() + b"\n"}


async def test_one_computation_without_a_cache_too(
    directory: Path, tmp_path: Path, source: int
) -> None:
    async with running(directory, workers=1) as (handle, client):
        # Only what is under way can be shared: hold it until all have come.
        child = await stuck_child(handle, client, source)
        crowd = await crowds(handle, tmp_path / "source")
        await until_stats(client, joined=49)
        os.kill(child, signal.SIGCONT)
        assert len({(await process.communicate())[0] for process in crowd}) == 1
        assert (await client.stats()).computations == 2


async def test_a_cancelled_first_caller_does_not_fail_the_rest(
    directory: Path, source: int
) -> None:
    async with running(directory) as (handle, client):
        child = await stuck_child(handle, client, source)
        first = asyncio.create_task(digest(client, "key", source))
        await until_stats(client, running=1)
        second = asyncio.create_task(digest(client, "key", source))
        await until_stats(client, joined=1)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        os.kill(child, signal.SIGCONT)
        assert await second == await digest(client, "again", source)
        assert (await client.stats()).computations == 3


async def test_what_nobody_waits_for_any_more_is_not_begun(directory: Path, source: int) -> None:
    async with running(directory) as (handle, client):
        child = await stuck_child(handle, client, source)
        running_job = asyncio.create_task(digest(client, "running", source))
        await until_stats(client, running=1)
        queued = asyncio.create_task(digest(client, "queued", source))
        await until_stats(client, queue_length=1)
        queued.cancel()
        await until_stats(client, queue_length=0)
        os.kill(child, signal.SIGCONT)
        await running_job
        assert (await client.stats()).computations == 2


async def test_a_running_job_is_finished_for_the_cache(directory: Path, source: int) -> None:
    cache = {"cache_dir": directory / "cache", "cache_bytes": 10**7}
    async with running(directory, **cache) as (handle, client):
        child = await stuck_child(handle, client, source)
        only = asyncio.create_task(digest(client, "key", source))
        await until_stats(client, running=1)
        only.cancel()
        os.kill(child, signal.SIGCONT)
        await until_stats(client, running=0, cache_entries=2)
        assert (await client.render("key", source, ASKED, JPEG)).cached


async def test_a_child_killed_in_mid_job_is_replaced_once(directory: Path, source: int) -> None:
    async with running(directory) as (handle, client):
        child = await stuck_child(handle, client, source)
        job = asyncio.create_task(digest(client, "key", source))
        await until_stats(client, running=1)
        os.kill(child, signal.SIGKILL)
        await job
        assert (await client.stats()).failures == 0


async def test_a_job_that_kills_its_children_fails_alone(directory: Path, source: int) -> None:
    async with running(directory) as (handle, client):
        child = await stuck_child(handle, client, source)
        job = asyncio.create_task(digest(client, "key", source))
        await until_stats(client, running=1)
        os.kill(child, signal.SIGKILL)
        await until(lambda: children_of(handle.pid) not in ([], [child]))
        os.kill(children_of(handle.pid)[0], signal.SIGKILL)
        with pytest.raises(JobCrashed):
            await job
        await digest(client, "other", source)
        stats = await client.stats()
        assert (stats.failures, stats.computations, stats.running) == (1, 3, 0)


async def test_a_killed_broker_is_replaced_and_takes_its_children_along(
    directory: Path, source: int
) -> None:
    async with running(directory) as (handle, client):
        child = await stuck_child(handle, client, source)
        job = asyncio.create_task(digest(client, "key", source))
        await until_stats(client, running=1)
        broker = handle.pid
        assert broker
        os.kill(broker, signal.SIGKILL)
        with pytest.raises(MediaUnavailable):
            await job
        await until(lambda: not alive(child))
        await until(lambda: handle.pid not in {broker, None})
        await digest(client, "key", source)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_signals_for_the_whole_group_do_not_end_it(
    directory: Path, source: int, number: signal.Signals
) -> None:
    """Not even one that comes before it could ask to ignore them."""
    config = BrokerConfig(socket_path=directory / "m.sock", workers=1)
    handle = await asyncio.to_thread(start_broker, config)
    assert handle.pid
    os.kill(handle.pid, number)
    client = MediaClient(config.socket_path)
    await digest(client, "one", source)
    (child,) = children_of(handle.pid)
    before = handle.pid
    os.kill(handle.pid, number)
    os.kill(child, number)
    await digest(client, "two", source)
    assert (handle.pid, children_of(handle.pid)) == (before, [child])
    await client.close()
    await asyncio.to_thread(handle.stop)
    assert not alive(before)
    assert not alive(child)


async def test_a_job_out_of_time_is_killed_and_remembered(directory: Path, source: int) -> None:
    async with running(directory, job_seconds=1.0) as (handle, client):
        child = await stuck_child(handle, client, source)
        for _ in range(2):
            with pytest.raises(JobTimeout):
                await digest(client, "key", source)
        assert not alive(child)
        stats = await client.stats()
        assert (stats.timeouts, stats.computations) == (1, 2)
        await digest(client, "other", source)


async def test_a_full_queue_says_so(directory: Path, source: int) -> None:
    async with running(directory, queue_size=2) as (handle, client):
        child = await stuck_child(handle, client, source)
        jobs = [asyncio.create_task(digest(client, f"key {n}", source)) for n in range(3)]
        await until_stats(client, running=1, queue_length=2)
        with pytest.raises(MediaBusy) as caught:
            await digest(client, "one too many", source)
        assert caught.value.retry_after_seconds > 0
        joined = asyncio.create_task(digest(client, "key 2", source))
        os.kill(child, signal.SIGCONT)
        assert len({*await asyncio.gather(*jobs), await joined}) == 1
        assert (await client.stats()).rejections == 1


async def test_a_client_gives_up_at_its_deadline(directory: Path, source: int) -> None:
    async with running(directory) as (handle, client):
        child = await stuck_child(handle, client, source)
        hasty = MediaClient(handle.socket_path, deadline_seconds=0.05, max_in_flight=1)
        asking = asyncio.create_task(digest(hasty, "key", source))
        await asyncio.sleep(0)
        with pytest.raises(MediaDeadline):
            await asking
        os.kill(child, signal.SIGCONT)
        await hasty.close()


def test_a_worker_waits_longer_than_a_rendering_may_take() -> None:
    patient = load_settings({"VEXOBJ_IMAGES_TIMEOUT": "2m"}).settings
    assert answer_seconds(patient) > 120


async def test_a_client_bounds_what_it_has_in_flight(directory: Path, source: int) -> None:
    async with running(directory) as (handle, client):
        await stuck_child(handle, client, source)
        narrow = MediaClient(handle.socket_path, max_in_flight=1)
        asking = asyncio.create_task(digest(narrow, "key", source))
        await until_stats(client, running=1)
        with pytest.raises(MediaBusy):
            await digest(narrow, "other", source)
        asking.cancel()
        await narrow.close()


async def test_bombs_and_broken_files_are_conditions(directory: Path, tmp_path: Path) -> None:
    flat = encoded(Image.new("RGB", (3000, 3000)), "WEBP", lossless=True, method=0)
    limits = Limits(max_memory_bytes=64 * 1024**2)
    async with running(directory, limits=limits) as (_, client):
        for number, (data, condition) in enumerate(
            (
                (flat, LimitExceeded),
                (encoded(photo(), "PNG")[:9999], ImageUnreadable),
                (b"<svg/>", UnsupportedImage),
            )
        ):
            path = tmp_path / "bad"
            path.write_bytes(data)
            fd = os.open(path, os.O_RDONLY)
            for _ in range(2):
                with pytest.raises(condition):
                    await digest(client, f"key {number}", fd)
            os.close(fd)
        assert (await client.stats()).computations == 3


async def test_no_descriptor_is_left_behind(directory: Path, source: int, tmp_path: Path) -> None:
    cache = {"cache_dir": directory / "cache", "cache_bytes": 10**7}
    junk = tmp_path / "junk"
    junk.write_bytes(b"junk")
    junk_fd = os.open(junk, os.O_RDONLY)
    async with running(directory, workers=2, **cache) as (handle, client):

        async def some(start: int) -> None:
            for number in range(start, start + 20):
                await asyncio.gather(*(digest(client, f"key {number}", source) for _ in range(3)))
                with pytest.raises(UnsupportedImage):
                    await digest(client, f"junk {number}", junk_fd)
                leaving = asyncio.create_task(digest(client, f"left {number}", source))
                await asyncio.sleep(0)
                leaving.cancel()
            await until_stats(client, running=0, queue_length=0)

        def counts() -> int:
            return open_files("self") + open_files(handle.pid)

        await some(0)
        before = counts()
        await some(100)
        # Answers that nobody waits for may still be on their way.
        await until(lambda: counts() <= before + 5)
    os.close(junk_fd)


async def test_the_disk_cache_outlives_the_broker(directory: Path, source: int) -> None:
    cache = {"cache_dir": directory / "cache", "cache_bytes": 10**7}
    async with running(directory, **cache) as (_, client):
        first = await digest(client, "key", source)
    async with running(directory, **cache) as (_, client):
        rendering = await client.render("key", source, ASKED, JPEG)
        assert rendering.cached
        assert hashlib.sha256(rendering.file.read()).hexdigest() == first
        assert (await client.stats()).computations == 0


async def test_secrets_of_the_environment_do_not_reach_decoders(
    directory: Path, source: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VEXOBJ_SSE_MASTER_KEY", "secret")
    async with running(directory) as (handle, client):
        await digest(client, "key", source)
        for pid in (handle.pid, *children_of(handle.pid)):
            assert b"secret" not in environment_of(pid)


async def test_the_socket_is_private_and_goes_away(directory: Path, source: int) -> None:
    async with running(directory) as (handle, client):
        assert stat.S_IMODE(handle.socket_path.stat().st_mode) == 0o600
        await digest(client, "key", source)
        family = [handle.pid or 0, *children_of(handle.pid)]
        assert len(family) == 2
    assert not any(map(alive, family))
    assert not handle.socket_path.exists()
    with pytest.raises(MediaUnavailable):
        await MediaClient(handle.socket_path).stats()


PARENT = """
import sys, time
from pathlib import Path
from vexobj_server.media.config import BrokerConfig, answer_seconds
from vexobj_server.media.supervisor import start_broker

handle = start_broker(BrokerConfig(socket_path=Path(sys.argv[1]), workers=1))
print(handle.pid, flush=True)
time.sleep(600)
"""


async def test_nothing_outlives_a_killed_parent(directory: Path, source: int) -> None:
    path = directory / "m.sock"
    parent = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PARENT, str(path)), stdout=subprocess.PIPE
    )
    assert parent.stdout
    broker = int(await parent.stdout.readline())
    client = MediaClient(path)
    await digest(client, "key", source)
    family = [broker, *children_of(broker)]
    parent.kill()
    await parent.wait()
    await until(lambda: not any(map(alive, family)))
    await client.close()
