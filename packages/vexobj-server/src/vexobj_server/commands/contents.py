"""The doctor's look at what takes the room: by bucket, and what will be free when."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from vexobj_server.commands.findings import Finding, Verdict
from vexobj_server.services.disk import tree_bytes
from vexobj_server.settings import Settings
from vexobj_server.sizes import human_size
from vexobj_storage import Bucket, BucketUsage, Room
from vexobj_storage.metadata.ops.buckets import list_buckets
from vexobj_storage.metadata.ops.quotas import threshold
from vexobj_storage.metadata.ops.room import room
from vexobj_storage.metadata.ops.usage import all_usage
from vexobj_storage.metadata.rows import to_us
from vexobj_storage.metadata.tx import Tx

_MOST_BUCKETS = 20
_ALL = 1_000_000


@dataclass(frozen=True, slots=True)
class Contents:
    """`buckets` are the largest, with what they hold; `all_buckets` is how many there are."""

    buckets: Sequence[tuple[Bucket, BucketUsage]]
    all_buckets: int
    room: Room


async def read_contents(tx: Tx, grace: timedelta) -> Contents:
    """A read of the metadata, as the store's own operations are."""
    buckets = (await list_buckets(tx, None, "", "", _ALL)).items
    used = {each.bucket_id: each for each in await all_usage(tx)}
    each = [(bucket, used.get(bucket.id) or BucketUsage(bucket.id, 0, 0)) for bucket in buckets]
    each.sort(key=lambda pair: pair[1].all_bytes, reverse=True)
    grace_us = round(grace / timedelta(microseconds=1))
    taken = await room(tx, to_us(datetime.now(UTC)), grace_us)
    return Contents(each[:_MOST_BUCKETS], len(each), taken)


def explain(contents: Contents, settings: Settings) -> Iterator[Finding]:
    for bucket, used in contents.buckets:
        yield from _bucket(bucket, used)
    if contents.all_buckets > len(contents.buckets):
        rest = contents.all_buckets - len(contents.buckets)
        yield Finding(Verdict.FINE, f"There are {rest} more buckets, each smaller than these.")
    room = contents.room
    yield Finding(
        Verdict.FINE,
        f"In use are {human_size(room.live_bytes)} in the blob store and"
        f" {human_size(room.inline_bytes)} in the metadata: {room.live_blobs} blobs, each counted"
        f" once; the variant cache takes {human_size(tree_bytes(settings.cache_dir))}.",
    )
    if room.last_due_at is not None:
        until = room.last_due_at.strftime("%Y-%m-%dT%H:%M:%SZ")
        yield Finding(
            Verdict.FINE,
            f"{human_size(room.waiting_bytes + room.unused_bytes)} were deleted and wait for"
            f" garbage collection, the last until {until}.",
        )


def _bucket(bucket: Bucket, used: BucketUsage) -> Iterator[Finding]:
    sentence = f"Bucket {bucket.name}: {used.objects} objects, {human_size(used.bytes)}"
    if used.noncurrent_objects:
        older = human_size(used.noncurrent_bytes)
        sentence += f"; {used.noncurrent_objects} noncurrent versions, {older}"
    if used.upload_bytes:
        sentence += f"; parts of unfinished uploads, {human_size(used.upload_bytes)}"
    percent = 0 if bucket.quota is None else threshold(bucket.quota, used)
    if percent:
        yield Finding(Verdict.WARNING, f"{sentence}. That is {percent} % of its quota or more.")
    else:
        yield Finding(Verdict.FINE, f"{sentence}.")
