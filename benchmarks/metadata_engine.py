"""Print what a write and a read of the metadata engine cost; it asserts nothing.

python benchmarks/metadata_engine.py [--url postgresql://...] [--seconds 2]
"""

import argparse
import asyncio
import sqlite3
import statistics
import tempfile
import time
from pathlib import Path

import uvloop
from sqlalchemy import bindparam, select
from sqlmodel import col

from vexobj_storage.metadata.engine import open_metadata
from vexobj_storage.metadata.statement import Statement, insert_for
from vexobj_storage.metadata.tables import Facts
from vexobj_storage.metadata.tx import MetaStore, Row, Tx

PUT = Statement(lambda dialect: insert_for(dialect, Facts))
GET = Statement(lambda _: select(col(Facts.value)).where(col(Facts.name) == bindparam("key")))


async def put(tx: Tx, name: str) -> None:
    await tx.run(PUT, name=name, value="v" * 300)


async def get(tx: Tx, name: str) -> Row | None:
    return await tx.one(GET, key=name)


async def commits(metadata: MetaStore, tasks: int, seconds: float) -> str:
    latencies: list[float] = []
    end = time.perf_counter() + seconds

    async def client(number: int) -> None:
        while (began := time.perf_counter()) < end:
            await metadata.write(put, f"{tasks}-{number}-{len(latencies)}-{began}")
            latencies.append(time.perf_counter() - began)

    await asyncio.gather(*(client(number) for number in range(tasks)))
    milliseconds = statistics.quantiles((latency * 1000 for latency in latencies), n=100)
    rate = len(latencies) / seconds
    return f"{rate:9,.0f}/s   p50 {milliseconds[49]:.2f} ms   p99 {milliseconds[98]:.2f} ms"


async def read_microseconds(metadata: MetaStore, rounds: int) -> float:
    await metadata.write(put, "known")
    best = float("inf")
    for _ in range(5):
        began = time.perf_counter()
        for _ in range(rounds):
            await metadata.read(get, "known")
        best = min(best, (time.perf_counter() - began) / rounds)
    return best * 1e6


async def measure(url: str | None, seconds: float) -> None:
    with tempfile.TemporaryDirectory() as directory:
        metadata = await open_metadata(Path(directory), url)
        print(f"{metadata.dialect}, SQLite {sqlite3.sqlite_version}")
        for tasks in (1, 16, 64, 256):
            print(f"commits, {tasks:3} tasks {await commits(metadata, tasks, seconds)}")
        rounds = 20_000 if url is None else 500
        print(f"point read {await read_microseconds(metadata, rounds):.1f} us")
        await metadata.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url")
    parser.add_argument("--seconds", type=float, default=2.0)
    arguments = parser.parse_args()
    uvloop.run(measure(arguments.url, arguments.seconds))


if __name__ == "__main__":
    main()
