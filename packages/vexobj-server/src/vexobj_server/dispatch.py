"""The outermost ASGI callable: which API a request is for, by host first and then by path.

What every answer has (request id, security headers) and what is told of every request (access
log, metrics) is done here, once for both APIs.
"""

import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from starlette.types import Receive, Scope, Send

from vexobj_server.asgi import Exchange, header
from vexobj_server.observability.clientaddress import Client, ClientAddresses
from vexobj_server.observability.logs import AccessEntry, AccessLog
from vexobj_server.observability.metrics import RequestMetrics
from vexobj_server.observability.requestid import request_id
from vexobj_server.services.buckets import HostAliases

_UPLOADS = frozenset({"PutObject", "CompleteMultipartUpload", "upload"})
_DOWNLOADS = frozenset({"GetObject", "download"})
_PAGES = frozenset(
    {
        b"/health",
        b"/livez",
        b"/readyz",
        b"/metrics",
        b"/docs",
        b"/openapi.yaml",
        b"/openapi.json",
    }
)
_READS = frozenset({"GET", "HEAD"})
_NOT_ONE = b"?"
# What was asked is told to the backend alone, and that after the signature was proven.
_REFUSED = "refused"

_log = logging.getLogger(__name__)

App = Callable[[Scope, Receive, Exchange], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Apps:
    """`native` answers for our own paths, `s3` for everything else."""

    native: App
    s3: App


class Dispatcher:
    """An ASGI callable for the `http` scope."""

    def __init__(
        self,
        apps: Apps,
        *,
        aliases: HostAliases,
        s3_domain: str | None,
        clients: ClientAddresses,
        metrics: RequestMetrics | None,
        access_log: AccessLog | None,
    ) -> None:
        self._native = apps.native
        self._s3 = apps.s3
        self._aliases = aliases
        self._bucket_suffix = None if s3_domain is None else "." + s3_domain
        self._clients = clients
        self._metrics = metrics
        self._access_log = access_log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        host, sent_id, length = _look(scope)
        peer = scope.get("client") or ("", 0)
        client = self._clients.of(peer[0], scope.get("scheme", "http"), scope["headers"])
        if client.host is not None:
            host = _forwarded(scope, client)
        identifier = request_id(sent_id)
        state: dict[str, Any] = {"request_id": identifier, "address": client.address}
        scope["state"] = state
        exchange = Exchange(send, identifier.encode(), secure=client.scheme == "https")
        metrics = self._metrics
        if metrics is not None:
            metrics.began()
        app = None
        try:
            bucket = self._bucket_of(host)
            if bucket is None and _may_be_alias(host):
                bucket = await self._aliases.bucket(_host_name(host))
            app = _no_host if host is _NOT_ONE else self._app(scope, exchange, bucket)
            await app(scope, receive, exchange)
        except Exception:
            _log.exception("request failed", extra={"request_id": identifier})
            if exchange.status:
                raise  # only a connection that breaks tells that the answer is not whole
            await _problem(exchange, 500, "InternalError", "internal error", state)
        finally:
            if metrics is not None:
                metrics.ended()
                _count(metrics, scope, exchange, state, s3=app is self._s3)
            if self._access_log is not None:
                self._access_log.add(
                    AccessEntry(
                        identifier,
                        scope["method"],
                        scope["raw_path"],
                        exchange.status,
                        exchange.seconds,
                        length,
                        exchange.bytes_out,
                        client.address,
                        state.get("access_key_id"),
                        state.get("operation"),
                    )
                )

    def _app(self, scope: Scope, exchange: Exchange, bucket: str | None) -> App:
        if bucket is not None:
            scope["state"]["s3_bucket"] = bucket
            return self._s3
        path: bytes = scope["raw_path"]
        if path.startswith(b"/s3") and path[3:4] in {b"", b"/"}:
            scope["root_path"] = "/s3"
            return self._s3
        if path.startswith((b"/v1/", b"/dashboard/")) or path in {b"/v1", b"/dashboard"}:
            exchange.native = True
            return self._native
        if path in _PAGES and scope["method"] in _READS and _unsigned(scope):
            exchange.native = True
            scope["method"] = "GET"  # a HEAD's body is not sent by the server
            return self._native
        if path == b"/" and scope["method"] == "GET" and _from_browser(scope):
            exchange.native = True
            return _to_docs
        return self._s3

    def _bucket_of(self, host: bytes) -> str | None:
        """The bucket of virtual-host style."""
        suffix = self._bucket_suffix
        if suffix is None:
            return None
        name = _host_name(host)
        return name.removesuffix(suffix) if name.endswith(suffix) else None


def _unsigned(scope: Scope) -> bool:
    """No S3 signature: a bucket may be called `docs`."""
    if b"X-Amz-" in scope["query_string"]:
        return False
    return not (header(scope, b"authorization") or b"").startswith(b"AWS")


def _look(scope: Scope) -> tuple[bytes, bytes | None, int]:
    """Host, the client's own request id and the body's announced length, in one pass.

    Of two hosts a proxy in front may have gone by the other, and since HTTP/1.1 there has to be
    one (RFC 9112 section 3.2).
    """
    host, sent_id, length = b"", None, 0
    for name, value in scope["headers"]:
        if name == b"host":
            host = value if not host else _NOT_ONE
        elif name == b"content-length":
            length = int(value) if value.isdigit() else 0
        elif name == b"x-request-id":
            sent_id = value
    if not host and scope["http_version"] == "1.1":
        host = _NOT_ONE
    return host, sent_id, length


def _forwarded(scope: Scope, client: Client) -> bytes:
    """Put back the host that the client signed, as a trusted proxy tells it."""
    host = (client.host or "").encode("latin-1")
    scope["headers"] = [
        (name, host if name == b"host" else value) for name, value in scope["headers"]
    ]
    return host


@lru_cache(maxsize=1024)
def _may_be_alias(host: bytes) -> bool:
    """An address is nobody's alias; nor is `localhost`."""
    name = _host_name(host)
    return bool(name) and not name[-1].isdigit() and name != "localhost"


@lru_cache(maxsize=1024)
def _host_name(host: bytes) -> str:
    """Lower case, without a port; an IPv6 address stays in its brackets."""
    name = host.decode("latin-1").lower()
    if name.endswith("]"):
        return ""
    return name.partition(":")[0]


def _from_browser(scope: Scope) -> bool:
    """Wants a page and brings no credentials."""
    accepts = False
    for name, value in scope["headers"]:
        if name == b"authorization":
            return False
        if name == b"accept":
            accepts = b"text/html" in value
    return accepts and not scope["query_string"]


async def _to_docs(_scope: Scope, _receive: Receive, send: Exchange) -> None:
    headers = [(b"location", b"/docs"), (b"content-length", b"0")]
    await send({"type": "http.response.start", "status": 302, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


async def _no_host(scope: Scope, _receive: Receive, send: Exchange) -> None:
    await _problem(send, 400, "InvalidHost", "a request names one host", scope["state"])


async def _problem(
    send: Exchange, status: int, code: str, error: str, state: Mapping[str, Any]
) -> None:
    body = json.dumps({"error": error, "code": code, "request_id": state["request_id"]}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _count(
    metrics: RequestMetrics,
    scope: Scope,
    exchange: Exchange,
    state: Mapping[str, Any],
    *,
    s3: bool,
) -> None:
    status = exchange.status
    metrics.answered(scope["method"], status, exchange.seconds)
    operation = state.get("operation")
    if s3:
        metrics.s3_operation(operation or _REFUSED, status)
    if 200 <= status < 300:
        if "stored_bytes" in state:
            metrics.received(state["stored_bytes"])
        if operation in _UPLOADS:
            metrics.uploaded()
        elif operation in _DOWNLOADS and scope["method"] == "GET":
            metrics.downloaded(exchange.bytes_out)
