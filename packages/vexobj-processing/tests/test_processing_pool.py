"""Child processes: the same pictures, and what happens when one misbehaves."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from vexobj_processing import (
    Format,
    ImagePool,
    ImageUnreadable,
    JobCrashed,
    JobTimeout,
    LimitExceeded,
    Limits,
    Rendered,
    Transform,
    UnsupportedImage,
    transform,
)
from vexobj_processing.budget import Budget
from vexobj_processing.testing import encoded, photo

ASKED = Transform(100, 80, format=Format.WEBP)


@asynccontextmanager
async def pool(size: int = 1, **options: Any) -> AsyncIterator[ImagePool]:
    made = ImagePool(size, **options)
    try:
        yield made
    finally:
        await made.close()


@contextmanager
def opened(data: bytes, path: Path) -> Iterator[int]:
    path.write_bytes(data)
    fd = os.open(path, os.O_RDONLY)
    try:
        yield fd
    finally:
        os.close(fd)


@pytest.fixture
def source(tmp_path: Path) -> Iterator[int]:
    with opened(encoded(photo(), "JPEG"), tmp_path / "source") as fd:
        yield fd


def taken(rendered: Rendered) -> bytes:
    data = rendered.read()
    os.close(rendered.fd)
    return data


def open_files(pid: int | str) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def alive(pid: int) -> bool:
    return Path(f"/proc/{pid}/exe").exists()


async def test_a_child_renders_what_this_process_would(source: int) -> None:
    async with pool() as children:
        rendered = await children.transform(source, ASKED)
    expected = transform(encoded(photo(), "JPEG"), ASKED)
    assert (rendered.content_type, rendered.width, rendered.height) == ("image/webp", 100, 80)
    assert taken(rendered) == expected.data


async def test_one_descriptor_may_be_read_by_many(source: int) -> None:
    async with pool(3) as children:
        jobs = await asyncio.gather(*(children.transform(source, ASKED) for _ in range(12)))
        assert len({taken(job) for job in jobs}) == 1


async def test_conditions_come_through_and_cost_no_child(source: int, tmp_path: Path) -> None:
    async with pool(limits=Limits(max_source_pixels=300_000)) as children:
        for name, data, condition in (
            ("a", b"<svg/>", UnsupportedImage),
            ("b", encoded(photo(), "PNG")[:9999], ImageUnreadable),
            ("c", encoded(Image.new("L", (1000, 1000)), "PNG"), LimitExceeded),
        ):
            with opened(data, tmp_path / name) as fd, pytest.raises(condition):
                await children.transform(fd, ASKED)
        taken(await children.transform(source, ASKED))
        assert children.children_started == 1


async def test_children_are_replaced_after_their_jobs(source: int) -> None:
    async with pool(jobs_per_child=2) as children:
        seen = set()
        for _ in range(5):
            taken(await children.transform(source, ASKED))
            seen.update(children.pids())
        assert children.children_started == 3
    assert not any(map(alive, seen))


async def test_a_killed_child_fails_its_job_alone(source: int) -> None:
    async with pool(2) as children:
        victim = await _stuck_child(children, source)
        job = asyncio.create_task(children.transform(source, ASKED))
        await _taken_up(children)
        other = await children.transform(source, ASKED)
        os.kill(victim, signal.SIGKILL)
        with pytest.raises(JobCrashed):
            await job
        assert taken(other) == taken(await children.transform(source, ASKED))


async def test_a_job_that_hangs_is_killed(source: int) -> None:
    async with pool(job_seconds=1) as children:
        victim = await _stuck_child(children, source)
        with pytest.raises(JobTimeout):
            await children.transform(source, ASKED)
        assert not alive(victim)
        taken(await children.transform(source, ASKED))


async def test_cancelling_kills_the_child_at_work(source: int) -> None:
    async with pool() as children:
        victim = await _stuck_child(children, source)
        job = asyncio.create_task(children.transform(source, ASKED))
        await _taken_up(children)
        job.cancel()
        with pytest.raises(asyncio.CancelledError):
            await job
        assert not alive(victim)
        taken(await children.transform(source, ASKED))


async def test_memory_beyond_the_limit_is_refused_by_the_kernel(
    tmp_path: Path, source: int
) -> None:
    flat = encoded(Image.new("RGB", (6000, 6000)), "WEBP", lossless=True, method=0)
    async with pool(child_memory_bytes=64 * 1024**2) as children:
        refused = pytest.raises((LimitExceeded, ImageUnreadable, JobCrashed))
        with opened(flat, tmp_path / "flat") as fd, refused:
            await children.transform(fd, ASKED)
        taken(await children.transform(source, ASKED))


async def test_jobs_share_one_memory_budget(tmp_path: Path) -> None:
    flat = encoded(Image.new("RGB", (1500, 1500)), "PNG")
    async with pool(3, memory_bytes=30 * 1024**2) as children:
        with opened(flat, tmp_path / "flat") as fd:
            jobs = await asyncio.gather(
                *(children.transform(os.dup(fd), ASKED) for _ in range(6)),
            )
        assert len({taken(job) for job in jobs}) == 1
        assert children._budget._free == 30 * 1024**2
    async with pool(memory_bytes=8 * 1024**2) as children:
        with opened(flat, tmp_path / "flat") as fd, pytest.raises(LimitExceeded):
            await children.transform(fd, ASKED)


async def test_no_descriptor_is_left_behind(source: int, tmp_path: Path) -> None:
    async with pool(2) as children:
        taken(await children.transform(source, ASKED))
        before = open_files("self")
        for number in range(60):
            taken(await children.transform(source, ASKED))
            if number % 10 == 0:
                with opened(b"junk", tmp_path / "junk") as fd, pytest.raises(UnsupportedImage):
                    await children.transform(fd, ASKED)
        assert open_files("self") == before
        child = children.pids()[0]
        assert open_files(child) < 8


async def _stuck_child(children: ImagePool, source: int) -> int:
    """The pid of an idle child that will be given the next job and never get on with it."""
    taken(await children.transform(source, ASKED))
    (pid,) = children.pids()
    os.kill(pid, signal.SIGSTOP)
    return pid


async def _taken_up(children: ImagePool) -> None:
    while not any(child._mid_job for child in children._busy):  # noqa: ASYNC110 - a white box
        await asyncio.sleep(0)


async def test_who_leaves_as_memory_becomes_free_takes_none_of_it() -> None:
    budget, ended = Budget(10), asyncio.Event()

    async def hold(until: asyncio.Event) -> None:
        async with budget.reserved(10):
            await until.wait()

    first = asyncio.create_task(hold(ended))
    await asyncio.sleep(0)
    leaver = asyncio.create_task(hold(ended))
    await asyncio.sleep(0)
    ended.set()
    leaver.cancel()
    await first
    with pytest.raises(asyncio.CancelledError):
        await leaver
    await asyncio.wait_for(hold(ended), 60)
