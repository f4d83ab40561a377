"""What encryption at rest costs: the same puts and gets with it and without, in turn in one run.

Contents are random, so that nothing is shared. A get is what `ObjectStore.read` or `read_now`
gives; that a server sends whole plain files without reading them is not in it.
"""

import os
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

import uvloop
from figures import Figure, figure, publish

from vexobj_storage import Bucket, MasterKey, ObjectAttributes, ObjectStore, StoreConfig

RUNS = 15
CHUNK = 320 * 1024
ATTRIBUTES = ObjectAttributes(owner_id="o" * 64)
SIZES = (("64 KiB", 64 * 1024, 64), ("64 MiB", 64 * 1024**2, 1))

Work = Callable[[], Awaitable[None]]
Pair = tuple[float, float]


async def chunks(data: bytes) -> AsyncIterator[bytes]:
    view = memoryview(data)
    for at in range(0, len(data), CHUNK):
        yield bytes(view[at : at + CHUNK])


async def put(store: ObjectStore, bucket: Bucket, name: bytes, data: bytes) -> None:
    staged = await store.stage(chunks(data), size=len(data))
    await store.put_object(bucket, name, staged, ATTRIBUTES)


async def get(store: ObjectStore, bucket: Bucket, name: bytes) -> None:
    stored = await store.get_object(bucket, name)
    size = stored.version.size
    if size <= 256 * 1024 and store.read_now(stored, 0, size) is not None:
        return
    async for _ in store.read(stored):
        pass


async def spent(work: Work) -> Pair:
    """Seconds that passed, and seconds of CPU of the whole process."""
    began, cpu = time.perf_counter(), time.process_time()
    await work()
    return time.perf_counter() - began, time.process_time() - cpu


def compared(name: str, plain: Sequence[Pair], sealed: Sequence[Pair]) -> list[Figure]:
    rows = []
    for index, of in enumerate(("time", "CPU")):
        ratios = [b[index] / a[index] * 100 for a, b in zip(plain, sealed, strict=True)]
        rows.append(figure(f"{name}, {of}, sealed to plain", "%", ratios))
    return rows


async def measure(directory: Path) -> list[Figure]:
    plain = await ObjectStore.open(StoreConfig(directory / "plain"))
    keys = (MasterKey(os.urandom(32)),)
    sealed = await ObjectStore.open(
        StoreConfig(directory / "sealed", master_keys=keys, encrypt=True)
    )
    stores = [(store, await store.create_bucket("bucket", "o" * 64)) for store in (plain, sealed)]
    rows = []
    for name, size, count in SIZES:
        writes: list[list[Pair]] = [[], []]
        reads: list[list[Pair]] = [[], []]
        for run in range(RUNS):
            contents = [os.urandom(size) for _ in range(count)]
            for index in (0, 1) if run % 2 else (1, 0):
                store, bucket = stores[index]

                async def put_all(store: ObjectStore = store, bucket: Bucket = bucket) -> None:
                    for number, data in enumerate(contents):  # noqa: B023 - it is run at once
                        await put(store, bucket, b"%d" % number, data)

                async def get_all(store: ObjectStore = store, bucket: Bucket = bucket) -> None:
                    for number in range(count):  # noqa: B023 - it is run at once
                        await get(store, bucket, b"%d" % number)

                writes[index].append(await spent(put_all))
                await get_all()
                reads[index].append(await spent(get_all))
        rows += compared(f"put of {name}", *writes)
        rows += compared(f"get of {name}", *reads)
    for store, _ in stores:
        await store.close()
    return rows


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        publish("encryption", uvloop.run(measure(Path(directory))))


if __name__ == "__main__":
    main()
