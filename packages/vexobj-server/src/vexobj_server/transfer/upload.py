"""`PUT` of an object on the native API: authorised first, streamed, durable when answered."""

import mimetypes
from collections.abc import Mapping
from typing import Any

from starlette.types import Receive, Scope, Send

from vexobj_auth import Action, Principal
from vexobj_s3compat.incoming import Incoming
from vexobj_s3compat.metadata import decode_metadata
from vexobj_server.services.audit import OBJECT_CREATE, target_of
from vexobj_server.services.context import Services
from vexobj_server.services.staging import stage_body
from vexobj_server.transfer.answer import send_json
from vexobj_server.transfer.body import UploadBody
from vexobj_server.transfer.callers import caller
from vexobj_server.transfer.errors import RestError
from vexobj_server.transfer.headers import headers_of
from vexobj_server.transfer.meta import object_meta
from vexobj_server.transfer.target import ObjectTarget, object_target
from vexobj_storage import Bucket, EntityTooLarge, ObjectAttributes, ObjectVersion, WriteCondition

_DEFAULT_TYPE = "application/octet-stream"
_KEPT_HEADERS = (
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "expires",
)
_META = "x-amz-meta-"
_METADATA_LIMIT_BYTES = 2048


async def upload(services: Services, scope: Scope, receive: Receive, send: Send) -> None:
    headers = headers_of(scope)
    incoming = Incoming(receive, services.upload_timeout_seconds)
    try:
        state = scope["state"]
        bucket, version = await _store(services, state, object_target(scope), headers, incoming)
        state["stored_bytes"] = version.size
    except Exception:  # whatever it is, a client reads its answer only once its body was taken
        await incoming.drain(headers)
        raise
    answer = [(b"etag", b'"%s"' % version.etag.encode())]
    expiry = services.expirations.of(bucket, version)
    if expiry is not None:
        answer.append((b"x-amz-expiration", expiry.encode()))
    await send_json(scope, receive, send, 201, object_meta(bucket, version), answer)


async def _store(
    services: Services,
    state: Mapping[str, Any],
    target: ObjectTarget,
    headers: Mapping[str, str],
    incoming: Incoming,
) -> tuple[Bucket, ObjectVersion]:
    principal = await caller(services.identities, headers.get("authorization"))
    bucket = await services.store.bucket(target.bucket)
    services.access.require(principal, Action.WRITE_OBJECT, bucket)
    attributes = _attributes(target.key, headers, _owner(principal, bucket))
    condition = _condition(headers)
    body = UploadBody(incoming, headers)
    if body.size is not None and body.size > services.max_object_bytes:
        raise EntityTooLarge(services.max_object_bytes)
    if bucket.quota is not None:
        await services.store.admit(bucket, target.key, body.size or 0)
    staged = await stage_body(services.store, body, services.inline_max_bytes)
    where = target_of(bucket.name, target.key)
    with services.audit.recording(state, principal, OBJECT_CREATE, where):
        version = await services.store.put_object(bucket, target.key, staged, attributes, condition)
    return bucket, version


def _owner(principal: Principal | None, bucket: Bucket) -> str:
    return bucket.owner_id if principal is None else principal.identity.id


def _attributes(key: bytes, headers: Mapping[str, str], owner_id: str) -> ObjectAttributes:
    metadata = {
        name.removeprefix(_META): decode_metadata(value)
        for name, value in headers.items()
        if name.startswith(_META)
    }
    size = sum(len(name) + len(value.encode()) for name, value in metadata.items())
    if size > _METADATA_LIMIT_BYTES:
        raise RestError(400, "MetadataTooLarge", "the metadata is larger than 2 KiB")
    return ObjectAttributes(
        content_type=headers.get("content-type") or _guessed_type(key),
        headers={name: headers[name] for name in _KEPT_HEADERS if headers.get(name)},
        metadata=metadata,
        owner_id=owner_id,
    )


def _guessed_type(key: bytes) -> str:
    guess, encoding = mimetypes.guess_type("/" + key.decode("utf-8", "replace"), strict=False)
    return guess if guess is not None and encoding is None else _DEFAULT_TYPE


def _condition(headers: Mapping[str, str]) -> WriteCondition:
    none_match = headers.get("if-none-match")
    if none_match is not None and none_match.strip() != "*":
        raise RestError(400, "InvalidCondition", "a write takes no If-None-Match but *")
    match = headers.get("if-match")
    return WriteCondition(
        None if match is None else match.strip().strip('"'), none_match is not None
    )
