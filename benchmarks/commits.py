"""What group commit is worth: as many clients as stand there write to SQLite, one row each time.

Beside it the same with a transaction for each write, which is what a batch of one is. Every write
is on disk when it returns. The runs take turns, so that the disk's moods fall on both.
"""

import asyncio
import itertools
import tempfile
import time
from pathlib import Path

import uvloop
from figures import Figure, figure, publish

from vexobj_storage.metadata.connections import SqliteFiles
from vexobj_storage.metadata.migrate import migrate_sqlite
from vexobj_storage.metadata.ops import facts
from vexobj_storage.metadata.sqlite import SqliteConfig, SqliteMetaStore
from vexobj_storage.metadata.tx import MetaStore
from vexobj_storage.metadata.writer import WriterLimits

RUNS = 7
SECONDS = 0.5
CLIENTS = (1, 16, 64)
ALONE = SqliteConfig(limits=WriterLimits(batch_operations=1))


async def rate(metadata: MetaStore, clients: int) -> float:
    """Commits per second."""
    numbers, end = itertools.count(), time.perf_counter() + SECONDS

    async def client() -> int:
        count = 0
        while time.perf_counter() < end:
            await metadata.write(facts.remember, f"name-{next(numbers) % 1000}", "v" * 300)
            count += 1
        return count

    began = time.perf_counter()
    counts = await asyncio.gather(*(client() for _ in range(clients)))
    return sum(counts) / (time.perf_counter() - began)


async def measure(directory: Path) -> list[Figure]:
    engines = []
    for name, config in (("grouped", SqliteConfig()), ("alone", ALONE)):
        (directory / name).mkdir()
        migrate_sqlite(SqliteFiles(directory / name))
        engines.append(SqliteMetaStore(directory / name, config))
    rows = []
    for clients in CLIENTS:
        pairs = [[await rate(engine, clients) for engine in engines] for _ in range(RUNS)]
        grouped, alone = zip(*pairs, strict=True)
        name = f"commits, {clients} clients"
        rows += [
            figure(f"{name}, in groups", "1/s", grouped),
            figure(f"{name}, a transaction each", "1/s", alone),
            figure(f"{name}, in groups to each", "times", [a / b for a, b in pairs]),
        ]
    for engine in engines:
        await engine.close()
    return rows


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        publish("commits", uvloop.run(measure(Path(folder))))


if __name__ == "__main__":
    main()
