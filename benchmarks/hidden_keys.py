"""A listing of keys of which 999 in 1,000 are hidden by delete markers, beside one of as many live.

Both buckets answer the same 100 keys; one of them has 100,000.
"""

import asyncio
import tempfile
import time
from pathlib import Path

import uvloop
from figures import Figure, figure, publish

from vexobj_storage import (
    Bucket,
    BucketChange,
    ObjectAttributes,
    ObjectName,
    ObjectStore,
    StoreConfig,
    Versioning,
)

KEYS = 100_000
STRIDE = 1_000
RUNS = 15
PIECE = 1_000
ATTRIBUTES = ObjectAttributes(owner_id="o" * 64)


def key(number: int) -> bytes:
    return b"media/%08d.jpg" % number


async def made(store: ObjectStore, name: str, stride: int) -> Bucket:
    """Every `stride`-th of the keys, with versions."""
    await store.create_bucket(name, "o" * 64)
    bucket = await store.update_bucket(name, BucketChange(versioning=Versioning.ENABLED))
    numbers = range(0, KEYS, stride)
    for at in range(0, len(numbers), PIECE):
        await asyncio.gather(
            *(
                store.put_object(bucket, key(n), store.stage_bytes(b"%d" % n), ATTRIBUTES)
                for n in numbers[at : at + PIECE]
            )
        )
    return bucket


async def hide(store: ObjectStore, bucket: Bucket) -> None:
    names = [ObjectName(key(number)) for number in range(KEYS) if number % STRIDE]
    for at in range(0, len(names), PIECE):
        await store.delete_objects(bucket, names[at : at + PIECE])


async def listing(store: ObjectStore, bucket: Bucket) -> float:
    """Milliseconds."""
    began = time.perf_counter()
    page = await store.list_objects(bucket)
    taken = (time.perf_counter() - began) * 1e3
    assert len(page.objects) == KEYS // STRIDE
    return taken


async def measure(directory: Path) -> list[Figure]:
    store = await ObjectStore.open(StoreConfig(directory))
    live = await made(store, "live", STRIDE)
    hidden = await made(store, "hidden", 1)
    await hide(store, hidden)
    pairs = [[await listing(store, each) for each in (hidden, live)] for _ in range(RUNS)]
    await store.close()
    of_hidden, of_live = zip(*pairs, strict=True)
    return [
        figure("listing 100 keys, no others", "ms", of_live),
        figure("listing 100 keys among 99,900 hidden ones", "ms", of_hidden),
        figure("hidden to none", "times", [a / b for a, b in pairs]),
    ]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        publish("hidden_keys", uvloop.run(measure(Path(folder))))


if __name__ == "__main__":
    main()
