"""What is particular to the SQLite engine: group commit, full disks, several processes."""

import asyncio
import contextlib
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import bindparam, delete, select
from sqlmodel import col

from vexobj_storage.errors import NoSuchKey, OutOfSpace, StoreBusy, StoreClosed, StoreError
from vexobj_storage.metadata import connections
from vexobj_storage.metadata.connections import SqliteFiles, has_wal_reset_bug
from vexobj_storage.metadata.engine import open_metadata
from vexobj_storage.metadata.epoch import EPOCH, EpochFile, stamp_of
from vexobj_storage.metadata.sqlite import SqliteConfig, SqliteMetaStore
from vexobj_storage.metadata.statement import Statement, insert_for
from vexobj_storage.metadata.tables import Facts
from vexobj_storage.metadata.tx import Tx
from vexobj_storage.metadata.writer import WriterLimits

PUT = Statement(lambda dialect: insert_for(dialect, Facts))
NAMES = Statement(lambda _: select(col(Facts.name)).order_by(col(Facts.name)))
DELETE = Statement(lambda _: delete(Facts).where(col(Facts.name) == bindparam("key")))

PATIENT = WriterLimits(batch_seconds=60.0)


async def put(tx: Tx, name: str, size: int = 0) -> None:
    await tx.run(PUT, name=name, value="v" * size)


async def names(tx: Tx) -> list[str]:
    return [row[0] for row in await tx.all(NAMES)]


async def remove(tx: Tx, name: str) -> int:
    return await tx.run(DELETE, key=name)


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Callable[[WriterLimits], SqliteMetaStore]]:
    """Opens engines on one directory, and closes them."""
    await (await open_metadata(tmp_path)).close()
    engines = []

    def make(limits: WriterLimits) -> SqliteMetaStore:
        engines.append(SqliteMetaStore(tmp_path, SqliteConfig(limits=limits)))
        return engines[-1]

    yield make
    for engine in engines:
        await engine.close()


class Gate:
    """An operation that holds the writer until it is opened: what comes meanwhile is one batch."""

    def __init__(self) -> None:
        self._entered, self._open = threading.Event(), threading.Event()

    async def operation(self, _: Tx) -> None:
        self._entered.set()
        assert self._open.wait(20)

    async def entered(self) -> None:
        await asyncio.to_thread(self._entered.wait, 20)

    def open(self) -> None:
        self._open.set()


def committed(directory: Path) -> set[str]:
    with contextlib.closing(connections.connect(SqliteFiles(directory), read_only=True)) as fresh:
        return {row[0] for row in fresh.execute("SELECT name FROM facts")}


def run_python(code: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)],
        stdout=subprocess.PIPE,
        text=True,
    )


async def test_an_operation_that_suspends_is_rolled_back(
    opened: Callable[[WriterLimits], SqliteMetaStore],
) -> None:
    async def sleeper(tx: Tx) -> None:
        await put(tx, "a")
        await asyncio.sleep(0)

    async def suspending_read(tx: Tx) -> None:
        await names(tx)
        await asyncio.sleep(0)

    engine = opened(WriterLimits())
    outcomes = await asyncio.gather(
        engine.write(sleeper), engine.write(put, "b"), return_exceptions=True
    )
    assert isinstance(outcomes[0], RuntimeError)
    assert "sleeper" in str(outcomes[0])
    assert await engine.read(names) == ["b"]
    with pytest.raises(RuntimeError, match="suspending_read"):
        await engine.read(suspending_read)
    assert await engine.read(names) == ["b"]


async def test_a_result_arrives_only_after_its_commit(
    opened: Callable[[WriterLimits], SqliteMetaStore], tmp_path: Path
) -> None:
    engine = opened(WriterLimits())

    async def check(i: int) -> None:
        await engine.write(put, f"{i:03}")
        assert f"{i:03}" in committed(tmp_path)

    await asyncio.gather(*(check(i) for i in range(50)))


async def test_nothing_of_a_batch_is_visible_or_answered_before_its_commit(
    opened: Callable[[WriterLimits], SqliteMetaStore], tmp_path: Path
) -> None:
    engine, gate = opened(PATIENT), Gate()
    first = asyncio.create_task(engine.write(put, "first"))
    await first
    held = asyncio.gather(engine.write(put, "before"), engine.write(gate.operation))
    await gate.entered()
    assert not held.done()
    assert committed(tmp_path) == {"first"}
    gate.open()
    await held
    assert committed(tmp_path) == {"first", "before"}


@pytest.mark.parametrize("changing", [False, True])
async def test_what_fails_takes_nothing_of_its_batch_with_it(
    opened: Callable[[WriterLimits], SqliteMetaStore], changing: bool
) -> None:
    """The batch is run again only if the operation that failed had changed something."""
    engine, gate, runs = opened(PATIENT), Gate(), []

    async def counted(tx: Tx, name: str) -> None:
        runs.append(name)
        await put(tx, name)

    async def failing(tx: Tx) -> None:
        if changing:
            await put(tx, "half")
        raise NoSuchKey("bucket", "key")

    held = asyncio.create_task(engine.write(gate.operation))
    await gate.entered()
    operations = [engine.write(counted, "a"), engine.write(failing), engine.write(counted, "b")]
    writes = asyncio.gather(*operations, return_exceptions=True)
    await asyncio.sleep(0)
    gate.open()
    outcomes = await writes
    await held
    assert [type(outcome) for outcome in outcomes] == [type(None), NoSuchKey, type(None)]
    assert await engine.read(names) == ["a", "b"]
    assert runs == (["a", "a", "b"] if changing else ["a", "b"])


@pytest.mark.parametrize("position", [0, 3, 6])
async def test_a_full_disk_costs_only_the_operation_that_does_not_fit(
    opened: Callable[[WriterLimits], SqliteMetaStore], position: int
) -> None:
    """SQLite rolls the whole transaction back: the others of the batch are run again.

    What does not fit is tried once more, when all that can be done for room has been.
    """
    engine, gate, runs = opened(PATIENT), Gate(), []
    connection = engine._writer._connection
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count={pages + 100}")

    async def counted(tx: Tx, name: str, size: int) -> None:
        runs.append(name)
        await put(tx, name, size)

    async def refused(tx: Tx) -> None:
        await put(tx, "refused")
        raise NoSuchKey("bucket", "key")

    sizes = [100] * 7
    sizes[position] = 10_000_000
    held = asyncio.create_task(engine.write(gate.operation))
    await gate.entered()
    writes = [asyncio.create_task(engine.write(counted, str(i), n)) for i, n in enumerate(sizes)]
    writes.append(asyncio.create_task(engine.write(refused)))
    await asyncio.sleep(0)
    gate.open()
    outcomes = await asyncio.gather(*writes, return_exceptions=True)
    await held
    assert [type(outcome) for outcome in outcomes[:7]] == [
        OutOfSpace if i == position else type(None) for i in range(7)
    ]
    assert isinstance(outcomes[7], NoSuchKey)
    assert await engine.read(names) == [str(i) for i in range(7) if i != position]
    assert runs.count("0") == (3 if position == 0 else 2)
    assert await engine.write(remove, "5") == 1


def test_a_real_file_size_limit_leaves_the_store_consistent(tmp_path: Path) -> None:
    """Writes beyond the limit are refused; when the limit is gone, everything works again."""
    process = run_python(
        """
        import asyncio, pathlib, resource, sys
        from vexobj_storage.errors import StoreError
        from vexobj_storage.metadata.engine import open_metadata
        from vexobj_storage.metadata.statement import Statement, insert_for
        from vexobj_storage.metadata.tables import Facts
        PUT = Statement(lambda dialect: insert_for(dialect, Facts))

        async def put(tx, name):
            await tx.run(PUT, name=name, value="v" * 50_000)

        async def main():
            metadata = await open_metadata(pathlib.Path(sys.argv[1]))
            hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
            resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, hard))
            writes = [metadata.write(put, f"limited-{i}") for i in range(100)]
            for i, outcome in enumerate(await asyncio.gather(*writes, return_exceptions=True)):
                assert outcome is None or isinstance(outcome, StoreError), outcome
                print("limited-%d" % i, outcome is None)
            resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
            await metadata.write(put, "after")
            print("after", True)

        asyncio.run(main())
        """,
        tmp_path,
    )
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    answers = dict(line.split() for line in output.splitlines())
    assert set(answers.values()) == {"True", "False"}
    assert committed(tmp_path) == {name for name, kept in answers.items() if kept == "True"}
    with contextlib.closing(connections.connect(SqliteFiles(tmp_path))) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


WRITER = """
    import asyncio, pathlib, sys, time
    from vexobj_storage.metadata.engine import open_metadata
    from vexobj_storage.metadata.statement import Statement, insert_for
    from vexobj_storage.metadata.tables import Facts
    PUT = Statement(lambda dialect: insert_for(dialect, Facts))

    async def put(tx, name):
        await tx.run(PUT, name=name, value="")
        tx.bump_epoch()

    async def main(directory, prefix, seconds):
        metadata = await open_metadata(pathlib.Path(directory))
        print("ready", flush=True)
        end, numbers = time.monotonic() + float(seconds), iter(range(10**9))

        async def client():
            while time.monotonic() < end:
                name = f"{prefix}-{next(numbers)}"
                await metadata.write(put, name)
                print(name, flush=True)

        await asyncio.gather(*(client() for _ in range(8)))
        await metadata.close()

    asyncio.run(main(*sys.argv[1:]))
"""


def test_two_processes_share_the_writing_fairly(tmp_path: Path) -> None:
    processes = [run_python(WRITER, tmp_path, prefix, 1.5) for prefix in "ab"]
    acknowledged = [
        set(process.communicate(timeout=60)[0].split()) - {"ready"} for process in processes
    ]
    counts = sorted(map(len, acknowledged))
    assert acknowledged[0] | acknowledged[1] == committed(tmp_path)
    assert counts[0] > counts[1] / 5


async def test_a_killed_process_loses_nothing_acknowledged_and_blocks_nobody(
    tmp_path: Path,
) -> None:
    process = run_python(WRITER, tmp_path, "killed", 60)
    assert process.stdout is not None
    acknowledged = {process.stdout.readline().strip() for _ in range(200)} - {"ready"}
    process.send_signal(signal.SIGKILL)
    rest, _ = await asyncio.to_thread(process.communicate)
    acknowledged |= set(rest[: rest.rfind("\n") + 1].split())
    metadata = await open_metadata(tmp_path)
    await metadata.write(put, "after")
    assert acknowledged | {"after"} <= set(await metadata.read(names))
    assert await metadata.epoch() % 2 == 0
    await metadata.close()


async def test_the_epoch_is_seen_across_processes(tmp_path: Path) -> None:
    metadata = await open_metadata(tmp_path)
    before = await metadata.epoch()
    process = run_python(WRITER, tmp_path, "a", 0.2)
    output, _ = await asyncio.to_thread(process.communicate, timeout=60)
    assert len(output.split()) > 1
    assert await metadata.epoch() != before
    await metadata.close()


def test_an_epoch_left_half_changed_is_trusted_by_nobody_until_repaired(tmp_path: Path) -> None:
    dead, alive = EpochFile(tmp_path / "epoch"), EpochFile(tmp_path / "epoch")
    settled = alive.read()
    dead.begin((EPOCH,))
    seen = {alive.read() for _ in range(10)}
    assert len(seen) == 10
    assert settled not in seen
    alive.repair_epoch()
    assert alive.read() == dead.read() not in seen | {settled}
    for epoch in (dead, alive):
        epoch.close()


def test_a_stamp_left_half_changed_is_none_until_repaired(tmp_path: Path) -> None:
    dead, alive = EpochFile(tmp_path / "epoch"), EpochFile(tmp_path / "epoch")
    before, other = alive.stamp(1, b"key"), alive.stamp(1, b"other")
    dead.begin((stamp_of(1, b"key"),))
    assert alive.stamp(1, b"key") is None
    assert alive.stamp(1, b"other") == other
    alive.repair()
    assert alive.stamp(1, b"key") not in {None, before}
    for epoch in (dead, alive):
        epoch.close()


async def test_a_full_queue_is_busy(opened: Callable[[WriterLimits], SqliteMetaStore]) -> None:
    engine, gate = opened(WriterLimits(queued_operations=2)), Gate()
    held = asyncio.create_task(engine.write(gate.operation))
    await gate.entered()
    waiting = [asyncio.create_task(engine.write(put, name)) for name in "ab"]
    await asyncio.sleep(0)
    with pytest.raises(StoreBusy):
        await engine.write(put, "c")
    gate.open()
    await asyncio.gather(held, *waiting)
    await engine.write(put, "c")
    assert await engine.read(names) == ["a", "b", "c"]


async def test_a_database_locked_from_outside_is_busy(
    opened: Callable[[WriterLimits], SqliteMetaStore], tmp_path: Path
) -> None:
    engine = opened(WriterLimits())
    engine._writer._connection.execute("PRAGMA busy_timeout=20")
    outside = sqlite3.connect(SqliteFiles(tmp_path).database, isolation_level=None)
    outside.execute("BEGIN IMMEDIATE")
    outcomes = await asyncio.gather(
        *(engine.write(put, name) for name in "abc"), return_exceptions=True
    )
    assert {type(outcome) for outcome in outcomes} == {StoreBusy}
    outside.execute("ROLLBACK")
    outside.close()
    await engine.write(put, "d")
    assert await engine.read(names) == ["d"]


async def test_a_cancelled_caller_does_not_stop_what_was_taken_up(
    opened: Callable[[WriterLimits], SqliteMetaStore],
) -> None:
    engine, gate = opened(PATIENT), Gate()
    held = asyncio.create_task(engine.write(gate.operation))
    await gate.entered()
    leaving = asyncio.create_task(engine.write(put, "a"))
    await asyncio.sleep(0)
    leaving.cancel()
    gate.open()
    await held
    with pytest.raises(asyncio.CancelledError):
        await leaving
    await engine.write(put, "b")
    assert await engine.read(names) == ["a", "b"]


async def test_batches_end_at_their_limits(
    opened: Callable[[WriterLimits], SqliteMetaStore],
) -> None:
    engine, gate = opened(WriterLimits(batch_operations=4, batch_seconds=60.0)), Gate()
    commits: list[str] = []
    held = asyncio.create_task(engine.write(gate.operation))
    await gate.entered()
    writes = [asyncio.create_task(engine.write(put, f"{i:02}")) for i in range(11)]
    await asyncio.sleep(0)
    engine._writer._connection.set_trace_callback(
        lambda sql: commits.append(sql) if sql == "COMMIT" else None
    )
    gate.open()
    await asyncio.gather(held, *writes)
    assert len(commits) == 3


@pytest.mark.parametrize(("truncate_at", "shrinks"), [(10_000_000, False), (200_000, True)])
async def test_the_writer_checkpoints_by_itself(
    opened: Callable[[WriterLimits], SqliteMetaStore],
    tmp_path: Path,
    truncate_at: int,
    shrinks: bool,
) -> None:
    limits = WriterLimits(
        passive_rows=50, passive_wal_bytes=100_000, truncate_wal_bytes=truncate_at
    )
    engine, files = opened(limits), SqliteFiles(tmp_path)
    sizes = []
    for i in range(400):
        await engine.write(put, f"{i:03}", 4000)
        sizes.append(files.wal.stat().st_size)
    assert files.database.stat().st_size > 1_000_000
    assert max(sizes) < 2_000_000
    assert (sizes != sorted(sizes)) is shrinks


async def test_a_reader_that_stays_does_not_stop_the_writer(
    opened: Callable[[WriterLimits], SqliteMetaStore], tmp_path: Path
) -> None:
    engine = opened(WriterLimits(passive_rows=1, passive_wal_bytes=0, truncate_wal_bytes=0))
    reader = connections.connect(SqliteFiles(tmp_path), read_only=True)
    reader.execute("BEGIN")
    assert reader.execute("SELECT count(*) FROM facts").fetchone() == (0,)
    for i in range(20):
        await engine.write(put, f"{i:02}")
    assert reader.execute("SELECT count(*) FROM facts").fetchone() == (0,)
    reader.close()


def test_a_loop_that_is_gone_does_not_harm_the_writer(tmp_path: Path) -> None:
    gate = Gate()

    async def leave(engine: SqliteMetaStore) -> None:
        task = asyncio.create_task(engine.write(gate.operation))
        await gate.entered()
        task.cancel()

    async def stay(engine: SqliteMetaStore) -> Any:
        await engine.write(put, "a")
        found = await engine.read(names)
        await engine.close()
        return found

    asyncio.run(_migrated(tmp_path))
    engine = SqliteMetaStore(tmp_path)
    asyncio.run(leave(engine))
    gate.open()
    assert asyncio.run(stay(engine)) == ["a"]


async def _migrated(directory: Path) -> None:
    await (await open_metadata(directory)).close()


async def test_closing_commits_what_waits(
    opened: Callable[[WriterLimits], SqliteMetaStore], tmp_path: Path
) -> None:
    engine, gate = opened(WriterLimits()), Gate()
    held = asyncio.create_task(engine.write(gate.operation))
    await gate.entered()
    waiting = [asyncio.create_task(engine.write(put, f"{i:02}")) for i in range(20)]
    await asyncio.sleep(0)
    closing = asyncio.create_task(engine.close())
    await asyncio.sleep(0)
    with pytest.raises(StoreClosed):
        await engine.write(put, "late")
    gate.open()
    await asyncio.gather(held, closing, *waiting)
    assert committed(tmp_path) == {f"{i:02}" for i in range(20)}


@pytest.mark.parametrize(
    ("version", "affected"),
    [
        ((3, 40, 1), True),
        ((3, 44, 5), True),
        ((3, 44, 6), False),
        ((3, 45, 0), True),
        ((3, 50, 7), False),
        ((3, 51, 2), True),
        ((3, 51, 3), False),
        ((3, 54, 0), False),
    ],
)
def test_versions_with_the_wal_reset_bug(version: tuple[int, ...], affected: bool) -> None:
    assert has_wal_reset_bug(version) is affected


@pytest.mark.parametrize("content", [b"not a database" * 100])
async def test_a_file_that_is_no_database_is_refused(tmp_path: Path, content: bytes) -> None:
    SqliteFiles(tmp_path).database.write_bytes(content)
    with pytest.raises(StoreError):
        await open_metadata(tmp_path)
    assert SqliteFiles(tmp_path).database.read_bytes() == content
