"""The PostgreSQL engine, on asyncpg: each operation one transaction of a pooled connection."""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, ParamSpec, TypeVar

import asyncpg
from sqlalchemy import select
from sqlmodel import col

from vexobj_storage.errors import CommitUncertain, StoreBusy, StoreClosed
from vexobj_storage.metadata.migrate import migrate_postgres
from vexobj_storage.metadata.postgres_errors import condition, connection_lost, rolled_back
from vexobj_storage.metadata.postgres_tx import FirstStatementOnly, PostgresTx
from vexobj_storage.metadata.snapshot import dump
from vexobj_storage.metadata.statement import Statement, insert_for
from vexobj_storage.metadata.tables import Counters
from vexobj_storage.metadata.tx import LostRace, Operation, Row, SnapshotNeeded, Tx, is_durable
from vexobj_storage.types import Durability

P = ParamSpec("P")
R = TypeVar("R")

_BEGIN_WRITE = "BEGIN ISOLATION LEVEL READ COMMITTED"
_BEGIN_SNAPSHOT = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"
_SET = (
    "SELECT set_config(wanted.name, wanted.value, false)"
    " FROM unnest($1::text[], $2::text[]) AS wanted (name, value)"
    " JOIN pg_settings ON pg_settings.name = wanted.name"
)
_WAIT = "SET LOCAL synchronous_commit = on"
_SYNCHRONOUS = {
    # A standby that commits wait for is more than is wanted here, and stays.
    Durability.STRICT: (
        "SELECT set_config('synchronous_commit', 'on', false)"
        " WHERE current_setting('synchronous_commit') = 'off'"
    ),
    Durability.RELAXED: "SELECT set_config('synchronous_commit', 'off', false)",
}
_KEEPALIVES = {
    "tcp_keepalives_idle": "15",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}
_ROLLBACK_SECONDS = 5.0
_EPOCH_NAME = "epoch"

# A scalar subquery, for statements that look the epoch up beside something else.
EPOCH = select(col(Counters.value)).where(col(Counters.name) == _EPOCH_NAME).scalar_subquery()


def _bump_epoch(dialect: str) -> Any:
    insert = insert_for(dialect, Counters).values(name=_EPOCH_NAME, value=1)
    return insert.on_conflict_do_update(index_elements=["name"], set_={"value": Counters.value + 1})


_BUMP_EPOCH = Statement(_bump_epoch)
_EPOCH = Statement(lambda _: select(EPOCH))


@dataclass(frozen=True, slots=True)
class PostgresConfig:
    """`connections` bounds this process's share of the server.

    A transaction is tried `attempts` times; before each new try comes a pause of a random length
    up to `backoff_seconds`, doubled each time up to `longest_backoff_seconds`.

    What a process that died or lost its network had locked, the server lets go after
    `idle_transaction_seconds`, or when it finds the connection dead; nobody waits for a lock
    longer than `lock_seconds`.
    """

    connections: int = 16
    idle_connections: int = 1
    attempts: int = 12
    backoff_seconds: float = 0.005
    longest_backoff_seconds: float = 0.5
    acquire_seconds: float = 10.0
    connect_seconds: float = 10.0
    statement_seconds: float = 60.0
    lock_seconds: float = 30.0
    idle_transaction_seconds: float = 30.0
    durability: Durability = Durability.STRICT
    connection_class: type[Any] = asyncpg.Connection

    async def prepare(self, connection: Any) -> None:
        """Bound what this session may cost others, by those of the settings that the server has.

        Not at the connection's start: there an unknown one is refused, by poolers and by others.
        """
        milliseconds = {
            "statement_timeout": self.statement_seconds,
            "lock_timeout": self.lock_seconds,
            "idle_in_transaction_session_timeout": self.idle_transaction_seconds,
            "tcp_user_timeout": self.idle_transaction_seconds,
            "client_connection_check_interval": self.idle_transaction_seconds / 2,
        }
        settings = _KEEPALIVES | {n: str(round(s * 1000)) for n, s in milliseconds.items()}
        await connection.fetch(_SET, list(settings), list(settings.values()))
        await connection.fetch(_SYNCHRONOUS[self.durability])


class PostgresMetaStore:
    """One database's metadata, of which any number of processes may have their own engine.

    An engine belongs to the event loop that opened it.

    What is guaranteed of a write: it runs in READ COMMITTED, so a function that reads and then
    writes locks its row or compares and sets. After a serialization failure, a deadlock or a
    connection lost before COMMIT was sent, nothing of it stays and it is run again. When the
    connection is lost during COMMIT, nobody knows: an operation marked `repeatable` is run again,
    one `settled_by` another is settled by it, for any other CommitUncertain is raised.
    """

    dialect = "postgresql"

    def __init__(self, pool: asyncpg.Pool, config: PostgresConfig) -> None:
        self._pool, self._config = pool, config
        self._is_relaxed = config.durability is Durability.RELAXED
        self._loop = asyncio.get_running_loop()
        self._closed = False

    @classmethod
    async def open(cls, url: str, config: PostgresConfig | None = None) -> "PostgresMetaStore":
        """Migrate the schema if it is older than this version, and connect.

        Raises: SchemaTooNew, StoreBusy (the server cannot be reached), WriteFailed.
        """
        config = config or PostgresConfig()
        try:
            await migrate_postgres(url, connect_seconds=config.connect_seconds)
            pool = await asyncpg.create_pool(
                url,
                min_size=config.idle_connections,
                max_size=config.connections,
                max_queries=10_000_000,
                init=config.prepare,
                reset=_keep_session,
                connection_class=config.connection_class,
                statement_cache_size=1024,
                max_cached_statement_lifetime=0,
                timeout=config.connect_seconds,
                command_timeout=config.statement_seconds,
                server_settings={"application_name": "vexobj"},
            )
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise condition(error, writing=True) or error from error
        return cls(pool, config)

    async def write(self, operation: Operation[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        async def attempt(connection: Any) -> R:
            return await self._transaction(connection, operation, args, kwargs)

        again: Callable[..., Awaitable[R]] | None = getattr(operation, "again", None)
        if again is None:
            return await self._retrying(attempt, writing=True)

        async def settle(connection: Any) -> R:
            return await self._transaction(connection, again, args, kwargs)

        return await self._retrying(attempt, writing=True, settle=settle)

    async def read(self, operation: Operation[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """A single statement runs without BEGIN and COMMIT, in a third of the round trips.

        Of several, the first one is run twice: once to find out, and again in the snapshot.
        """

        async def attempt(connection: Any) -> R:
            return await operation(FirstStatementOnly(connection), *args, **kwargs)

        try:
            return await self._retrying(attempt, writing=False)
        except SnapshotNeeded:
            return await self.scan(operation, *args, **kwargs)

    async def scan(self, operation: Operation[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        async def attempt(connection: Any) -> R:
            await connection.execute(_BEGIN_SNAPSHOT)
            try:
                return await operation(PostgresTx(connection), *args, **kwargs)
            finally:
                await _roll_back(connection)

        return await self._retrying(attempt, writing=False)

    async def epoch(self) -> int:
        """One round trip; a statement may as well ask for `EPOCH` beside what it looks up."""
        row = await self.read(_epoch)
        return 0 if row is None or row[0] is None else int(row[0])

    def stamp(self, bucket_id: int, key: bytes) -> None:  # noqa: ARG002
        """Other nodes write too, and nothing here tells of it."""
        return

    async def snapshot(self, path: Path) -> None:
        """Of one REPEATABLE READ transaction, in short statements."""
        await self.scan(dump, path)

    async def close(self) -> None:
        """What is under way ends first; idempotent."""
        if not self._closed:
            self._closed = True
            await self._pool.close()

    async def _retrying(
        self,
        attempt: Callable[[Any], Awaitable[R]],
        *,
        writing: bool,
        settle: Callable[[Any], Awaitable[R]] | None = None,
    ) -> R:
        """Run `attempt`; from an unknown outcome on, `settle` in its place."""
        if self._closed:
            raise StoreClosed
        if asyncio.get_running_loop() is not self._loop:
            raise RuntimeError("a PostgresMetaStore belongs to the event loop that opened it")
        pause, uncertain = self._config.backoff_seconds, False
        for remaining in reversed(range(self._config.attempts)):
            try:
                async with self._pool.acquire(timeout=self._config.acquire_seconds) as connection:
                    return await attempt(connection)
            except _LostInCommit as error:
                if settle is None or not remaining:
                    raise CommitUncertain from error.__cause__
                attempt, uncertain = settle, True
            except Exception as error:  # noqa: BLE001 - told apart by what it means
                if not (remaining and _worth_another_try(error)):
                    _raise_meaning(error, writing=writing, uncertain=uncertain)
            await asyncio.sleep(random.uniform(0, pause))  # noqa: S311 - jitter
            pause = min(pause * 2, self._config.longest_backoff_seconds)
        raise AssertionError("the last try returns or raises")

    async def _transaction(
        self,
        connection: Any,
        operation: Callable[..., Awaitable[R]],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> R:
        tx = PostgresTx(connection)
        await connection.execute(_BEGIN_WRITE)
        try:
            result = await operation(tx, *args, **kwargs)
            if tx.bumped:
                await tx.run(_BUMP_EPOCH)
            if tx.failure is not None:
                raise tx.failure  # noqa: TRY301 - the operation swallowed it
            if self._is_relaxed and (tx.bumped or is_durable(operation)):
                await connection.execute(_WAIT)
            await _commit(connection)
        except BaseException as error:
            await _roll_back(connection)
            if tx.failure is not None and error is not tx.failure:
                raise tx.failure from error
            raise
        return result


class _LostInCommit(Exception):
    """Nobody can say whether the server committed; `__cause__` is how it was lost."""


async def _commit(connection: Any) -> None:
    if connection.is_closed():  # before COMMIT was sent, so nothing stays
        raise asyncpg.ConnectionDoesNotExistError("connection was closed")
    try:
        await connection.execute("COMMIT")
    except Exception as error:
        if connection_lost(error) or isinstance(error, TimeoutError):
            raise _LostInCommit from error
        raise


async def _roll_back(connection: Any) -> None:
    """Leave the connection without a transaction, or without a connection."""
    try:
        if not connection.is_closed():
            await connection.execute("ROLLBACK", timeout=_ROLLBACK_SECONDS)
    except asyncpg.InterfaceError:
        return  # lost, and taken back by the pool
    except BaseException as error:
        with contextlib.suppress(asyncpg.InterfaceError):
            connection.terminate()
        if not isinstance(error, Exception):
            raise


async def _keep_session(_: Any) -> None:
    """Instead of asyncpg's RESET ALL at each release: no statement here changes the session."""


async def _epoch(tx: Tx) -> Row | None:
    return await tx.one(_EPOCH)


def _worth_another_try(error: Exception) -> bool:
    return isinstance(error, LostRace) or rolled_back(error) or connection_lost(error)


def _raise_meaning(error: Exception, *, writing: bool, uncertain: bool) -> NoReturn:
    meaning = StoreBusy() if isinstance(error, LostRace) else condition(error, writing=writing)
    if meaning is None:
        raise error
    raise (CommitUncertain() if uncertain else meaning) from error
