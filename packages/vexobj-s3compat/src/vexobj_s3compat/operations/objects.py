"""Putting, reading and deleting objects; their tags as far as they can be read."""

from vexobj_s3compat.asgi import RawHeaders
from vexobj_s3compat.call import Call
from vexobj_s3compat.errors import (
    InvalidRequest,
    MalformedXML,
    MissingRequestBodyError,
    NotImplementedYet,
)
from vexobj_s3compat.metadata import encode_metadata, header_value
from vexobj_s3compat.operation import Operation
from vexobj_s3compat.operations._input import (
    check_identifier,
    leaf,
    object_headers,
    part_number,
    refuse_unsupported,
    tags,
    version_id,
    write_conditions,
)
from vexobj_s3compat.operations._locks import bypasses_governance, lock_headers, lock_of_headers
from vexobj_s3compat.operations._output import (
    boolean,
    checksum_headers,
    empty,
    encryption_header,
    expiration_header,
    no_content,
    optional,
    version_header,
    xml_response,
)
from vexobj_s3compat.operations.acl import canned_from_headers
from vexobj_s3compat.respond import Response
from vexobj_s3compat.serve import serve_content
from vexobj_s3compat.target import Target, check_key
from vexobj_s3compat.types import (
    DeletedEntry,
    DeleteErrorEntry,
    DeleteObjectInput,
    DeleteObjectOutput,
    DeleteObjectsInput,
    DeleteObjectsOutput,
    ObjectIdentifier,
    ObjectInput,
    ObjectOutput,
    PutObjectInput,
    PutObjectOutput,
    TaggingOutput,
)
from vexobj_s3compat.xml import child_text, children, element, parse

DELETE_LIMIT = 1000
_DELETE_DOCUMENT_BYTES = 4 * 1024 * 1024
_SSE_C = "x-amz-server-side-encryption-customer-algorithm"
_DEFAULT_TYPE = "binary/octet-stream"
_OVERRIDES = {
    "response-cache-control": "cache-control",
    "response-content-disposition": "content-disposition",
    "response-content-encoding": "content-encoding",
    "response-content-language": "content-language",
    "response-content-type": "content-type",
    "response-expires": "expires",
}
CORS_HEADERS = (
    (b"access-control-allow-origin", b"*"),
    (
        b"access-control-expose-headers",
        (
            b"accept-ranges, content-encoding, content-length, content-range, content-type, "
            b"etag, last-modified, x-amz-request-id, x-amz-version-id"
        ),
    ),
)


def parse_put_object(call: Call) -> PutObjectInput:
    refuse_unsupported(call)
    return PutObjectInput(
        call.bucket,
        call.key,
        call.payload,
        object_headers(call),
        acl=canned_from_headers(call.headers),
        tags=tags(call.headers),
        conditions=write_conditions(call),
        lock=lock_of_headers(call.headers),
    )


async def shape_put_object(_: Call, __: PutObjectInput, output: PutObjectOutput) -> Response:
    headers = [
        (b"etag", b'"%b"' % output.etag.encode()),
        *checksum_headers(output.checksum),
        *version_header(output.version_id),
        *encryption_header(encrypted=output.encrypted),
        *expiration_header(output.expiration),
    ]
    return empty(headers)


def parse_object(call: Call) -> ObjectInput:
    if _SSE_C in call.headers:
        raise NotImplementedYet(fields={"Header": _SSE_C})
    return ObjectInput(call.bucket, call.key, version_id(call) if call.parameters else None)


async def shape_get_object(call: Call, _: ObjectInput, output: ObjectOutput) -> Response:
    number = None
    stored = output.object.headers
    content_type = output.object.content_type or _DEFAULT_TYPE
    if call.parameters:
        overridden = {"content-type": content_type, **stored}
        _override(call, overridden)
        content_type = overridden.pop("content-type")
        stored = overridden
        if "partNumber" in call.parameters:
            number = part_number(call)
    answer = [(b"content-type", header_value(content_type))]
    if stored:
        answer += [(name.encode(), header_value(value)) for name, value in stored.items()]
    if output.object.metadata:
        answer += _metadata(output)
    if output.version_id is not None:
        answer += version_header(output.version_id)
    if output.tag_count:
        answer.append((b"x-amz-tagging-count", b"%d" % output.tag_count))
    if (
        output.checksum is not None
        and call.headers.get("x-amz-checksum-mode", "").upper() == "ENABLED"
        and "range" not in call.headers
        and number is None
    ):
        answer += checksum_headers(output.checksum)
    if output.lock is not None:
        answer += lock_headers(output.lock)
    if output.encrypted:
        answer += encryption_header(encrypted=True)
    if output.extra_headers:
        answer += [(name.encode(), value.encode("latin-1")) for name, value in output.extra_headers]
    if output.public_cors:
        answer += CORS_HEADERS
    return await serve_content(
        call.method,
        call.headers,
        output.content,
        etag=output.etag,
        last_modified=output.last_modified,
        headers=answer,
        part_number=number,
        parts_count=output.parts_count,
    )


def _metadata(output: ObjectOutput) -> RawHeaders:
    return [
        (b"x-amz-meta-" + name.encode("latin-1", "replace"), encode_metadata(value))
        for name, value in output.object.metadata.items()
    ]


def _override(call: Call, headers: dict[str, str]) -> None:
    given = _OVERRIDES.keys() & call.parameters.keys()
    if not given:
        return
    if call.caller.access_key_id is None:
        raise InvalidRequest(
            "Request specific response headers cannot be used for anonymous GET requests."
        )
    for name in given:
        headers[_OVERRIDES[name]] = call.parameters[name]


def parse_delete_object(call: Call) -> DeleteObjectInput:
    return DeleteObjectInput(
        call.bucket, call.key, version_id(call), bypasses_governance(call.headers)
    )


async def shape_delete_object(
    _: Call, __: DeleteObjectInput, output: DeleteObjectOutput
) -> Response:
    headers: RawHeaders = version_header(output.version_id)
    if output.delete_marker:
        headers.append((b"x-amz-delete-marker", b"true"))
    return no_content(headers)


def parse_delete_objects(call: Call) -> DeleteObjectsInput:
    if not call.document:
        raise MissingRequestBodyError
    if "content-md5" not in call.headers and not any(
        name.startswith("x-amz-checksum-") or name == "x-amz-trailer" for name in call.headers
    ):
        raise InvalidRequest("Missing required header for this request: Content-MD5")
    root = parse(call.document, "Delete")
    objects = []
    for item in children(root, "Object"):
        key = child_text(item, "Key")
        if not key:
            raise MalformedXML
        version = leaf(item, "VersionId") or None
        raw = key.encode()
        check_key(raw)
        objects.append(ObjectIdentifier(raw, version and check_identifier("VersionId", version)))
    if not 1 <= len(objects) <= DELETE_LIMIT:
        raise MalformedXML
    return DeleteObjectsInput(call.bucket, objects, bypasses_governance(call.headers))


async def shape_delete_objects(
    call: Call, _: DeleteObjectsInput, output: DeleteObjectsOutput
) -> Response:
    quiet = (leaf(parse(call.document, "Delete"), "Quiet") or "").lower() == "true"
    return xml_response(
        "DeleteResult",
        *(
            _delete_error(entry) if isinstance(entry, DeleteErrorEntry) else _deleted(entry)
            for entry in output.results
            if not quiet or isinstance(entry, DeleteErrorEntry)
        ),
    )


def _deleted(entry: DeletedEntry) -> str:
    marker = boolean("DeleteMarker", value=True) if entry.delete_marker else ""
    return (
        f"<Deleted>{element('Key', entry.key.decode())}"
        f"{optional('VersionId', entry.version_id)}{marker}"
        f"{optional('DeleteMarkerVersionId', entry.delete_marker_version_id)}</Deleted>"
    )


def _delete_error(entry: DeleteErrorEntry) -> str:
    return (
        f"<Error>{element('Key', entry.key.decode())}{optional('VersionId', entry.version_id)}"
        f"{element('Code', entry.code)}{element('Message', entry.message)}</Error>"
    )


async def shape_tagging(_: Call, __: ObjectInput, output: TaggingOutput) -> Response:
    tag_set = "".join(
        f"<Tag>{element('Key', name)}{element('Value', value)}</Tag>"
        for name, value in output.tags.items()
    )
    return xml_response(
        "Tagging", f"<TagSet>{tag_set}</TagSet>", headers=version_header(output.version_id)
    )


_READ_PARAMETERS = frozenset({"versionId", "partNumber", *_OVERRIDES})

OPERATIONS = (
    Operation(
        name="PutObject",
        method="PUT",
        target=Target.OBJECT,
        streams_body=True,
        parse=parse_put_object,
        backend="put_object",
        shape=shape_put_object,
    ),
    Operation(
        name="GetObject",
        method="GET",
        target=Target.OBJECT,
        parameters=_READ_PARAMETERS,
        parse=parse_object,
        backend="get_object",
        shape=shape_get_object,
    ),
    Operation(
        name="HeadObject",
        method="HEAD",
        target=Target.OBJECT,
        parameters=_READ_PARAMETERS,
        parse=parse_object,
        backend="get_object",
        shape=shape_get_object,
    ),
    Operation(
        name="DeleteObject",
        method="DELETE",
        target=Target.OBJECT,
        parameters=frozenset({"versionId"}),
        parse=parse_delete_object,
        backend="delete_object",
        shape=shape_delete_object,
    ),
    Operation(
        name="DeleteObjects",
        method="POST",
        target=Target.BUCKET,
        subresource="delete",
        document_limit_bytes=_DELETE_DOCUMENT_BYTES,
        parse=parse_delete_objects,
        backend="delete_objects",
        shape=shape_delete_objects,
    ),
    Operation(
        name="GetObjectTagging",
        method="GET",
        target=Target.OBJECT,
        subresource="tagging",
        parameters=frozenset({"versionId"}),
        parse=parse_object,
        backend="get_object_tagging",
        shape=shape_tagging,
    ),
)
