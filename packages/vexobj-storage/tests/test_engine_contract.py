"""What every metadata engine promises, whichever it is."""

import asyncio
from sqlalchemy import select, bindparam
from sqlmodel import col
from vexobj_storage.metadata.statement import Statement, insert_for
from vexobj_storage.metadata.tables import Facts
from vexobj_storage.metadata.tx import MetaStore, Tx, Row

PUT = Statement(lambda dialect: insert_for(dialect, Facts))
GET = Statement(lambda _: select(Facts.value).where(col(Facts.name) == bindparam("name")))

async def put(tx: Tx, name: str, value: str) -> int:
    return await tx.run(PUT, name=name, value=value)

async def get(tx: Tx, name: str) -> Row | None:
    return await tx.one(GET, name=name)

async def bump(tx: Tx) -> None:
    tx.bump_epoch()

async def test_reads_own_write(metadata: MetaStore) -> None:
    assert await metadata.write(put, "a", "1") == 1
    row = await metadata.read(get, "a")
    assert row is not None and row[0] == "1"
    row = await metadata.scan(get, "a")
    assert row is not None and row[0] == "1"
    e = await metadata.epoch()
    await metadata.write(bump)
    assert e != await metadata.epoch()
