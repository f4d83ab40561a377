"""What a write and a read of the metadata engine cost, on SQLite and on PostgreSQL.

Writes insert one row of 300 bytes and are durable when they return. PostgreSQL is a server of the
benchmark's own on this machine, left out where none is installed.
"""

import asyncio
import statistics
import tempfile
import time
from pathlib import Path

import uvloop
from figures import Figure, figure, publish
from sqlalchemy import bindparam, select
from sqlmodel import col

from vexobj_storage.metadata.engine import open_metadata
from vexobj_storage.metadata.statement import Statement, insert_for
from vexobj_storage.metadata.tables import Facts
from vexobj_storage.metadata.tx import MetaStore, Row, Tx
from vexobj_storage.testing_postgres import PostgresServer, postgres_binaries

RUNS = 5
SECONDS = 1.0
TASKS = (1, 16, 64, 256)
READS = {"sqlite": 20_000, "postgresql": 500}

PUT = Statement(lambda dialect: insert_for(dialect, Facts))
GET = Statement(lambda _: select(col(Facts.value)).where(col(Facts.name) == bindparam("key")))


async def put(tx: Tx, name: str) -> None:
    await tx.run(PUT, name=name, value="v" * 300)


async def get(tx: Tx, name: str) -> Row | None:
    return await tx.one(GET, key=name)


async def commits(metadata: MetaStore, tasks: int) -> list[Figure]:
    rates, slowest = [], []
    for run in range(RUNS):
        latencies: list[float] = []
        began = time.perf_counter()
        clients = (committing(metadata, f"{tasks}-{run}-{n}", latencies) for n in range(tasks))
        await asyncio.gather(*clients)
        rates.append(len(latencies) / (time.perf_counter() - began))
        slowest.append(statistics.quantiles(latencies, n=100)[-1] * 1e3)
    name = f"{metadata.dialect}: commits, {tasks} tasks"
    return [
        figure(name, "1/s", rates),
        figure(f"{name}, 99 of 100 are quicker than", "ms", slowest),
    ]


async def committing(metadata: MetaStore, name: str, latencies: list[float]) -> None:
    end = time.perf_counter() + SECONDS
    number = 0
    while (began := time.perf_counter()) < end:
        await metadata.write(put, f"{name}-{number}")
        latencies.append(time.perf_counter() - began)
        number += 1


async def point_reads(metadata: MetaStore) -> Figure:
    await metadata.write(put, "known")
    rounds = READS[metadata.dialect]
    taken = []
    for _ in range(RUNS):
        began = time.perf_counter()
        for _ in range(rounds):
            await metadata.read(get, "known")
        taken.append((time.perf_counter() - began) / rounds * 1e6)
    return figure(f"{metadata.dialect}: point read", "us", taken)


async def measure(directory: Path, url: str | None) -> list[Figure]:
    metadata = await open_metadata(directory, url)
    figures = [row for tasks in TASKS for row in await commits(metadata, tasks)]
    figures.append(await point_reads(metadata))
    await metadata.close()
    return figures


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        figures = uvloop.run(measure(directory, None))
        binaries = postgres_binaries()
        if binaries is not None:
            with PostgresServer(binaries, durable=True) as server:
                url = server.url(server.create_database())
                figures += uvloop.run(measure(directory, url))
    publish("metadata_engine", figures)


if __name__ == "__main__":
    main()
