"""A transaction on a SQLite connection, and how to run an operation without an event loop."""

import sqlite3
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from types import CoroutineType
from typing import Any, TypeVar, cast

from vexobj_storage.metadata.epoch import EPOCH, stamp_of
from vexobj_storage.metadata.statement import Statement
from vexobj_storage.metadata.tx import Row, SnapshotNeeded

R = TypeVar("R")


class SqliteTx:
    """The five methods of Tx over one connection; nothing here ever suspends.

    A statement that fails, fails the operation, whatever the operation does about it: SQLite may
    have ended the transaction with it, and PostgreSQL has.
    """

    __slots__ = ("_connection", "failure")

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.failure: sqlite3.Error | None = None

    async def one(self, statement: Statement, **values: Any) -> Row | None:
        row: Row | None = self._execute(statement, values).fetchone()
        return row

    async def all(self, statement: Statement, **values: Any) -> Sequence[Row]:
        cursor = self._execute(statement, values)
        try:
            return cursor.fetchall()
        except sqlite3.Error as error:
            self.failure = error
            raise

    async def run(self, statement: Statement, **values: Any) -> int:
        return self._execute(statement, values).rowcount

    async def many(self, statement: Statement, values: Iterable[dict[str, Any]]) -> None:
        if self.failure is not None:
            raise self.failure
        compiled = statement.compiled("sqlite")
        try:
            self._connection.executemany(compiled.sql, map(compiled.bind, values))
        except sqlite3.Error as error:
            self.failure = error
            raise

    def bump_epoch(self) -> None:
        """Only a commit outdates anything."""

    def _execute(self, statement: Statement, values: Mapping[str, Any]) -> sqlite3.Cursor:
        if self.failure is not None:
            raise self.failure
        compiled = statement.compiled("sqlite")
        try:
            return self._connection.execute(compiled.sql, compiled.bind(values))
        except sqlite3.Error as error:
            self.failure = error
            raise


class WriteTx(SqliteTx):
    """Remembers which stamps its commit outdates.

    Every statement that binds a bucket and a key counts, reads too: so no operation can forget.
    """

    __slots__ = ("stamps",)

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(connection)
        self.stamps: set[int] = set()

    def bump_epoch(self) -> None:
        self.stamps.add(EPOCH)

    async def many(self, statement: Statement, values: Iterable[dict[str, Any]]) -> None:
        rows = list(values)
        for row in rows:
            self._outdate(row)
        await super().many(statement, rows)

    def _execute(self, statement: Statement, values: Mapping[str, Any]) -> sqlite3.Cursor:
        self._outdate(values)
        return super()._execute(statement, values)

    def _outdate(self, values: Mapping[str, Any]) -> None:
        if "key" in values and "bucket_id" in values:
            self.stamps.add(stamp_of(values["bucket_id"], values["key"]))


class FirstStatementOnly(SqliteTx):
    """A read in autocommit mode: its first statement is a snapshot of its own."""

    __slots__ = ("_used",)

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(connection)
        self._used = False

    def _execute(self, statement: Statement, values: Mapping[str, Any]) -> sqlite3.Cursor:
        if self._used:
            raise SnapshotNeeded
        self._used = True
        return super()._execute(statement, values)


def drive(operation: Awaitable[R]) -> R:
    """Run the coroutine of an operation, which never suspends, to its end without an event loop.

    Raises: RuntimeError if it suspends: an operation awaits nothing but its transaction.
    """
    coroutine = cast("CoroutineType[Any, Any, R]", operation)
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return cast("R", stop.value)
    coroutine.close()
    raise RuntimeError(f"{coroutine.__qualname__} awaited something other than its transaction")
