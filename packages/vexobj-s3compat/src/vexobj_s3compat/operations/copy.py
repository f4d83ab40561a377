"""Copying on the server: CopyObject, and the source header that UploadPartCopy shares."""

from typing import Literal
from urllib.parse import unquote_to_bytes

from vexobj_s3compat.bucket_names import decode_bucket
from vexobj_s3compat.call import Call
from vexobj_s3compat.conditions import parse_http_date
from vexobj_s3compat.errors import InvalidRequest
from vexobj_s3compat.operation import Operation
from vexobj_s3compat.operations._input import (
    check_identifier,
    invalid_argument,
    object_headers,
    refuse_unsupported,
    tags,
    write_conditions,
)
from vexobj_s3compat.operations._locks import lock_of_headers
from vexobj_s3compat.operations._output import (
    checksum_element,
    encryption_header,
    expiration_header,
    quoted_etag,
    version_header,
    xml_response,
)
from vexobj_s3compat.operations.acl import canned_from_headers
from vexobj_s3compat.respond import Response
from vexobj_s3compat.target import Target, check_key
from vexobj_s3compat.types import CopyObjectInput, CopyObjectOutput, CopySource
from vexobj_s3compat.xml import element, timestamp

SOURCE_HEADER = "x-amz-copy-source"
_CONDITION = SOURCE_HEADER + "-if-"
_RESTORED = frozenset({"x-amz-storage-class", "x-amz-server-side-encryption"})
"""With these a copy onto itself is meant to store the object in another way."""


def copy_source(call: Call) -> CopySource:
    """`bucket/key[?versionId=...]`, percent-encoded, with or without a leading slash.

    Raises:
        InvalidArgument: it names no object.
        InvalidURI, KeyTooLongError, InvalidBucketName.
    """
    value = call.headers[SOURCE_HEADER]
    path, _, query = value.partition("?")
    name, parameter, version = query.partition("versionId=")
    if query and (name or not parameter):
        path, version = value, ""
    bucket, _, key = unquote_to_bytes(path.encode("latin-1")).removeprefix(b"/").partition(b"/")
    if not bucket or not key:
        raise invalid_argument(
            SOURCE_HEADER,
            value,
            "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
        )
    check_key(key)
    headers = call.headers
    modified, unmodified = (
        parse_http_date(headers.get(_CONDITION + name, ""))
        for name in ("modified-since", "unmodified-since")
    )
    return CopySource(
        decode_bucket(bucket),
        key,
        check_identifier("versionId", version) if version else None,
        if_match=_etag(headers.get(_CONDITION + "match")),
        if_none_match=_etag(headers.get(_CONDITION + "none-match")),
        if_modified_since=modified,
        if_unmodified_since=unmodified,
    )


def _etag(value: str | None) -> str | None:
    return None if value is None else value.strip().strip('"')


def _directive(call: Call, name: str) -> Literal["COPY", "REPLACE"]:
    value = call.headers.get(name, "COPY")
    if value == "COPY":
        return "COPY"
    if value == "REPLACE":
        return "REPLACE"
    raise invalid_argument(name, value, f"Unknown {name.removeprefix('x-amz-')}.")


def parse_copy_object(call: Call) -> CopyObjectInput:
    refuse_unsupported(call)
    source = copy_source(call)
    wanted = CopyObjectInput(
        call.bucket,
        call.key,
        source,
        object_headers(call),
        metadata_directive=_directive(call, "x-amz-metadata-directive"),
        tagging_directive=_directive(call, "x-amz-tagging-directive"),
        acl=canned_from_headers(call.headers),
        tags=tags(call.headers),
        conditions=write_conditions(call),
        lock=lock_of_headers(call.headers),
    )
    if (
        (source.bucket, source.key, source.version_id) == (call.bucket, call.key, None)
        and wanted.metadata_directive == "COPY"
        and not _RESTORED & call.headers.keys()
    ):
        raise InvalidRequest(
            "This copy request is illegal because it is trying to copy an object to itself "
            "without changing the object's metadata, storage class, website redirect location "
            "or encryption attributes."
        )
    return wanted


async def shape_copy_object(_: Call, wanted: CopyObjectInput, output: CopyObjectOutput) -> Response:
    headers = version_header(output.version_id)
    source = output.source_version_id or wanted.source.version_id
    if source is not None:
        headers.append((b"x-amz-copy-source-version-id", source.encode()))
    headers += encryption_header(encrypted=output.encrypted)
    headers += expiration_header(output.expiration)
    return xml_response(
        "CopyObjectResult",
        element("LastModified", timestamp(output.last_modified)),
        element("ETag", quoted_etag(output.etag)),
        checksum_element(output.checksum),
        headers=headers,
    )


OPERATIONS = (
    Operation(
        name="CopyObject",
        method="PUT",
        target=Target.OBJECT,
        header=SOURCE_HEADER,
        parse=parse_copy_object,
        backend="copy_object",
        shape=shape_copy_object,
        slow=True,
    ),
)
