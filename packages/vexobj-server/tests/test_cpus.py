"""Which processors the threads of a worker run on."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path

import httpx
import psutil
import pytest

from vexobj_server.cpus import HomeProcessor, processors
from vexobj_server.testing import running_server

pytestmark = pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity"), reason="this system has no processor affinity"
)


@pytest.fixture
def thread() -> Iterator[ThreadPoolExecutor]:
    """One thread of its own: what it is kept to does not outlive the test."""
    with ThreadPoolExecutor(1) as pool:
        yield pool


def allowed() -> set[int]:
    return os.sched_getaffinity(0)


def test_no_two_have_the_same_and_a_surplus_one_has_none(
    tmp_path: Path, thread: ThreadPoolExecutor
) -> None:
    def kept() -> list[set[int]]:
        found = []
        with ExitStack() as stack:
            for _ in range(len(processors()) + 1):
                home = stack.enter_context(closing(HomeProcessor(tmp_path)))
                home.keep()
                found.append(allowed())
                home.leave()
        return found

    everywhere = set(processors())
    *claimed, surplus = thread.submit(kept).result()
    assert sorted(claimed, key=min) == [{number} for number in sorted(everywhere)]
    assert surplus == everywhere


def test_threads_started_by_a_kept_one_are_kept_until_they_leave(
    tmp_path: Path, thread: ThreadPoolExecutor
) -> None:
    def seen(initializer: Callable[[], None] | None) -> set[int]:
        with ThreadPoolExecutor(1, initializer=initializer) as pool:
            return pool.submit(allowed).result()

    def started() -> tuple[set[int], set[int], set[int]]:
        with closing(HomeProcessor(tmp_path)) as home:
            home.keep()
            inherited, left = seen(None), seen(home.leave)
        return inherited, left, allowed()

    inherited, left, after = thread.submit(started).result()
    everywhere = set(processors())
    assert len(inherited) == 1
    assert left == after == everywhere


def test_what_is_given_back_can_be_claimed_again(
    tmp_path: Path, thread: ThreadPoolExecutor
) -> None:
    def kept() -> set[int]:
        with closing(HomeProcessor(tmp_path)) as home:
            home.keep()
            return allowed()

    assert thread.submit(kept).result() == thread.submit(kept).result()


def test_a_worker_keeps_its_loop_and_leaves_its_writers(tmp_path: Path) -> None:
    everywhere = len(processors())
    with running_server(tmp_path / "data", workers=2) as server:
        headers = {"authorization": f"Bearer {server.secret_access_key}"}
        with httpx.Client(base_url=server.url, headers=headers) as http:
            http.post("/v1/buckets", json={"name": "files"}).raise_for_status()
            for number in range(8):
                content = os.urandom(1_000_000)
                http.put(f"/v1/objects/files/{number}", content=content).raise_for_status()
        workers = psutil.Process(server.pid).children(recursive=True)
        threads = {
            worker.pid: {
                task.name: len(os.sched_getaffinity(int(task.name)))
                for task in Path(f"/proc/{worker.pid}/task").iterdir()
            }
            for worker in workers
        }
        kept = [pid for pid, counts in threads.items() if counts[str(pid)] == 1 or everywhere == 1]
        assert len(kept) >= min(2, everywhere)
        assert any(everywhere in threads[pid].values() for pid in kept)
        assert len(os.sched_getaffinity(server.pid)) == everywhere
