"""One pass over the buckets that have lifecycle rules: it reads pages, and has done what is due."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, fields

from vexobj_storage import lifecycle
from vexobj_storage.errors import NoSuchBucket, NoSuchUpload
from vexobj_storage.lifecycle import Fate, LifecycleRule
from vexobj_storage.metadata.history import History, Seen
from vexobj_storage.metadata.ops import buckets, facts, listing, multipart
from vexobj_storage.metadata.ops import lifecycle as ops
from vexobj_storage.metadata.ops.walk import increment
from vexobj_storage.metadata.rows import to_us
from vexobj_storage.metadata.tx import MetaStore
from vexobj_storage.types import Bucket, LifecycleReport, Upload

_PAGE = 256
"""Judging one keeps the event loop for about a millisecond."""
_PAGES_A_MARK = 4
_UPLOADS = 1000
_PIECE = 100
_BUCKETS = 1000
_CURSOR = "lifecycle sweep"


@dataclass(frozen=True, slots=True)
class Pace:
    """For each second of work, `rest` seconds of rest. `resumes` tells whether a mark is kept."""

    rest: float = 0.0
    resumes: bool = False


class LifecycleSweep:
    """`now_us` is what time it is all the while, `day_us` how long a day is."""

    def __init__(self, metadata: MetaStore, now_us: int, day_us: int, pace: Pace) -> None:
        self._metadata = metadata
        self._now_us = now_us
        self._day_us = day_us
        self._pace = pace
        self._done = LifecycleReport()

    async def run(self) -> LifecycleReport:
        mark = await self._metadata.read(facts.recall, _CURSOR) if self._pace.resumes else None
        begin, start = ("", b"") if mark is None else (mark["bucket"], bytes.fromhex(mark["key"]))
        async for bucket in ruled_buckets(self._metadata):
            if bucket.name >= begin:
                await self._sweep(bucket, start if bucket.name == begin else b"")
        if self._pace.resumes:
            await self._metadata.write(facts.forget, _CURSOR)
        return self._done

    async def _sweep(self, bucket: Bucket, start: bytes) -> None:
        rules = lifecycle.load(bucket.settings)
        for prefix in lifecycle.prefixes(rules):
            low, high = max(prefix, start), increment(prefix)
            if low < high:
                await self._span(bucket, rules, low, high)
        if any(rule.abort_upload_days for rule in rules):
            await self._uploads(bucket, rules)

    async def _span(
        self, bucket: Bucket, rules: Sequence[LifecycleRule], low: bytes, high: bytes
    ) -> None:
        """The keys from `low` to below `high`."""
        history, skip = History(), -1
        for number in itertools.count(1):
            began = time.monotonic()
            page = await self._metadata.scan(ops.scan, bucket.id, low, skip, high, _PAGE)
            is_last = len(page) < _PAGE
            due = [
                seen for seen in history.feed(page, is_last=is_last) if self._is_due(rules, seen)
            ]
            for at in range(0, len(due), _PIECE):
                await self._expire(bucket, due[at : at + _PIECE])
            if is_last:
                return
            low, skip = page[-1][0], page[-1][1]
            if self._pace.resumes and number % _PAGES_A_MARK == 0:
                mark = {"bucket": bucket.name, "key": low.hex()}
                await self._metadata.write(facts.remember, _CURSOR, mark)
            await asyncio.sleep((time.monotonic() - began) * self._pace.rest)

    def _is_due(self, rules: Sequence[LifecycleRule], seen: Seen) -> bool:
        fate = lifecycle.decide(rules, seen.facts, self._now_us, self._day_us)
        return fate is not Fate.KEEP

    async def _expire(self, bucket: Bucket, due: Sequence[Seen]) -> None:
        try:
            report = await self._metadata.write(
                ops.expire, bucket.id, due, self._now_us, self._day_us
            )
        except NoSuchBucket:
            return
        self._add(report)

    async def _uploads(self, bucket: Bucket, rules: Sequence[LifecycleRule]) -> None:
        key, upload_id = b"", None
        while True:
            page = await self._metadata.scan(
                listing.list_uploads, bucket.id, b"", b"", key, upload_id, _UPLOADS
            )
            for upload in page.uploads:
                began_us = to_us(upload.created_at)
                if lifecycle.aborts(rules, upload.key, began_us, self._now_us, self._day_us):
                    ended = await abort(self._metadata, bucket, upload, self._now_us)
                    self._add(LifecycleReport(uploads_aborted=int(ended)))
            if page.next_key is None:
                return
            key, upload_id = page.next_key, page.next_upload_id

    def _add(self, more: LifecycleReport) -> None:
        names = [each.name for each in fields(LifecycleReport) if each.name != "held"]
        sums = {name: getattr(self._done, name) + getattr(more, name) for name in names}
        self._done = LifecycleReport(**sums)


async def ruled_buckets(metadata: MetaStore) -> AsyncIterator[Bucket]:
    """The buckets that have rules, by name."""
    after = ""
    while True:
        page = await metadata.scan(buckets.list_buckets, None, "", after, _BUCKETS)
        for bucket in page.items:
            if lifecycle.load(bucket.settings):
                yield bucket
        if page.after is None:
            return
        after = page.items[-1].name


async def abort(metadata: MetaStore, bucket: Bucket, upload: Upload, now_us: int) -> bool:
    """False when somebody else ended it."""
    try:
        await metadata.write(multipart.abort_upload, bucket, upload.key, upload.upload_id, now_us)
    except (NoSuchUpload, NoSuchBucket):
        return False
    return True
