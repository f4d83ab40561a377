"""The doctor's look at what takes the room: by bucket, and what will be free when."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from vexobj_server.bootstrap import store_config
from vexobj_server.commands.findings import Finding, Verdict
from vexobj_server.services.disk import tree_bytes
from vexobj_server.settings import Settings
from vexobj_server.sizes import human_size
from vexobj_storage import Bucket, BucketUsage, Damage, StoredBytes
from vexobj_storage.metadata.ops.buckets import list_buckets
from vexobj_storage.metadata.ops.findings import counts
from vexobj_storage.metadata.ops.quotas import threshold
from vexobj_storage.metadata.ops.rootkeys import is_used, root_keys
from vexobj_storage.metadata.ops.stored import stored_bytes
from vexobj_storage.metadata.ops.usage import all_usage
from vexobj_storage.metadata.rows import to_us
from vexobj_storage.metadata.tx import Tx
from vexobj_storage.sealing.keys import WrappedKey, unwrap

_MOST_BUCKETS = 20
_ALL = 1_000_000


@dataclass(frozen=True, slots=True)
class Contents:
    """`buckets` are the largest, with what they hold; `all_buckets` is how many there are.

    `findings` are those of scrub; of each root key `sealed_under` tells whether a blob needs it.
    """

    buckets: Sequence[tuple[Bucket, BucketUsage]]
    all_buckets: int
    room: StoredBytes
    findings: Mapping[Damage, int]
    sealed_under: Sequence[tuple[WrappedKey, bool]]


async def read_contents(tx: Tx, grace: timedelta) -> Contents:
    """A read of the metadata, as the store's own operations are."""
    buckets = (await list_buckets(tx, None, "", "", _ALL)).items
    used = {each.bucket_id: each for each in await all_usage(tx)}
    each = [(bucket, used.get(bucket.id) or BucketUsage(bucket.id, 0, 0)) for bucket in buckets]
    each.sort(key=lambda pair: pair[1].all_bytes, reverse=True)
    grace_us = round(grace / timedelta(microseconds=1))
    taken = await stored_bytes(tx, to_us(datetime.now(UTC)), grace_us)
    keys = [(key, await is_used(tx, key.key_id)) for key in await root_keys(tx)]
    return Contents(each[:_MOST_BUCKETS], len(each), taken, await counts(tx), keys)


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

    yield from _findings(contents.findings)
    yield from _keys(contents.sealed_under, settings)


def _findings(found: Mapping[Damage, int]) -> Iterator[Finding]:
    for damage, count in found.items():
        yield Finding(
            Verdict.WARNING,
            f"Scrub has found {count} blobs that are {damage.name.lower()}: `vexobjctl scrub"
            " findings` names the objects.",
        )


def _keys(keys: Sequence[tuple[WrappedKey, bool]], settings: Settings) -> Iterator[Finding]:
    """Whether each root key can be had from the master keys of the settings."""
    masters = store_config(settings).master_keys
    for key, is_needed in keys:
        if unwrap(key, masters) is not None:
            continue
        verdict = Verdict.FAILURE if is_needed or settings.sse.enabled else Verdict.WARNING
        use = "Objects are encrypted under it" if is_needed else "Nothing is encrypted under it"
        yield Finding(
            verdict,
            f"Root key {key.key_id} is wrapped by master key {key.master_key_id}, which is not"
            f" among those of the settings, or was changed. {use}.",
        )
    usable = sum(unwrap(key, masters) is not None for key, _ in keys)
    if usable and usable == len(keys):
        yield Finding(Verdict.FINE, f"The master key opens every root key: {usable}.")


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
