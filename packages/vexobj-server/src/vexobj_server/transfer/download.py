"""`GET` and `HEAD` of an object on the native API: whole, a range, or not at all (304, 412)."""

from collections.abc import Iterable, Mapping

from starlette.types import Receive, Scope, Send

from vexobj_auth import Action, Principal
from vexobj_s3compat import Content, Response, respond, serve_content
from vexobj_s3compat.metadata import encode_metadata
from vexobj_server.services.content import StoredContent
from vexobj_server.services.context import Services
from vexobj_server.services.representations import variant_freshness, variant_headers, variant_of
from vexobj_server.transfer.callers import caller
from vexobj_server.transfer.headers import headers_of
from vexobj_server.transfer.target import ObjectTarget, object_target
from vexobj_storage import Bucket, NoSuchKey, NoSuchVersion, ObjectVersion, StoredObject

RawHeaders = list[tuple[bytes, bytes]]


async def download(services: Services, scope: Scope, receive: Receive, send: Send) -> None:
    target = object_target(scope)
    headers = headers_of(scope)
    principal = await caller(services.identities, headers.get("authorization"))
    bucket = await services.store.bucket(target.bucket)
    stored = await _find(services, principal, bucket, target)
    public = principal is None or principal is services.identities.everyone
    answer = await _answer(
        services, scope["method"], bucket, stored, target, headers, public=public
    )
    await respond(
        scope, receive, send, answer.status, answer.headers, answer.payload, answer.length
    )


async def _answer(
    services: Services,
    method: str,
    bucket: Bucket,
    stored: StoredObject,
    target: ObjectTarget,
    headers: Mapping[str, str],
    *,
    public: bool,
) -> Response:
    version = stored.version
    answer = _object_headers(version)
    expiry = None if public else services.expirations.of(bucket, version)
    if expiry is not None:
        answer.append((b"x-amz-expiration", expiry.encode()))
    content: Content = StoredContent(services.store, stored)
    etag = version.etag
    if target.parameters:
        query = target.parameters.items()
        variant = await variant_of(services.variants, bucket, stored, query, headers)
        if variant is not None:
            content, etag = variant, variant.etag
            answer = [
                (b"content-type", _encoded(variant.content_type)),
                *(pair for pair in answer if pair[0] == b"x-vexobj-version-id"),
                *_encoded_all(variant_freshness(stored, query, public=public).items()),
                *_encoded_all(variant_headers(variant)),
            ]
    return await serve_content(
        method, headers, content, etag=etag, last_modified=version.modified_at, headers=answer
    )


async def _find(
    services: Services, principal: Principal | None, bucket: Bucket, target: ObjectTarget
) -> StoredObject:
    """Whoever may read any object of a public bucket may also learn that one is missing.

    Raises: AccessRefused, NoSuchKey, NoSuchVersion.
    """
    version_id = target.parameters.get("version_id")
    try:
        stored = await services.store.get_object(bucket, target.key, version_id)
    except (NoSuchKey, NoSuchVersion):
        services.access.require(principal, Action.READ_OBJECT, bucket)
        raise
    services.access.require(principal, Action.READ_OBJECT, bucket, stored.version)
    if stored.version.is_delete_marker:
        raise NoSuchKey(bucket.name, target.key.decode())
    return stored


def _object_headers(version: ObjectVersion) -> RawHeaders:
    attributes = version.attributes
    headers: RawHeaders = [(b"content-type", _encoded(attributes.content_type))]
    if version.sha256 is not None:
        headers.append((b"x-vexobj-sha256", version.sha256.hex().encode()))
    if version.version_id != "null":
        headers.append((b"x-vexobj-version-id", version.version_id.encode()))
    for name, value in attributes.headers.items():
        headers.append((name.encode(), _encoded(value)))
    for name, value in attributes.metadata.items():
        headers.append((b"x-amz-meta-" + name.encode(), encode_metadata(value)))
    return headers


def _encoded_all(headers: Iterable[tuple[str, str]]) -> RawHeaders:
    return [(name.encode(), _encoded(value)) for name, value in headers]


def _encoded(value: str) -> bytes:
    """As it came: header values are read as Latin-1."""
    return value.encode("latin-1", "replace")
