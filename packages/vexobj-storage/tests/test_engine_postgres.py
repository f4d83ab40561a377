"""What is particular to the PostgreSQL engine: retries, lost connections, round trips."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import asyncpg
import pytest
from sqlalchemy import bindparam, select, text, update
from sqlmodel import col

from vexobj_storage.errors import CommitUncertain, StoreBusy
from vexobj_storage.metadata.postgres import PostgresConfig, PostgresMetaStore
from vexobj_storage.metadata.statement import Statement, insert_for
from vexobj_storage.metadata.tables import Facts
from vexobj_storage.metadata.tx import Tx, repeatable
from vexobj_storage.testing_postgres import PostgresServer

PUT = Statement(lambda dialect: insert_for(dialect, Facts))
PUT_AGAIN = Statement(lambda dialect: insert_for(dialect, Facts).on_conflict_do_nothing())
NAMES = Statement(lambda _: select(col(Facts.name)).order_by(col(Facts.name)))
VALUES = Statement(lambda _: select(col(Facts.value)).order_by(col(Facts.name)))
SETTINGS = Statement(lambda _: text("SELECT name, setting FROM pg_settings"))
CHANGE = Statement(
    lambda _: (
        update(Facts).where(col(Facts.name) == bindparam("key")).values(value=bindparam("new"))
    )
)


async def put_pair(tx: Tx) -> list[str]:
    await tx.run(PUT, name="a", value="")
    await tx.run(PUT, name="b", value="")
    return await names(tx)


async def names(tx: Tx) -> list[str]:
    return [row[0] for row in await tx.all(NAMES)]


async def values(tx: Tx) -> list[str]:
    return [row[0] for row in await tx.all(VALUES)]


async def change_all(tx: Tx) -> None:
    for key in ("a", "b"):
        await tx.run(CHANGE, key=key, new="changed")


async def names_twice(tx: Tx) -> list[str]:
    await names(tx)
    return await names(tx)


@repeatable
async def put_again(tx: Tx) -> list[str]:
    await tx.run(PUT_AGAIN, name="a", value="")
    return await names(tx)


class Faults:
    """What goes wrong at which statement, counted over all connections; and what was run."""

    def __init__(self) -> None:
        self.plan: dict[int, str] = {}
        self.log: list[str] = []

    def next(self, sql: str) -> str | None:
        self.log.append(sql)
        return self.plan.pop(len(self.log) - 1, None)


FAULTS = Faults()


class FaultyConnection(asyncpg.Connection):  # type: ignore[misc]
    """Fails as planned: before the statement (`40001`, `lost`) or after it (`lost after`)."""

    async def _guard(self, method: Any, sql: str, *args: Any, **kwargs: Any) -> Any:
        fault = FAULTS.next(sql)
        if fault == "40001":
            await super().execute("ROLLBACK")
            await super().execute("BEGIN")
            raise asyncpg.SerializationError("could not serialize access")
        if fault == "lost":
            self.terminate()
            raise asyncpg.ConnectionDoesNotExistError("connection was closed")
        result = await method(sql, *args, **kwargs)
        if fault == "lost after":
            self.terminate()
            raise asyncpg.ConnectionDoesNotExistError("connection was closed")
        return result

    async def execute(self, query: str, *args: Any, **kwargs: Any) -> Any:
        return await self._guard(super().execute, query, *args, **kwargs)

    async def fetch(self, query: str, *args: Any, **kwargs: Any) -> Any:
        return await self._guard(super().fetch, query, *args, **kwargs)

    async def fetchrow(self, query: str, *args: Any, **kwargs: Any) -> Any:
        return await self._guard(super().fetchrow, query, *args, **kwargs)


@pytest.fixture
def faults() -> Iterator[Faults]:
    FAULTS.plan, FAULTS.log = {}, []
    yield FAULTS
    assert not FAULTS.plan


@pytest.fixture
async def engine(postgres_url: str, faults: Faults) -> AsyncIterator[PostgresMetaStore]:
    config = PostgresConfig(connection_class=FaultyConnection, backoff_seconds=0.001)
    engine = await PostgresMetaStore.open(postgres_url, config)
    faults.log.clear()
    yield engine
    await engine.close()


@pytest.mark.parametrize("fault", ["40001", "lost"])
@pytest.mark.parametrize("at", [0, 1, 2, 3])
async def test_a_transaction_is_run_again_after_losing_it_anywhere_before_commit(
    engine: PostgresMetaStore, faults: Faults, fault: str, at: int
) -> None:
    faults.plan = {at: fault}
    assert await engine.write(put_pair) == ["a", "b"]
    assert [sql for sql in faults.log if sql.startswith("BEGIN")] == [
        "BEGIN ISOLATION LEVEL READ COMMITTED"
    ] * 2


async def test_a_serialization_failure_at_commit_is_run_again(
    engine: PostgresMetaStore, faults: Faults
) -> None:
    faults.plan = {4: "40001"}
    assert await engine.write(put_pair) == ["a", "b"]
    assert faults.log.count("COMMIT") == 2


@pytest.mark.parametrize(("fault", "kept"), [("lost", []), ("lost after", ["a", "b"])])
async def test_a_connection_lost_in_commit_is_uncertain(
    engine: PostgresMetaStore, faults: Faults, fault: str, kept: list[str]
) -> None:
    faults.plan = {4: fault}
    with pytest.raises(CommitUncertain):
        await engine.write(put_pair)
    assert await engine.read(names) == kept


@pytest.mark.parametrize("fault", ["lost", "lost after"])
async def test_what_is_repeatable_is_run_again_after_a_lost_commit(
    engine: PostgresMetaStore, faults: Faults, fault: str
) -> None:
    faults.plan = {3: fault}
    assert await engine.write(put_again) == ["a"]
    assert faults.log.count("COMMIT") == 2


async def test_endless_conflicts_are_busy(postgres_url: str, faults: Faults) -> None:
    config = PostgresConfig(connection_class=FaultyConnection, backoff_seconds=0.0001, attempts=3)
    engine = await PostgresMetaStore.open(postgres_url, config)
    faults.log.clear()
    faults.plan = {1: "40001", 4: "40001", 7: "40001"}
    with pytest.raises(StoreBusy):
        await engine.write(put_pair)
    assert await engine.write(put_pair) == ["a", "b"]
    await engine.close()


async def test_a_single_read_costs_one_round_trip(
    engine: PostgresMetaStore, faults: Faults
) -> None:
    await engine.read(names)
    assert len(faults.log) == 1
    await engine.read(names_twice)
    assert faults.log[2].startswith("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
    assert len(faults.log) == 6


@pytest.mark.parametrize("fault", ["40001", "lost"])
async def test_reads_are_run_again(engine: PostgresMetaStore, faults: Faults, fault: str) -> None:
    faults.plan = {0: fault, 3: "lost"}
    assert await engine.read(names) == []
    assert await engine.scan(names) == []


async def test_a_deadlock_is_resolved(engine: PostgresMetaStore) -> None:
    both = asyncio.Barrier(2)
    first_tries = 2

    async def change(tx: Tx, first: str, second: str) -> None:
        nonlocal first_tries
        await tx.run(CHANGE, key=first, new=first)
        if first_tries:
            first_tries -= 1
            await both.wait()
        await tx.run(CHANGE, key=second, new=first)

    await engine.write(put_pair)
    await asyncio.gather(engine.write(change, "a", "b"), engine.write(change, "b", "a"))


async def test_a_process_that_stops_in_a_transaction_keeps_nobody_waiting(
    postgres_url: str,
) -> None:
    """The server ends its session, and when it goes on it begins again."""
    config = PostgresConfig(idle_transaction_seconds=0.2)
    stopped, other = [await PostgresMetaStore.open(postgres_url, config) for _ in range(2)]
    asleep, awake, tries = asyncio.Event(), asyncio.Event(), 0

    async def change(tx: Tx, value: str) -> None:
        await tx.run(CHANGE, key="a", new=value)

    async def change_and_sleep(tx: Tx) -> None:
        nonlocal tries
        tries += 1
        await change(tx, "slept")
        asleep.set()
        await awake.wait()
        await change(tx, "slept")

    await other.write(put_pair)
    sleeper = asyncio.create_task(stopped.write(change_and_sleep))
    await asleep.wait()
    await other.write(change, "other")
    awake.set()
    await sleeper
    assert tries == 2
    assert await other.read(values) == ["slept", ""]
    for engine in (stopped, other):
        await engine.close()


async def test_a_lock_is_not_waited_for_endlessly(postgres_url: str) -> None:
    engine = await PostgresMetaStore.open(postgres_url, PostgresConfig(lock_seconds=0.1))
    holder = await asyncpg.connect(postgres_url)
    await engine.write(put_pair)
    async with holder.transaction():
        await holder.execute("SELECT FROM facts FOR UPDATE")
        with pytest.raises(StoreBusy):
            await engine.write(change_all)
    await engine.write(change_all)
    await holder.close()
    await engine.close()


async def test_a_session_is_bounded(postgres_url: str) -> None:
    engine = await PostgresMetaStore.open(postgres_url)

    async def bounds(tx: Tx) -> dict[str, str]:
        return {row[0]: row[1] for row in await tx.all(SETTINGS)}

    told = await engine.read(bounds)
    assert told["idle_in_transaction_session_timeout"] == told["lock_timeout"] == "30000"
    assert told["statement_timeout"] == "60000"
    assert (told["tcp_keepalives_idle"], told["tcp_user_timeout"]) == ("15", "30000")
    await engine.close()


async def test_a_restarted_server_is_found_again(
    engine: PostgresMetaStore, postgres: PostgresServer
) -> None:
    await engine.write(put_pair)
    await asyncio.to_thread(postgres.stop)
    with pytest.raises(StoreBusy):
        await engine.read(names)
    with pytest.raises(StoreBusy):
        await engine.write(put_again)
    await asyncio.to_thread(postgres.start)
    assert await engine.read(names) == ["a", "b"]
    assert await engine.write(put_again) == ["a", "b"]


async def test_another_loop_is_refused(engine: PostgresMetaStore) -> None:
    with pytest.raises(RuntimeError, match="event loop"):
        await asyncio.to_thread(lambda: asyncio.run(engine.read(names)))
