"""The S3 protocol as a raw ASGI app: parse, authenticate, one call of the backend, shape.

It may be mounted anywhere: `scope["root_path"]` is cut off before the path is read, and signatures
are checked over the whole path. Three things an outer app may leave in `scope["state"]`:
`request_id`, told to the client and in logs; `s3_bucket`, the bucket that a host name stands for
(then the whole path is the key); nothing here looks at the host itself. `virtual_hosts.py` is
such an outer app.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from vexobj_s3compat.asgi import RawHeaders, Receive, Scope, Send
from vexobj_s3compat.authenticate import Identity, anybody, authenticate
from vexobj_s3compat.backend import Credentials, S3Backend
from vexobj_s3compat.body import request_body, without_checksums
from vexobj_s3compat.call import Call, decode_headers, decode_query, first_values, state
from vexobj_s3compat.cors import preflight
from vexobj_s3compat.document import read_document
from vexobj_s3compat.errors import BucketNotEmpty, InternalError, NoSuchBucket, NoSuchKey, S3Error
from vexobj_s3compat.hoisted import with_hoisted
from vexobj_s3compat.incoming import Incoming
from vexobj_s3compat.keepalive import respond_slowly, settle
from vexobj_s3compat.operation import Operation
from vexobj_s3compat.operations import OPERATIONS
from vexobj_s3compat.respond import Response, full, respond
from vexobj_s3compat.router import Router
from vexobj_s3compat.target import Target, split_path
from vexobj_s3compat.types import Request
from vexobj_s3compat.xml import error_document

_log = logging.getLogger("vexobj_s3compat")
_XML_TYPE = (b"content-type", b"application/xml")
_CLOSE = (b"connection", b"close")
_HOST_ID = "vexobj"
_HOST_ID_HEADER = (b"x-amz-id-2", _HOST_ID.encode())
_NO_BODY = frozenset({"GET", "HEAD"})
_SMALL_DOCUMENT_BYTES = 64 * 1024


class S3App:
    """An ASGI app for the `http` scope that answers every S3 request from `backend`.

    Args:
        backend: What stands behind; its operations decide who may do what.
        credentials: Where signing keys are found.
        region: What GetBucketLocation calls home, and CreateBucket accepts.
        check_region: Whether a signature for another region is refused.
        check_signatures: False lets everybody in as `anonymous`: no signature is even read.
        clock: Unix seconds.
        upload_timeout_seconds: How long a client may send nothing in the middle of a body.
        keepalive_seconds: After how long a slow answer (CompleteMultipartUpload, copies) is begun
            with whitespace, and how often more is sent.
        operations: The table to serve.
    """

    def __init__(
        self,
        backend: S3Backend,
        credentials: Credentials,
        *,
        region: str = "us-east-1",
        check_region: bool = False,
        check_signatures: bool = True,
        clock: Callable[[], float] = time.time,
        upload_timeout_seconds: float = 60.0,
        keepalive_seconds: float = 3.0,
        operations: Iterable[Operation] = OPERATIONS,
    ) -> None:
        table = tuple(operations)
        self._router = Router(table)
        self._backend = backend
        self._credentials = credentials
        self._region = region
        self._signed_region = region if check_region else None
        self._check_signatures = check_signatures
        self._clock = clock
        self._upload_timeout_seconds = upload_timeout_seconds
        self._keepalive_seconds = keepalive_seconds
        self._calls: dict[str, Callable[[Request[Any]], Awaitable[Any]]] = {
            operation.backend: getattr(backend, operation.backend) for operation in table
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = state(scope, "request_id") or secrets.token_hex(8).upper()
        identity: RawHeaders = [
            (b"x-amz-request-id", request_id.encode("latin-1", "replace")),
            _HOST_ID_HEADER,
        ]
        headers = decode_headers(scope["headers"])
        incoming = Incoming(receive, self._upload_timeout_seconds)
        try:
            response = await self._answer(scope, headers, request_id, incoming)
        except Exception as error:  # noqa: BLE001 - whatever happens is answered
            # A condition in a variable would keep this frame, and in it `receive`, until garbage
            # is collected: so long would a connection stay open whose body was given up.
            response = _error_response(_condition(error, request_id), scope, request_id)
            if scope["method"] not in _NO_BODY and not await incoming.drain(headers):
                response.headers.append(_CLOSE)
        if isinstance(response, Response):
            response.headers += identity
            await self._send(scope, receive, send, response, request_id)
            return
        await respond_slowly(
            send,
            response,
            headers=[*identity, _XML_TYPE],
            interval_seconds=self._keepalive_seconds,
            word_error=lambda error: _error_body(_condition(error, request_id), scope, request_id),
        )

    @staticmethod
    async def _send(
        scope: Scope, receive: Receive, send: Send, response: Response, request_id: str
    ) -> None:
        try:
            await respond(
                scope,
                receive,
                send,
                response.status,
                response.headers,
                response.payload,
                response.length,
            )
        except Exception:
            _log.exception("request %s ended short", request_id)
            raise

    async def _answer(
        self, scope: Scope, headers: dict[str, str], request_id: str, incoming: Incoming
    ) -> Response | asyncio.Task[Response]:
        """The response, or, where the backend takes long, the task that makes it."""
        method = scope["method"]
        if method == "OPTIONS":
            return preflight(headers)
        bucket, key = split_path(_mounted_path(scope), state(scope, "s3_bucket"))
        target = Target.OBJECT if key else Target.BUCKET if bucket else Target.SERVICE
        raw_query = scope["query_string"]
        query = decode_query(raw_query) if raw_query else []
        parameters = first_values(query) if query else {}
        applied = with_hoisted(headers, parameters) if query else headers
        operation = self._router.find(method, target, parameters, applied)
        if self._check_signatures:
            identity = await authenticate(
                scope,
                headers,
                self._credentials,
                now=self._clock(),
                region=self._signed_region,
            )
        else:
            identity = anybody(headers)
        call = Call(
            scope,
            request_id,
            method,
            self._region,
            bucket,
            key,
            applied,
            query,
            parameters,
            identity.caller,
            encrypts=self._backend.encrypts,
        )
        if operation.streams_body or operation.document_limit_bytes:
            await self._attach_body(call, operation, identity, incoming)
        if operation.slow:
            return await settle(self._perform(operation, call), self._keepalive_seconds)
        return await self._perform(operation, call)

    async def _attach_body(
        self, call: Call, operation: Operation, identity: Identity, incoming: Incoming
    ) -> None:
        headers = call.headers
        limit = operation.document_limit_bytes
        if limit and "content-length" not in headers and "transfer-encoding" not in headers:
            return
        if operation.checksum_of_object:
            headers = without_checksums(headers)
        body = request_body(
            incoming,
            headers,
            identity.payload_hash,
            identity.seed,
            verify_chunks=self._check_signatures,
        )
        if limit:
            if limit > _SMALL_DOCUMENT_BYTES:
                await self._backend.admit(operation.name, call.bucket, call.caller)
            call.document = await read_document(body, limit)
        else:
            call.body = body

    async def _perform(self, operation: Operation, call: Call) -> Response:
        try:
            wanted = operation.parse(call)
            request = Request(
                operation.name,
                wanted,
                call.caller,
                call.request_id,
                call.method,
                call.headers,
                call.query,
                call.scope,
            )
            output = await self._calls[operation.backend](request)
            return await operation.shape(call, wanted, output)
        except S3Error as error:
            _name(error, call)
            raise


def _mounted_path(scope: Scope) -> bytes:
    """The raw path below the mount point."""
    path: bytes = scope["raw_path"]
    root = scope.get("root_path")
    if not root:
        return path
    prefix = root.encode()
    if path.startswith(prefix) and path[len(prefix) : len(prefix) + 1] in {b"", b"/"}:
        return path[len(prefix) :]
    return path


def _name(error: S3Error, call: Call) -> None:
    """Say what was missing, as AWS does, where the backend did not and a copy leaves no doubt."""
    if "x-amz-copy-source" in call.headers:
        return
    if isinstance(error, NoSuchKey):
        error.fields.setdefault("Key", call.key.decode())
    elif isinstance(error, NoSuchBucket | BucketNotEmpty):
        error.fields.setdefault("BucketName", call.bucket)


def _condition(error: BaseException, request_id: str) -> S3Error:
    """The error to tell: one of ours as it is, anything else as InternalError, and logged."""
    if isinstance(error, S3Error):
        return error
    _log.error("request %s failed", request_id, exc_info=error)
    return InternalError()


def _error_response(error: S3Error, scope: Scope, request_id: str) -> Response:
    headers = [
        (name.encode(), value.encode("latin-1", "replace")) for name, value in error.headers.items()
    ]
    if error.status in {204, 304}:
        return Response(int(error.status), headers)
    return full(int(error.status), _error_body(error, scope, request_id), [_XML_TYPE, *headers])


def _error_body(error: S3Error, scope: Scope, request_id: str) -> bytes:
    return error_document(
        error,
        resource=scope["raw_path"].decode("latin-1"),
        request_id=request_id,
        host_id=_HOST_ID,
    )
