"""What every metadata engine promises, whichever it is."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import bindparam, select, update
from sqlmodel import col

from vexobj_storage.errors import NoSuchKey, StoreClosed
from vexobj_storage.metadata.engine import open_metadata
from vexobj_storage.metadata.statement import Statement, insert_for
from vexobj_storage.metadata.tables import Counters, Facts
from vexobj_storage.metadata.tx import LostRace, MetaStore, Tx

PUT = Statement(lambda dialect: insert_for(dialect, Facts))
PUT_ONCE = Statement(
    lambda dialect: insert_for(dialect, Facts).on_conflict_do_nothing().returning(col(Facts.name))
)
GET = Statement(lambda _: select(col(Facts.value)).where(col(Facts.name) == bindparam("key")))
ALL = Statement(lambda _: select(col(Facts.name)).order_by(col(Facts.name)))
ADD_COUNTER = Statement(lambda dialect: insert_for(dialect, Counters))
GET_COUNTER = Statement(
    lambda _: select(col(Counters.value)).where(col(Counters.name) == bindparam("key"))
)
SET_COUNTER = Statement(
    lambda _: (
        update(Counters)
        .where(col(Counters.name) == bindparam("key"), col(Counters.value) == bindparam("was"))
        .values(value=bindparam("now"))
    )
)


async def put(tx: Tx, name: str, value: str = "") -> int:
    return await tx.run(PUT, name=name, value=value)


async def put_once(tx: Tx, name: str, value: str) -> bool:
    return await tx.one(PUT_ONCE, name=name, value=value) is not None


async def get(tx: Tx, name: str) -> Any:
    row = await tx.one(GET, key=name)
    return None if row is None else row[0]


async def names(tx: Tx) -> list[str]:
    return [row[0] for row in await tx.all(ALL)]


async def put_then_fail(tx: Tx, *values: str) -> None:
    for value in values:
        await put(tx, value)
    raise NoSuchKey("bucket", values[-1])


async def swallow_failure(tx: Tx, name: str) -> str:
    await put(tx, name)
    try:
        await put(tx, name)
    except Exception:  # noqa: BLE001 - the point of the test
        return "swallowed"
    return "not raised"


async def bump(tx: Tx, *, fail: bool = False) -> None:
    tx.bump_epoch()
    if fail:
        raise NoSuchKey("bucket", "key")


async def add_counter(tx: Tx) -> None:
    await tx.run(ADD_COUNTER, name="n", value=0)


async def get_counter(tx: Tx) -> int:
    row = await tx.one(GET_COUNTER, key="n")
    assert row is not None
    value: int = row[0]
    return value


async def increment(tx: Tx) -> None:
    was = await get_counter(tx)
    if await tx.run(SET_COUNTER, key="n", was=was, now=was + 1) == 0:
        raise LostRace


@pytest.fixture
async def other(
    tmp_path: Path, metadata_url: str | None, metadata: MetaStore
) -> AsyncIterator[MetaStore]:
    """A second engine on the same store, as another process has it."""
    assert metadata.dialect in {"sqlite", "postgresql"}
    engine = await open_metadata(tmp_path, metadata_url)
    yield engine
    await engine.close()


async def test_a_write_is_read_by_every_way_and_engine(
    metadata: MetaStore, other: MetaStore
) -> None:
    assert await metadata.write(put, "a", value="1") == 1
    for engine in (metadata, other):
        assert await engine.read(get, "a") == "1"
        assert await engine.scan(get, "a") == "1"
        assert await engine.write(get, "a") == "1"


async def test_results_and_missing_rows(metadata: MetaStore) -> None:
    assert await metadata.read(get, "none") is None
    assert await metadata.scan(names) == []
    assert await metadata.write(names) == []


async def test_many_executes_for_each(metadata: MetaStore) -> None:
    async def put_all(tx: Tx) -> None:
        await tx.many(PUT, ({"name": f"{i:03}", "value": "", "ignored": 1} for i in range(100)))

    await metadata.write(put_all)
    assert len(await metadata.scan(names)) == 100


async def test_an_operation_is_all_or_nothing(metadata: MetaStore) -> None:
    with pytest.raises(NoSuchKey) as raised:
        await metadata.write(put_then_fail, "a", "b")
    assert raised.value.key == "b"
    assert await metadata.scan(names) == []


async def test_a_failing_operation_takes_nothing_with_it(metadata: MetaStore) -> None:
    writes = [metadata.write(put_then_fail if i % 5 == 0 else put, f"{i:03}") for i in range(60)]
    outcomes = await asyncio.gather(*writes, return_exceptions=True)
    assert [isinstance(outcome, NoSuchKey) for outcome in outcomes] == [
        i % 5 == 0 for i in range(60)
    ]
    assert await metadata.scan(names) == [f"{i:03}" for i in range(60) if i % 5]


async def test_a_swallowed_failure_still_fails_the_operation(metadata: MetaStore) -> None:
    with pytest.raises(Exception, match=r"(?i)unique|duplicate"):
        await metadata.write(swallow_failure, "a")
    assert await metadata.scan(names) == []


async def test_a_statement_with_a_missing_value_fails_only_its_operation(
    metadata: MetaStore,
) -> None:
    async def incomplete(tx: Tx) -> None:
        await tx.run(PUT, name="a")

    with pytest.raises(KeyError, match="value"):
        await metadata.write(incomplete)
    assert await metadata.write(put, "b") == 1


async def test_the_epoch_changes_for_everyone_when_it_is_bumped(
    metadata: MetaStore, other: MetaStore
) -> None:
    before = await other.epoch()
    await metadata.write(put, "a")
    assert await other.epoch() == before
    await metadata.write(bump)
    assert await other.epoch() != before
    assert await other.epoch() == await metadata.epoch()


async def test_compare_and_set_loses_no_increment(metadata: MetaStore, other: MetaStore) -> None:
    await metadata.write(add_counter)

    async def writer(engine: MetaStore) -> None:
        for _ in range(10):
            await engine.write(increment)

    await asyncio.gather(*(writer(engine) for engine in (metadata, other) for _ in range(4)))
    assert await metadata.read(get_counter) == 80


async def test_of_many_creators_one_wins(metadata: MetaStore, other: MetaStore) -> None:
    tries = [
        engine.write(put_once, "name", str(i)) for i in range(20) for engine in (metadata, other)
    ]
    assert (await asyncio.gather(*tries)).count(True) == 1


async def test_a_read_of_several_statements_is_one_snapshot(
    metadata: MetaStore, other: MetaStore
) -> None:
    """Readers that compare two statements' answers, while a writer changes them all the time."""

    async def twice(tx: Tx) -> bool:
        return await names(tx) == await names(tx)

    async def writer() -> None:
        for i in range(100):
            await other.write(put, f"{i:03}")

    writing = asyncio.create_task(writer())
    while not writing.done():
        assert await metadata.read(twice)
        assert await metadata.scan(twice)
        await asyncio.sleep(0)
    await writing


async def test_reads_cannot_write(metadata: MetaStore) -> None:
    for way in (metadata.scan, metadata.read) if metadata.dialect == "sqlite" else (metadata.scan,):
        with pytest.raises(Exception, match=r"(?i)read.?only"):
            await way(put, "a")
    assert await metadata.scan(names) == []


async def test_a_cancelled_caller_leaves_all_or_nothing(metadata: MetaStore) -> None:
    async def pair(tx: Tx, i: int) -> None:
        await put(tx, f"{i:03}-a")
        await put(tx, f"{i:03}-b")

    tasks = [asyncio.create_task(metadata.write(pair, i)) for i in range(40)]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    found = await metadata.write(names)
    assert {name[:3] for name in found if name.endswith("a")} == {
        name[:3] for name in found if name.endswith("b")
    }
    assert {f"{i:03}-a" for i in range(1, 40, 2)} <= set(found)


async def test_closing_finishes_what_was_accepted_and_refuses_the_rest(
    metadata: MetaStore, other: MetaStore
) -> None:
    accepted = [asyncio.create_task(metadata.write(put, f"{i:03}")) for i in range(16)]
    await asyncio.sleep(0)
    await metadata.close()
    outcomes = await asyncio.gather(*accepted, return_exceptions=True)
    kept = [f"{i:03}" for i, outcome in enumerate(outcomes) if outcome == 1]
    assert all(outcome == 1 or isinstance(outcome, StoreClosed) for outcome in outcomes)
    assert await other.scan(names) == kept
    for way in (metadata.write, metadata.read, metadata.scan):
        with pytest.raises(StoreClosed):
            await way(names)
    await metadata.close()
