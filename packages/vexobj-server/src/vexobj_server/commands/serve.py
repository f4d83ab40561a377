"""`vexobj serve`: prepares what the workers need, starts them and sees them out."""

import asyncio
import contextlib
import gc
import logging
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from vexobj_auth import NewKey, SecretBox
from vexobj_server.bootstrap import (
    CACHE_KEY,
    CREDENTIALS_FILE,
    alone_in,
    default_quota,
    first_key,
    prepare_data_dir,
    server_secret,
    store_config,
    unusable_service,
)
from vexobj_server.commands.databases import ASYNCPG_MISSING
from vexobj_server.commands.listening import free_address
from vexobj_server.observability.logs import configure_logging
from vexobj_server.observability.page import MetricsPage
from vexobj_server.runtime import Runtime, create_runtime
from vexobj_server.services.identities import StoredKeys
from vexobj_server.services.webhooks import webhooks_of
from vexobj_server.settings import Bind, Settings, SettingsError, load_settings
from vexobj_storage import BlobServiceUnusable, KeyUnavailable, ObjectStore
from vexobj_storage.errors import StorageError

_log = logging.getLogger(__name__)

_BACKLOG = 2048
_YOUNG_OBJECTS = 10_000
"""Net new ones between two collections: a page of 1,000 keys passes without any."""


def serve(environment: Mapping[str, str]) -> int:
    """Returns when the server was told to stop and every worker has ended.

    Raises: SettingsError.
    """
    os.umask(0o077)  # what is stored here is for nobody else on this machine
    loaded = load_settings(environment)
    settings = loaded.settings
    configure_logging(settings.server)
    for warning in loaded.warnings:
        _log.warning(warning)
    address = free_address(settings.server.bind)
    prepare_data_dir(settings.storage.data_dir)
    secret = server_secret(settings)
    with alone_in(settings.storage.data_dir):
        made, cache_key = asyncio.run(_prepare_store(settings, SecretBox(secret)))
    _announce(settings, made)
    with _runtime(settings, secret) as runtime:
        return _run(runtime, address, cache_key)


async def _prepare_store(settings: Settings, box: SecretBox) -> tuple[NewKey | None, bytes | None]:
    """Migrates once, before there are workers that would do so all at the same time.

    The new admin key, if one was made; and what variants on disk are sealed under, if they are.
    """
    try:
        store = await ObjectStore.open(store_config(settings))
    except KeyUnavailable as error:
        raise SettingsError(
            f"sse: {error}. Give that key as sse.master_key, or as one of sse.previous_master_keys."
        ) from error
    except BlobServiceUnusable as error:
        raise unusable_service(error) from error
    except StorageError as error:
        reason = str(error.__cause__ or error).rstrip(".")
        raise SettingsError(f"The store cannot be opened: {reason}.") from error
    except ModuleNotFoundError as error:
        if error.name != "asyncpg":
            raise
        raise SettingsError(ASYNCPG_MISSING) from None
    try:
        await store.keep_room()
        await store.set_default_quota(default_quota(settings.quotas))
        await store.set_webhooks(webhooks_of(settings.webhooks, box, datetime.now(UTC)))
        made = await first_key(
            StoredKeys(store),
            box,
            settings.auth,
            settings.storage.data_dir,
            datetime.now(UTC),
        )
        return made, store.derived_key(CACHE_KEY)
    finally:
        await store.close()


@contextlib.contextmanager
def _runtime(settings: Settings, secret: bytes) -> Iterator[Runtime]:
    runtime = create_runtime(settings, secret)
    try:
        yield runtime
    finally:
        shutil.rmtree(runtime.directory, ignore_errors=True)


def _run(runtime: Runtime, address: str, cache_key: bytes | None) -> int:
    from vexobj_server.media.config import broker_config
    from vexobj_server.media.supervisor import start_broker

    page = MetricsPage(runtime.metrics_dir, "parent")
    broker = start_broker(
        broker_config(runtime.settings, runtime.broker_socket, runtime.metrics_dir, cache_key)
    )
    server = _granian(runtime.settings, address)
    configure_logging(runtime.settings.server)  # Granian has put its own in place
    try:
        server.serve(target_loader=partial(load_app, runtime), wrap_loader=False)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    finally:
        broker.stop()
        page.close()
    return 0


def load_app(runtime: Runtime) -> Any:
    """In a worker: the application over what the parent has prepared."""
    from vexobj_server.app import create_app

    configure_logging(runtime.settings.server)
    app = create_app(runtime)
    gc.freeze()  # what was imported stays: a full collection of it stops all requests for 80 ms
    gc.set_threshold(_YOUNG_OBJECTS)
    return app


def _granian(settings: Settings, address: str) -> Any:
    from granian import Granian
    from granian.constants import HTTPModes, Interfaces, Loops, SSLProtocols
    from granian.http import HTTP1Settings
    from granian.log import LogLevels

    server, tls = settings.server, settings.tls
    return Granian(
        "vexobj_server.app:create_app",
        address=address,
        port=server.bind.port,
        interface=Interfaces.ASGI,
        workers=server.workers,
        loop=Loops.uvloop,
        # A client that connects and says nothing is only ever timed out in HTTP/1 mode.
        http=HTTPModes.auto if tls.enabled else HTTPModes.http1,
        websockets=False,
        backlog=_BACKLOG,
        backpressure=max(1, server.max_connections // server.workers),
        http1_settings=HTTP1Settings(
            header_read_timeout=int(server.header_timeout.total_seconds() * 1000)
        ),
        log_level=LogLevels.warning,
        log_dictconfig={
            "formatters": {},
            "handlers": {},
            "loggers": {"_granian": {"handlers": [], "propagate": True}},
        },
        ssl_cert=tls.cert_path if tls.enabled else None,
        ssl_key=tls.key_path if tls.enabled else None,
        ssl_protocol_min=SSLProtocols.tls12 if tls.min_version == "1.2" else SSLProtocols.tls13,
        respawn_failed_workers=True,
        # Without it one stalled upload would hold up the end for ever.
        workers_kill_timeout=max(1, int(server.shutdown_timeout.total_seconds())),
    )


def _announce(settings: Settings, made: NewKey | None) -> None:
    scheme = "https" if settings.tls.enabled else "http"
    bind = settings.server.bind
    _log.info("starting VexObj %s on %s://%s", version("vexobj-server"), scheme, bind)
    if not settings.auth.enabled:
        _log.warning(
            "AUTHENTICATION IS OFF (auth.enabled = false): everybody who reaches %s may read,"
            " write and delete everything",
            bind,
        )
    if made is not None:
        host = "127.0.0.1" if bind.host == "0.0.0.0" else bind.host  # noqa: S104 - compared
        local = Bind("::1" if host == "::" else host, bind.port)
        url = settings.server.public_url or f"{scheme}://{local}"
        sys.stderr.write(_first_words(made, url, settings.storage.data_dir / CREDENTIALS_FILE))
        sys.stderr.flush()


def _first_words(made: NewKey, url: str, path: Path) -> str:
    """Straight to the terminal, never through the log."""
    return f"""
This is the admin key. It is shown this once, and kept in {path} (only you can read it):

export AWS_ACCESS_KEY_ID={made.key.access_key_id}
export AWS_SECRET_ACCESS_KEY={made.secret}

Paste these two lines into a shell, and try:

curl -H "Authorization: Bearer $AWS_SECRET_ACCESS_KEY" -H 'Content-Type: application/json' -d '{{"name":"photos","public":true}}' {url}/v1/buckets
curl -H "Authorization: Bearer $AWS_SECRET_ACCESS_KEY" -T photo.jpg {url}/v1/objects/photos/photo.jpg
curl -o small.avif '{url}/v1/objects/photos/photo.jpg?w=300&format=avif'

S3 clients take the same two values and the endpoint {url}, for example:
aws --endpoint-url {url} s3 ls s3://photos

"""  # noqa: E501 - lines to be copied whole
