"""The broker's work: one computation per key, within one queue and one memory budget."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Coroutine
from dataclasses import asdict
from typing import Any

from vexobj_cache import SingleFlight
from vexobj_processing import (
    ImagePool,
    JobCrashed,
    JobTimeout,
    Preference,
    ProcessingError,
    Rendered,
    Transform,
)
from vexobj_processing.messages import error_message, read_error
from vexobj_server.media.config import BrokerConfig
from vexobj_server.media.errors import MediaBusy
from vexobj_server.media.protocol import BrokerStats, MediaFile, Message, Rendering
from vexobj_server.media.variantcache import VariantCache
from vexobj_server.observability.variants import BrokerMetrics

_FAILURE_SECONDS = 60.0
_MOST_FAILURES = 4096
_RETRY_AFTER_SECONDS = 1.0


class Renderer:
    """For one event loop; `disk` and `metrics` are owned by their maker."""

    def __init__(
        self, config: BrokerConfig, disk: VariantCache | None, metrics: BrokerMetrics | None = None
    ) -> None:
        self._pool = ImagePool(
            config.workers,
            limits=config.limits,
            encoding=config.encoding,
            memory_bytes=config.memory_bytes,
            child_memory_bytes=config.child_memory_bytes,
            job_seconds=config.job_seconds,
            jobs_per_child=config.jobs_per_child,
        )
        self._disk = disk
        self._metrics = metrics
        self._most_admitted = config.workers + config.queue_size
        self._admitted = 0
        self._slots = asyncio.Semaphore(config.workers)
        self._flights: SingleFlight[str, Rendering] = SingleFlight()
        self._failures = _Failures()
        self._running: set[asyncio.Task[Rendering]] = set()
        self._stats = BrokerStats()

    async def render(
        self, key: str, source: MediaFile, transform: Transform, preference: Preference
    ) -> Rendering:
        """The variant named `key`, from the disk cache, from a computation under way, or anew.

        Who leaves, leaves alone; a job that nobody waits for any more is dropped while it is
        queued, and kept for the cache once it runs. What an image fails with is remembered for a
        minute, because it would fail so again.

        Raises:
            ProcessingError: as ImagePool.transform.
            MediaBusy: the queue is full.
        """

        def look_up() -> Coroutine[Any, Any, Rendering]:
            # With a file of its own: who asked first may be the first to leave.
            return self._look_up(key, source.copy(), transform, preference)

        try:
            return await self._flights.run(key, look_up)
        finally:
            self.tell()

    def stats(self) -> BrokerStats:
        stats = self._stats
        stats.joined = self._flights.joined
        stats.children_started = self._pool.children_started
        stats.running = len(self._running)
        stats.queue_length = self._admitted - stats.running
        if self._disk:
            stats.cache_bytes = self._disk.stats.bytes
            stats.cache_entries = self._disk.stats.entries
            stats.cache_evictions = self._disk.stats.evictions
        return stats

    def tell(self) -> None:
        """Put the counts where others can read them."""
        if self._metrics:
            counts = asdict(self.stats())
            # Found on disk after a worker had not: another worker's question put it there.
            counts["joined"] += counts.pop("hits")
            del counts["misses"]
            self._metrics.stand(**counts)

    async def close(self) -> None:
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        await self._pool.close()

    async def _look_up(
        self, key: str, source: MediaFile, transform: Transform, preference: Preference
    ) -> Rendering:
        job = None
        try:
            self._failures.check(key)
            cached = await self._disk.find(key) if self._disk else None
            if cached:
                self._stats.hits += 1
                return cached
            self._stats.misses += 1
            await self._admit()
            job = asyncio.create_task(self._compute(key, source, transform, preference))
        finally:
            if job is None:
                source.close()
        self._running.add(job)
        self.tell()
        job.add_done_callback(self._finished)
        return await asyncio.shield(job)

    async def _admit(self) -> None:
        """Wait for a slot, which `_finished` gives back."""
        if self._admitted >= self._most_admitted:
            self._stats.rejections += 1
            raise MediaBusy(_RETRY_AFTER_SECONDS)
        self._admitted += 1
        self.tell()
        try:
            await self._slots.acquire()
        except asyncio.CancelledError:
            self._admitted -= 1
            raise

    def _finished(self, job: asyncio.Task[Rendering]) -> None:
        self._running.discard(job)
        self._admitted -= 1
        self._slots.release()
        self.tell()
        if not job.cancelled():
            job.exception()  # all who asked may have left: not worth a warning

    async def _compute(
        self, key: str, source: MediaFile, transform: Transform, preference: Preference
    ) -> Rendering:
        self._stats.computations += 1
        began = time.monotonic()
        try:
            rendered = await self._decode(source.fileno(), transform, preference)
        except ProcessingError as error:
            if isinstance(error, JobTimeout):
                self._stats.timeouts += 1
            else:
                self._stats.failures += 1
            self._failures.remember(key, error)
            raise
        finally:
            source.close()
            if self._metrics:
                self._metrics.computed(time.monotonic() - began)
        rendering = Rendering(
            MediaFile(rendered.fd, 0, rendered.size), rendered.content_type, cached=False
        )
        if self._disk:
            await self._disk.keep(key, rendering)
        return rendering

    async def _decode(
        self, source_fd: int, transform: Transform, preference: Preference
    ) -> Rendered:
        try:
            return await self._pool.transform(source_fd, transform, preference)
        except JobCrashed:
            # A kernel short of memory kills whom it likes: only a second death is the image's.
            return await self._pool.transform(source_fd, transform, preference)


class _Failures:
    """What images failed with lately; the oldest is forgotten when there are too many."""

    def __init__(self) -> None:
        # As messages: an exception that was raised holds on to every file of its traceback.
        self._known: OrderedDict[str, tuple[float, Message]] = OrderedDict()

    def check(self, key: str) -> None:
        """Raises: ProcessingError, again."""
        known = self._known.get(key)
        if known is None:
            return
        until, message = known
        if time.monotonic() < until:
            raise read_error(message)
        del self._known[key]

    def remember(self, key: str, error: ProcessingError) -> None:
        self._known[key] = (time.monotonic() + _FAILURE_SECONDS, error_message(error))
        while len(self._known) > _MOST_FAILURES:
            self._known.popitem(last=False)
