"""What a transaction function may do, and the engine that runs it.

Each domain operation is one `async def op(tx, ...)`, written once. On PostgreSQL it runs on
asyncpg; on SQLite its awaits never suspend, so the writer thread drives it to its end. Operations
are idempotent: an engine may run one again after a rollback.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from vexobj_storage.metadata.statement import Statement

Row = Sequence[Any]
P = ParamSpec("P")
R = TypeVar("R")


class Tx(Protocol):
    """Five methods; bind values by the names that the statement declares."""

    async def one(self, statement: Statement, **values: Any) -> Row | None:
        """The first row, or None."""
        ...

    async def all(self, statement: Statement, **values: Any) -> Sequence[Row]: ...

    async def run(self, statement: Statement, **values: Any) -> int:
        """Execute; the number of rows that it changed."""
        ...

    async def many(self, statement: Statement, values: Iterable[dict[str, Any]]) -> None:
        """Execute once for each; batched where the driver can."""
        ...

    def bump_epoch(self) -> None:
        """Make every process forget its caches of buckets and keys once this has committed.

        The operation is `durable` by it: no crash may bring back what caches have forgotten.
        """
        ...


Operation = Callable[Concatenate[Tx, P], Awaitable[R]]


class SnapshotNeeded(BaseException):
    """A read outside a transaction wants a second statement; not an error that a read may catch.

    A single statement is a snapshot of its own, so a read begins without a transaction, and only
    one that turns out to need several statements is run again in one.
    """


class LostRace(Exception):
    """Raised by an operation whose compare-and-set found another value: roll back, run it again."""


F = TypeVar("F", bound=Callable[..., Any])


def repeatable(operation: F) -> F:
    """Mark an operation that may run again even after it committed: same state, same answer.

    Only of these, and of those `settled_by` another, does an engine resolve a lost connection
    during COMMIT; for any other the caller learns of it as CommitUncertain.
    """
    return settled_by(operation)(operation)


def settled_by(again: Callable[..., Any]) -> Callable[[F], F]:
    """Mark an operation by the one to run when nobody knows whether it committed.

    `again` takes the same arguments, finds out what happened, and does it if it did not.
    """

    def mark(operation: F) -> F:
        operation.again = again  # type: ignore[attr-defined]
        return operation

    return mark


def durable(operation: F) -> F:
    """Mark an operation that is on disk when it returned, however relaxed its engine is.

    So is all that was committed before it. It is for what has consequences outside the metadata:
    bytes that are removed then, keys by which they are sealed.
    """
    operation.durable = True  # type: ignore[attr-defined]
    return operation


def is_durable(operation: Callable[..., Any]) -> bool:
    return getattr(operation, "durable", False)


class MetaStore(Protocol):
    """An engine: runs operations, each one transaction, and says when caches are stale."""

    dialect: str

    async def write(self, operation: Operation[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run in a read-write transaction; what it returns is durable when this returns.

        In a relaxed engine it is soon after, and in the order of commits: what a power cut takes
        is the latest only. An operation that is `durable` waits.

        An exception rolls the operation back (and nothing else that shared its commit).

        Raises:
            OutOfSpace, StoreBusy, StoreClosed, WriteFailed: nothing of it happened.
            CommitUncertain: all of it happened or nothing (the server or the device failed in
                COMMIT).
        """
        ...

    async def read(self, operation: Operation[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a short point read: one statement, or several of one snapshot.

        On SQLite it never suspends and costs about 10 us: it runs on the caller's event loop.
        """
        ...

    async def scan(self, operation: Operation[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a longer read (a listing) of one snapshot without holding the event loop."""
        ...

    async def epoch(self) -> int:
        """Changes whenever any process committed an operation that called `bump_epoch`."""
        ...

    def stamp(self, bucket_id: int, key: bytes) -> int | None:
        """A number that changes with every commit of any process that may change the object.

        What was read after the stamp was taken holds for as long as the stamp stays the same.
        None when that cannot be known at the price of a memory access.
        """
        ...

    async def snapshot(self, path: Path) -> None:
        """Write all tables, as they are at one moment from now on, to a SQLite database at `path`.

        Writers go on meanwhile. Its file is complete, but on no disk before it is synced; after a
        failure it may be there in part.

        Raises: OutOfSpace, WriteFailed, ReadFailed, StoreBusy, StoreClosed.
        """
        ...

    async def close(self) -> None: ...
