"""The composition root: the only place where the parts of the server are put together."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.metadata import version
from pathlib import Path

from starlette.types import ASGIApp, Receive, Scope, Send

from vexobj_auth import ALL_PERMISSIONS, AccessKey, Principal, SecretBox
from vexobj_cache import DiskCacheReader, MemoryCache
from vexobj_s3compat import S3App
from vexobj_server.bootstrap import CACHE_KEY, store_config
from vexobj_server.capabilities import capabilities
from vexobj_server.cpus import HomeProcessor
from vexobj_server.dispatch import Apps, Dispatcher
from vexobj_server.jobs.loops import running
from vexobj_server.jobs.sealing import rewriting, root_keys
from vexobj_server.jobs.upkeep import (
    backups,
    expiry,
    housekeeping,
    scrubbing,
    trimming,
    upkeep,
)
from vexobj_server.jobs.webhooks import delivering, fanning_out
from vexobj_server.media.client import MediaClient
from vexobj_server.media.config import answer_seconds, image_encoding, image_limits
from vexobj_server.media.variantcache import VariantCache, cache_directory
from vexobj_server.observability.blobservice import BlobServiceMetrics
from vexobj_server.observability.clientaddress import ClientAddresses
from vexobj_server.observability.garbage import GarbageMetrics
from vexobj_server.observability.lifecycle import LifecycleMetrics
from vexobj_server.observability.logs import AccessLog
from vexobj_server.observability.lookups import (
    Sample,
    backup_samples,
    bucket_samples,
    webhook_samples,
)
from vexobj_server.observability.metrics import RequestMetrics
from vexobj_server.observability.page import MetricsPage
from vexobj_server.observability.quotas import tell_quotas
from vexobj_server.observability.rewriting import RewritingMetrics
from vexobj_server.observability.scrub import ScrubMetrics, scrub_samples
from vexobj_server.observability.variants import CacheMetrics
from vexobj_server.observability.webhooks import WebhookMetrics
from vexobj_server.rest.app import rest_app
from vexobj_server.rest.native import NativeApp
from vexobj_server.runtime import Runtime
from vexobj_server.s3.backend import VexObjBackend
from vexobj_server.s3.credentials import StoredCredentials
from vexobj_server.services.access import Access
from vexobj_server.services.audit import Audit
from vexobj_server.services.backups import server_backups
from vexobj_server.services.buckets import HostAliases
from vexobj_server.services.context import Services
from vexobj_server.services.disk import disk_room, tree_bytes
from vexobj_server.services.egress import Egress, EgressLimits
from vexobj_server.services.expirations import Expirations
from vexobj_server.services.identities import Identities, StoredKeys
from vexobj_server.services.lifecycle import Lifecycle
from vexobj_server.services.scrub import Scrub
from vexobj_server.services.variants import Variants
from vexobj_server.services.webhooks import Webhooks
from vexobj_server.settings import Settings
from vexobj_storage import (
    GcReport,
    KeyRing,
    ObjectStore,
    StorageError,
    StoreConfig,
    Throttle,
    open_blobs,
    open_metadata,
)

_VERSION = version("vexobj-server")
_log = logging.getLogger(__name__)

App = Callable[[Scope, Receive, Send], Awaitable[None]]


def create_app(runtime: Runtime) -> "Application":
    """The application of one worker process."""
    return Application(runtime)


class Application:
    """An ASGI callable: opens everything at the lifespan's start, closes it at its end.

    Granian ends the lifespan as soon as the last byte of the last answer has left it, while the
    request that sent it still has to be counted and logged: the end waits for such requests.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._serve: App | None = None
        self._running = 0
        self._idle = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            assert self._serve is not None, "a request before the lifespan began"
            self._running += 1
            try:
                await self._serve(scope, receive, send)
            finally:
                self._running -= 1
                if not self._running:
                    self._idle.set()
        elif scope["type"] == "lifespan":
            await self._live(receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            async with (
                _home(self._runtime) as home,
                open_server(self._runtime, home.leave) as serve,
            ):
                self._serve = serve
                home.keep()  # and with it the threads that Granian starts after this
                await send({"type": "lifespan.startup.complete"})
                await receive()
                await self._ended()
        except Exception as error:  # noqa: BLE001 - told to the server, which stops
            _log.exception("the worker could not start, or not end well")
            kind = "startup" if self._serve is None else "shutdown"
            await send({"type": f"lifespan.{kind}.failed", "message": str(error)})
            return
        await send({"type": "lifespan.shutdown.complete"})

    async def _ended(self) -> None:
        """Every request has; one that a client stalls is ended by `server.shutdown_timeout`."""
        while self._running:
            self._idle.clear()
            await self._idle.wait()


@contextlib.asynccontextmanager
async def _home(runtime: Runtime) -> AsyncIterator[HomeProcessor]:
    """Of one worker; its pool of threads is to run anywhere."""
    with contextlib.closing(HomeProcessor(runtime.directory)) as home:
        pool = ThreadPoolExecutor(thread_name_prefix="worker", initializer=home.leave)
        asyncio.get_running_loop().set_default_executor(pool)
        yield home


@contextlib.asynccontextmanager
async def open_server(
    runtime: Runtime, thread_initializer: Callable[[], None] | None = None
) -> AsyncIterator[Dispatcher]:
    """All of one worker; what is opened is closed in the opposite order.

    `thread_initializer` is called by threads that read, write and hash blobs.
    """
    settings = runtime.settings
    async with contextlib.AsyncExitStack() as stack:
        page = MetricsPage(runtime.metrics_dir, "worker")
        stack.callback(page.close)
        config = _observed(store_config(settings), BlobServiceMetrics(page))
        metadata = await open_metadata(config.data_dir, config.metadata_url, config.durability)
        sealing = await KeyRing.open(
            metadata, config.master_keys, seal=config.encrypt, now_us=round(time.time() * 1e6)
        )
        blobs = await open_blobs(config, metadata, thread_initializer=thread_initializer)
        store = ObjectStore(config, metadata, blobs, keys=sealing)
        stack.push_async_callback(store.close)
        box = SecretBox(runtime.server_secret)
        keys = StoredKeys(store)
        everyone = None if settings.auth.enabled else await _everyone(keys)
        identities = Identities(store, box, everyone=everyone)
        stack.push_async_callback(identities.flush_last_used)
        client = MediaClient(runtime.broker_socket, deadline_seconds=answer_seconds(settings))
        stack.push_async_callback(client.close)
        variants = _variants(settings, client, store, CacheMetrics(page))
        collect = partial(_collect_garbage, store, GarbageMetrics(page))
        lifecycle = _lifecycle(settings, store, LifecycleMetrics(page))
        webhooks = _webhooks(settings, store, box, WebhookMetrics(page))
        stack.push_async_callback(webhooks.close)
        services = _services(
            runtime, store, keys, box, identities, variants, collect, lifecycle, webhooks
        )
        stack.push_async_callback(services.backups.close)
        access_log = None
        if settings.server.access_log:
            access_log = AccessLog(settings.server.log_format)
            stack.callback(access_log.close)
        loops = running(
            metadata,
            once=(
                *upkeep(store, settings.storage, collect, partial(_notice_quotas, store, page)),
                *expiry(lifecycle, settings.lifecycle),
                *rewriting(store, RewritingMetrics(page)),
                *fanning_out(webhooks),
                *scrubbing(_scrub(settings, store, ScrubMetrics(page))),
                trimming(services.audit),
                backups(services.backups),
            ),
            everywhere=(
                *housekeeping(identities, lifecycle),
                *root_keys(store),
                delivering(webhooks),
            ),
        )
        await stack.enter_async_context(loops)
        yield Dispatcher(
            Apps(NativeApp(rest_app(), services), _s3(settings, services)),
            aliases=HostAliases(store),
            s3_domain=settings.server.s3_domain,
            clients=ClientAddresses(settings.server.trusted_proxies),
            metrics=RequestMetrics(page) if settings.metrics.enabled else None,
            access_log=access_log,
        )


def _observed(config: StoreConfig, metrics: BlobServiceMetrics) -> StoreConfig:
    if config.s3 is None:
        return config
    return replace(config, s3=replace(config.s3, observe=metrics.attempted))


def _services(
    runtime: Runtime,
    store: ObjectStore,
    keys: StoredKeys,
    box: SecretBox,
    identities: Identities,
    variants: Variants,
    collect_garbage: Callable[[], Awaitable[GcReport]],
    lifecycle: Lifecycle,
    webhooks: Webhooks,
) -> Services:
    settings = runtime.settings
    data_dir = settings.storage.data_dir
    return Services(
        store=store,
        access=Access(),
        identities=identities,
        variants=variants,
        keys=keys,
        box=box,
        clock=_now,
        inline_max_bytes=settings.storage.inline_max_size,
        max_object_bytes=settings.storage.max_file_size,
        upload_timeout_seconds=settings.server.upload_timeout.total_seconds(),
        capabilities=capabilities(sse=settings.sse.enabled),
        version=_VERSION,
        metrics_token=settings.metrics.token,
        disk_usage=partial(asyncio.to_thread, tree_bytes, data_dir),
        disk_room=partial(asyncio.to_thread, disk_room, data_dir, settings.cache_dir),
        metrics=partial(_metrics, runtime, store),
        collect_garbage=collect_garbage,
        lifecycle=lifecycle,
        expirations=Expirations(),
        audit=_audit(settings, store),
        webhooks=webhooks,
        backups=server_backups(settings, store, runtime.server_secret, _now),
    )


def _audit(settings: Settings, store: ObjectStore) -> Audit:
    retention = settings.audit.retention
    return Audit(store, _now, retention or None, enabled=settings.audit.enabled)


def _webhooks(
    settings: Settings, store: ObjectStore, box: SecretBox, metrics: WebhookMetrics
) -> Webhooks:
    sending = settings.webhook_delivery
    limits = EgressLimits(
        sending.timeout.total_seconds(), sending.connect_timeout.total_seconds(), sending.allowed
    )
    egress = Egress(limits, f"VexObj/{_VERSION}")
    return Webhooks(store, box, egress, sending, metrics, _now)


def _lifecycle(settings: Settings, store: ObjectStore, metrics: LifecycleMetrics) -> Lifecycle:
    day = timedelta(seconds=settings.lifecycle.day_seconds)
    return Lifecycle(store, metrics, day, settings.storage.stale_upload_age)


def _scrub(settings: Settings, store: ObjectStore, metrics: ScrubMetrics) -> Scrub:
    throttle = Throttle(settings.scrub.bytes_per_second or None)
    return Scrub(store, metrics, settings.scrub.interval, throttle)


async def _metrics(runtime: Runtime, store: ObjectStore, accept: str) -> tuple[bytes, str]:
    """Without the buckets where the metadata cannot be asked: then above all it must answer."""
    try:
        samples = [
            *await bucket_samples(store),
            *await webhook_samples(store, _now()),
            *await backup_samples(store),
            *scrub_samples(await store.scrub_state()),
        ]
    except StorageError:
        samples = []
    data_dir = runtime.settings.storage.data_dir
    return await asyncio.to_thread(_exposition, accept, runtime.metrics_dir, data_dir, samples)


def _exposition(
    accept: str, metrics_dir: Path, data_dir: Path, samples: Sequence[Sample]
) -> tuple[bytes, str]:
    # The library that writes it takes 8 MB: only a worker that is asked has it.
    from vexobj_server.observability.exposition import exposition

    return exposition(accept, metrics_dir, data_dir, _VERSION, samples)


async def _collect_garbage(store: ObjectStore, metrics: GarbageMetrics) -> GcReport:
    report = await store.collect_garbage()
    metrics.collected(report.removed, report.bytes_freed)
    return report


async def _notice_quotas(store: ObjectStore, page: MetricsPage) -> None:
    tell_quotas(page, await store.notice_quotas())


def _variants(
    settings: Settings, client: MediaClient, store: ObjectStore, metrics: CacheMetrics
) -> Variants:
    cache_key = store.derived_key(CACHE_KEY)
    return Variants(
        client,
        MemoryCache(settings.cache.memory_size // settings.server.workers),
        VariantCache(DiskCacheReader(cache_directory(settings.cache_dir, cache_key)), cache_key),
        store,
        encoding=image_encoding(settings),
        limits=image_limits(settings),
        metrics=metrics,
    )


def _s3(settings: Settings, services: Services) -> ASGIApp:
    region = settings.server.region
    backend = VexObjBackend(
        services.store,
        services.access,
        services.identities,
        services.variants,
        services.audit,
        region=region,
        inline_max_bytes=services.inline_max_bytes,
        clock=services.clock,
        expirations=services.expirations,
        encrypts=settings.sse.enabled,
    )
    return S3App(
        backend,
        StoredCredentials(services.identities),
        region=region,
        check_signatures=settings.auth.enabled,
        upload_timeout_seconds=services.upload_timeout_seconds,
    )


async def _everyone(keys: StoredKeys) -> Principal:
    """Who acts when authentication is off: the first identity, with every permission."""
    identity = (await keys.identities())[0]
    key = AccessKey("anonymous", identity.id, "anonymous", ALL_PERMISSIONS, None, _now())
    return Principal(identity, key)


def _now() -> datetime:
    return datetime.now(UTC)
