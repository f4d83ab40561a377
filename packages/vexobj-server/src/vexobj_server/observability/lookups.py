"""Numbers that are looked up when they are asked for: of processes, the disk and buckets."""

import contextlib
import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from vexobj_server.observability import families
from vexobj_server.observability.families import Family
from vexobj_server.observability.page import Labels, ReadPage
from vexobj_storage import Bucket, BucketUsage, DeliveryCounts, ObjectStore, Quota

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_MOST_BUCKETS = 1000
_BROKER = "broker"
_UNSTEADY = 3


@dataclass(frozen=True, slots=True)
class Sample:
    family: Family
    value: float
    labels: Labels = ()


def disk_samples(data_dir: Path) -> Iterator[Sample]:
    usage = shutil.disk_usage(data_dir)
    yield Sample(families.DISK_FREE, usage.free)
    yield Sample(families.DISK_USED, usage.used)
    yield Sample(families.DISK_SIZE, usage.total)


async def bucket_samples(store: ObjectStore) -> list[Sample]:
    """Raises: what the store's metadata raises when it is out of reach."""
    buckets: dict[int, Bucket] = {}
    page = await store.list_buckets()
    buckets |= {bucket.id: bucket for bucket in page.items}
    while page.after is not None:
        page = await store.list_buckets(after=str(page.after))
        buckets |= {bucket.id: bucket for bucket in page.items}
    used = {each.bucket_id: each for each in await store.all_usage()}
    usages = [used.get(bucket_id, BucketUsage(bucket_id, 0, 0)) for bucket_id in buckets]
    usages.sort(key=lambda usage: usage.bytes, reverse=True)
    samples = [Sample(families.BUCKETS, len(buckets))]
    for usage in usages[:_MOST_BUCKETS]:
        bucket = buckets[usage.bucket_id]
        labels = (("bucket", bucket.name),)
        hidden = usage.noncurrent_bytes + usage.upload_bytes
        samples += (
            Sample(families.BUCKET_OBJECTS, usage.objects, labels),
            Sample(families.BUCKET_BYTES, usage.bytes, labels),
            Sample(families.BUCKET_NONCURRENT_BYTES, hidden, labels),
        )
        quota = bucket.quota or Quota()
        if quota.max_bytes is not None:
            samples.append(Sample(families.BUCKET_QUOTA_BYTES, quota.max_bytes, labels))
        if quota.max_objects is not None:
            samples.append(Sample(families.BUCKET_QUOTA_OBJECTS, quota.max_objects, labels))
    return samples


async def webhook_samples(store: ObjectStore, now: datetime) -> list[Sample]:
    """Raises: what the store's metadata raises when it is out of reach."""
    webhooks, counts = await store.webhooks(), await store.delivery_counts()
    samples: list[Sample] = []
    for webhook in webhooks:
        labels, found = (("webhook", webhook.id),), counts.get(webhook.id, DeliveryCounts())
        oldest_at = found.oldest_at or now
        samples += (
            Sample(families.WEBHOOK_BACKLOG, found.waiting, labels),
            Sample(families.WEBHOOK_DEAD, found.dead, labels),
            Sample(families.WEBHOOK_OLDEST, max(0.0, (now - oldest_at).total_seconds()), labels),
        )
    return samples


async def backup_samples(store: ObjectStore) -> list[Sample]:
    """Raises: what the store's metadata raises when it is out of reach."""
    state = await store.backup_state()
    samples = [Sample(families.BACKUP_FAILED, int(state.failure is not None))]
    if state.last is not None:
        samples += (
            Sample(families.BACKUP_TIME, state.last.began_at.timestamp()),
            Sample(families.BACKUP_BYTES, state.last.bytes),
            Sample(families.BACKUP_DAMAGED, state.last.damaged),
        )
    return samples


def process_samples(pages: Iterable[ReadPage]) -> Iterator[Sample]:
    """Of the processes that live, and of the broker's decoders; nothing where there is no /proc."""
    for page in pages:
        process = _process(page.pid) if page.alive else None
        if process is None:
            continue
        labels = (("role", page.role), ("pid", str(page.pid)))
        yield Sample(families.PROCESS_MEMORY, process.resident_bytes, labels)
        yield Sample(families.PROCESS_CPU, process.cpu_seconds, labels)
        yield Sample(families.PROCESS_FILES, process.open_files, labels)
        if page.role == _BROKER:
            decoders = _children(process)
            labels = (("role", "decoder"), ("pid", "all"))
            yield Sample(families.PROCESS_MEMORY, decoders.resident_bytes, labels)
            yield Sample(families.PROCESS_CPU, decoders.cpu_seconds, labels)
            yield Sample(families.PROCESS_FILES, decoders.open_files, labels)


@dataclass(frozen=True, slots=True)
class _Process:
    """`ended_seconds` is the processor time of its children that ended."""

    pid: int
    resident_bytes: int
    cpu_seconds: float
    open_files: int
    ended_seconds: float = 0.0


def _process(pid: int) -> _Process | None:
    proc = Path("/proc") / str(pid)
    try:
        resident = int((proc / "statm").read_text(encoding="ascii").split()[1])
        # The command's name stands in parentheses and may hold anything.
        fields = (proc / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        open_files = sum(1 for _ in (proc / "fd").iterdir())
        own, ended = (sum(map(int, fields[at : at + 2])) / _TICKS for at in (11, 13))
    except (OSError, IndexError, ValueError):
        return None
    return _Process(pid, resident * _PAGE_BYTES, own, open_files, ended)


def _children(parent: _Process) -> _Process:
    """All of them as one, which never goes back in time: looked at until none ended meanwhile."""
    living, before = _living_children(parent.pid), parent
    for _ in range(_UNSTEADY):
        after = _process(parent.pid) or before
        if after.ended_seconds == before.ended_seconds:
            break
        living, before = _living_children(parent.pid), after
    return _Process(
        parent.pid,
        sum(each.resident_bytes for each in living),
        sum((each.cpu_seconds for each in living), before.ended_seconds),
        sum(each.open_files for each in living),
    )


def _living_children(pid: int) -> list[_Process]:
    pids: list[int] = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            pids += map(int, (task / "children").read_text(encoding="ascii").split())
    return [each for each in map(_process, pids) if each is not None]
