"""A transaction on an asyncpg connection."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

from vexobj_storage.metadata.statement import Statement
from vexobj_storage.metadata.tx import Row, SnapshotNeeded


class PostgresTx:
    """The five methods of Tx over one connection.

    A statement that fails, fails the operation, whatever the operation does about it.
    """

    __slots__ = ("_connection", "bumped", "failure")

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.bumped = False
        self.failure: Exception | None = None

    async def one(self, statement: Statement, **values: Any) -> Row | None:
        row: Row | None = await self._call(self._connection.fetchrow, statement, values)
        return row

    async def all(self, statement: Statement, **values: Any) -> Sequence[Row]:
        rows: Sequence[Row] = await self._call(self._connection.fetch, statement, values)
        return rows

    async def run(self, statement: Statement, **values: Any) -> int:
        tag: str = await self._call(self._connection.execute, statement, values)
        count = tag.rpartition(" ")[2]
        return int(count) if count.isdigit() else 0

    async def many(self, statement: Statement, values: Iterable[dict[str, Any]]) -> None:
        if self.failure is not None:
            raise self.failure
        compiled = statement.compiled("postgresql")
        rows = [compiled.bind(row) for row in values]
        try:
            await self._connection.executemany(compiled.sql, rows)
        except Exception as error:
            self.failure = error
            raise

    def bump_epoch(self) -> None:
        self.bumped = True

    async def _call(
        self, method: Callable[..., Awaitable[Any]], statement: Statement, values: Mapping[str, Any]
    ) -> Any:
        if self.failure is not None:
            raise self.failure
        compiled = statement.compiled("postgresql")
        arguments = compiled.bind(values)
        try:
            return await method(compiled.sql, *arguments)
        except Exception as error:
            self.failure = error
            raise


class FirstStatementOnly(PostgresTx):
    """A read in autocommit mode: its first statement is a snapshot of its own."""

    __slots__ = ("_used",)

    def __init__(self, connection: Any) -> None:
        super().__init__(connection)
        self._used = False

    async def _call(
        self, method: Callable[..., Awaitable[Any]], statement: Statement, values: Mapping[str, Any]
    ) -> Any:
        if self._used:
            raise SnapshotNeeded
        self._used = True
        return await super()._call(method, statement, values)
