"""The SQLite writer: one thread that commits operations in groups. It does not read for others."""

import asyncio
import contextlib
import logging
import math
import os
import queue
import sqlite3
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

from vexobj_storage.errors import CommitUncertain, OutOfSpace, StoreBusy, StoreClosed, WriteFailed
from vexobj_storage.metadata.connections import (
    BUSY_TIMEOUT_SECONDS,
    SqliteFiles,
    condition,
    connect,
    open_lock,
    write_lock,
)
from vexobj_storage.metadata.epoch import EPOCH, EpochFile
from vexobj_storage.metadata.late_sync import LateSync, sync_file
from vexobj_storage.metadata.sqlite_tx import WriteTx, drive
from vexobj_storage.metadata.tx import LostRace, is_durable
from vexobj_storage.room import Room
from vexobj_storage.types import Durability

R = TypeVar("R")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class WriterLimits:
    """What ends a batch (the first limit reached), how much may wait, and when to checkpoint.

    When another process (a stopped one, say) has kept the write lock for `lock_seconds`, new
    operations are refused until it lets go; those that wait already go on waiting.

    The WAL's file does not shrink when its frames are reused, so its size alone cannot tell how
    much a checkpoint would do: rows written since the last one stand in for that.
    """

    batch_operations: int = 256
    batch_rows: int = 10_000
    batch_seconds: float = 0.01
    queued_operations: int = 10_000
    passive_wal_bytes: int = 4 * 1024 * 1024
    passive_rows: int = 2_000
    truncate_wal_bytes: int = 64 * 1024 * 1024
    lock_seconds: float = 10.0


@dataclass(frozen=True, slots=True)
class SyncPolicy:
    """A relaxed writer has a commit on disk `seconds` after it, by `sync`."""

    durability: Durability = Durability.STRICT
    seconds: float = 1.0
    sync: Callable[[Path], None] = sync_file


@dataclass(eq=False, slots=True)
class _Job:
    """One operation that waits for its commit, and then what came of it."""

    operation: Callable[..., Awaitable[Any]]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]
    result: Any = None
    error: BaseException | None = None


class _TransactionLost(Exception):
    """SQLite rolled the whole transaction back; `__cause__` says why."""


class _HalfDone(Exception):
    """An operation changed rows and then failed, with nothing to undo it alone."""


class SqliteWriter:
    """Takes operations from any loop; resolves each only after the commit that holds it.

    A batch is whatever waits, within the limits. An operation that fails takes nothing with it:
    one that had changed nothing yet leaves nothing to undo, and after any other the batch is run
    again with a savepoint for each. When SQLite drops the whole transaction, the operations of
    the batch are run again one by one.
    """

    def __init__(
        self,
        files: SqliteFiles,
        epoch: EpochFile,
        *,
        cache_bytes: int,
        limits: WriterLimits | None = None,
        policy: SyncPolicy | None = None,
    ) -> None:
        self._files, self._epoch, self._limits = files, epoch, limits or WriterLimits()
        policy = policy or SyncPolicy()
        self._is_relaxed = policy.durability is Durability.RELAXED
        self._late = LateSync(files.wal, policy.seconds, policy.sync)
        self._queue: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._closing = self._finished = False
        self._waits_since = math.inf
        self._rows_at_checkpoint = 0
        self._room = Room(files.directory)
        self._lock = open_lock(files)
        try:
            with write_lock(self._lock):
                self._connection = connect(
                    files, cache_bytes=cache_bytes, durability=policy.durability
                )
                epoch.repair()
        except BaseException:
            os.close(self._lock)
            raise
        self._thread = threading.Thread(target=self._run, name="metadata-writer", daemon=True)
        self._thread.start()

    async def submit(
        self, operation: Callable[..., Awaitable[R]], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> R:
        """The operation's result, once it is as durable as the policy, or it itself, wants it.

        Cancelling the caller does not stop an operation: it is committed whole or not at all.

        Raises: OutOfSpace, StoreBusy, StoreClosed, WriteFailed, CommitUncertain, or what the
        operation raises.
        """
        if self._closing:
            raise StoreClosed
        if self._queue.qsize() >= self._limits.queued_operations or self._is_kept_waiting():
            raise StoreBusy
        loop = asyncio.get_running_loop()
        job = _Job(operation, args, kwargs, loop, loop.create_future())
        self._queue.put(job)
        if self._finished:
            self._refuse_queued()
        return cast("R", await job.future)

    def close(self) -> None:
        """Commit what was accepted, refuse what comes now, and wait for the end."""
        if not self._closing:
            self._closing = True
            self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (job := self._next()) is not None:
            jobs = [job]
            try:
                self._waits_since = time.monotonic()
                with write_lock(self._lock):
                    self._waits_since = math.inf
                    self._settle(jobs)
                    _resolve(jobs)
                    jobs = []  # answered: what fails from here on is not theirs
                    self._checkpoint_if_due()
            except Exception as error:  # noqa: BLE001 - the thread has to outlive it
                _log.exception("the metadata writer could not finish its turn")
                self._waits_since = math.inf
                _fail(jobs, WriteFailed(str(error)))
            del job, jobs
        self._finished = True
        self._refuse_queued()
        if self._late.remaining_seconds is not None:
            self._sync_late()
        with write_lock(self._lock):
            self._connection.close()
        os.close(self._lock)

    def _next(self) -> _Job | None:
        """What comes next; meanwhile what was committed is synced when it is time."""
        while True:
            remaining = self._late.remaining_seconds
            if remaining == 0:
                self._sync_late()
                continue
            with contextlib.suppress(queue.Empty):
                return self._queue.get(timeout=remaining)

    def _sync_late(self) -> None:
        try:
            self._late.settle()
        except OSError:
            _log.exception("what was committed lately is not on disk")

    def _settle(self, jobs: list[_Job]) -> None:
        """Bring the batch that begins with `jobs`, to which it adds, to results or errors."""
        self._run_batch(jobs)
        refused = [job for job in jobs if isinstance(job.error, OutOfSpace)]
        if refused:
            # What is checkpointed need not stand in the log, which begins anew in its own space.
            self._checkpoint("PASSIVE")
            self._room.release()
            for job in refused:
                self._run_alone(job)

    def _run_batch(self, jobs: list[_Job]) -> None:
        try:
            try:
                self._commit(jobs, growing=True)
            except _HalfDone:
                self._commit(jobs, isolated=True)
        except _TransactionLost:
            for job in jobs:
                self._run_alone(job)
        except Exception as error:  # noqa: BLE001 - it belongs to the jobs' callers
            for job in jobs:
                job.error = _meaning(error)

    def _run_alone(self, job: _Job) -> None:
        try:
            self._commit([job], isolated=True)
        except Exception as error:  # noqa: BLE001 - it belongs to the job's caller
            job.error = _meaning(error)

    def _commit(self, jobs: list[_Job], *, growing: bool = False, isolated: bool = False) -> None:
        """One transaction for `jobs` and, if `growing`, for as many more as the limits allow.

        Raises: _HalfDone when the jobs have to be run again `isolated`, _TransactionLost when
        each on its own; any other error is that of all of them.
        """
        attempt = self._attempt_isolated if isolated else self._attempt
        try:
            self._begin(jobs, growing=growing)
            stamps: set[int] = set()
            for job in jobs:
                stamps |= attempt(job)
            began, rows = time.perf_counter(), self._connection.total_changes
            while growing and self._has_room(jobs, began, rows) and (more := self._waiting()):
                jobs.append(more)
                stamps |= attempt(more)
            self._finish(stamps)
            if self._is_relaxed:
                self._late.owe()
                if EPOCH in stamps or any(is_durable(job.operation) for job in jobs):
                    self._sync_now()
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def _begin(self, jobs: list[_Job], *, growing: bool) -> None:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
        except sqlite3.Error:
            # Somebody outside holds the database: let nobody wait for the same timeout again.
            while growing and (job := self._waiting()):
                jobs.append(job)
            raise
        self._epoch.repair_epoch()

    def _attempt(self, job: _Job) -> set[int]:
        """Run one operation; the stamps that it outdates."""
        job.result = job.error = None
        tx, changes = WriteTx(self._connection), self._connection.total_changes
        try:
            job.result = drive(job.operation(tx, *job.args, **job.kwargs))
            if tx.failure is not None:
                raise tx.failure  # noqa: TRY301 - the operation swallowed it
        except BaseException as error:
            job.result, job.error = None, _meaning(tx.failure or error)
            if not self._connection.in_transaction:
                raise _TransactionLost from tx.failure
            if self._connection.total_changes != changes:
                raise _HalfDone from error
            return set()
        return tx.stamps

    def _attempt_isolated(self, job: _Job) -> set[int]:
        """As `_attempt`, undoing what an operation that fails had done."""
        self._connection.execute("SAVEPOINT operation")
        try:
            stamps = self._attempt(job)
        except _HalfDone:
            self._connection.execute("ROLLBACK TO operation")
            stamps = set()
        self._connection.execute("RELEASE operation")
        return stamps

    def _finish(self, stamps: set[int]) -> None:
        self._epoch.begin(stamps)
        try:
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            if isinstance(_meaning(error), WriteFailed):
                # Undone here, but recovery after a crash may find it whole in the log.
                raise CommitUncertain from error
            raise _TransactionLost from error
        finally:
            self._epoch.end(stamps)

    def _sync_now(self) -> None:
        try:
            self._late.settle()
        except OSError as error:
            raise CommitUncertain from error

    def _has_room(self, jobs: list[_Job], began: float, rows: int) -> bool:
        limits = self._limits
        return (
            len(jobs) < limits.batch_operations
            and self._connection.total_changes - rows < limits.batch_rows
            and time.perf_counter() - began < limits.batch_seconds
        )

    def _waiting(self) -> _Job | None:
        try:
            job = self._queue.get_nowait()
        except queue.Empty:
            return None
        if job is None:
            self._queue.put(None)
        return job

    def _is_kept_waiting(self) -> bool:
        return time.monotonic() - self._waits_since > self._limits.lock_seconds

    def _refuse_queued(self) -> None:
        refused = []
        with contextlib.suppress(queue.Empty):  # two threads may be at it, none may wait
            while True:
                if (job := self._queue.get_nowait()) is not None:
                    refused.append(job)
        _fail(refused, StoreClosed())

    def _checkpoint_if_due(self) -> None:
        limits = self._limits
        if self._connection.total_changes - self._rows_at_checkpoint < limits.passive_rows:
            return
        size = self._files.wal.stat().st_size
        if size < limits.passive_wal_bytes:
            return
        self._checkpoint("TRUNCATE" if size > limits.truncate_wal_bytes else "PASSIVE")

    def _checkpoint(self, mode: str) -> None:
        self._rows_at_checkpoint = self._connection.total_changes
        try:
            self._connection.execute("PRAGMA busy_timeout=0")
            self._connection.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()
        except sqlite3.Error as error:
            _log.warning("checkpoint of the metadata failed: %s", error)
        finally:
            self._connection.execute(f"PRAGMA busy_timeout={int(BUSY_TIMEOUT_SECONDS * 1000)}")


def _meaning(error: BaseException) -> BaseException:
    if isinstance(error, _TransactionLost) and error.__cause__ is not None:
        error = error.__cause__
    if isinstance(error, sqlite3.Error):
        return condition(error, writing=True) or error
    if isinstance(error, LostRace):  # one writer at a time has nobody to lose against
        return StoreBusy()
    return error


def _resolve(jobs: list[_Job]) -> None:
    """Hand the outcomes over with one wake-up for each loop."""
    by_loop: dict[asyncio.AbstractEventLoop, list[_Job]] = {}
    for job in jobs:
        by_loop.setdefault(job.loop, []).append(job)
    for loop, mine in by_loop.items():
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(_deliver, mine)


def _deliver(jobs: list[_Job]) -> None:
    for job in jobs:
        if job.future.done():
            continue
        if job.error is None:
            job.future.set_result(job.result)
        else:
            job.future.set_exception(job.error)


def _fail(jobs: list[_Job], error: Exception) -> None:
    for job in jobs:
        job.error = error
    _resolve(jobs)
