"""Multipart uploads, from their creation to completion or abort."""

from vexobj_s3compat.call import Call
from vexobj_s3compat.checksums import ALGORITHMS, parse_algorithm
from vexobj_s3compat.errors import InvalidRequest, MalformedXML
from vexobj_s3compat.operation import Operation
from vexobj_s3compat.operations._input import (
    PART_LIMIT,
    leaf,
    object_headers,
    part_number,
    refuse_unsupported,
    tags,
    unquote_etag,
    upload_id,
    write_conditions,
)
from vexobj_s3compat.operations._locks import lock_of_headers
from vexobj_s3compat.operations._output import (
    checksum_element,
    checksum_headers,
    empty,
    encryption_header,
    expiration_header,
    quoted_etag,
    shape_no_content,
    version_header,
    xml_response,
)
from vexobj_s3compat.operations.acl import canned_from_headers
from vexobj_s3compat.operations.copy import SOURCE_HEADER, copy_source
from vexobj_s3compat.ranges import parse_copy_source_range
from vexobj_s3compat.respond import Response
from vexobj_s3compat.target import Target
from vexobj_s3compat.types import (
    ChecksumValue,
    CompletedPart,
    CompleteMultipartUploadInput,
    CompleteMultipartUploadOutput,
    CreateMultipartUploadInput,
    CreateMultipartUploadOutput,
    UploadInput,
    UploadPartCopyInput,
    UploadPartCopyOutput,
    UploadPartInput,
    UploadPartOutput,
)
from vexobj_s3compat.xml import Element, children, element, parse, timestamp

_COMPLETE_DOCUMENT_BYTES = 4 * 1024 * 1024
_SIZE_HEADER = "x-amz-mp-object-size"
_KINDS = frozenset({"COMPOSITE", "FULL_OBJECT"})


def parse_create(call: Call) -> CreateMultipartUploadInput:
    refuse_unsupported(call)
    algorithm = call.headers.get("x-amz-checksum-algorithm") or None
    if algorithm is not None:
        algorithm = parse_algorithm(algorithm)
    return CreateMultipartUploadInput(
        call.bucket,
        call.key,
        object_headers(call),
        acl=canned_from_headers(call.headers),
        tags=tags(call.headers),
        checksum_algorithm=algorithm,
        checksum_composite=_is_composite(call, algorithm),
        lock=lock_of_headers(call.headers),
    )


def _is_composite(call: Call, algorithm: str | None) -> bool:
    default = "FULL_OBJECT" if algorithm == "CRC64NVME" else "COMPOSITE"
    kind = call.headers.get("x-amz-checksum-type", default).upper()
    if kind not in _KINDS:
        raise InvalidRequest("Value for x-amz-checksum-type header is invalid.")
    if algorithm is not None and (
        (kind == "COMPOSITE" and algorithm == "CRC64NVME")
        or (kind == "FULL_OBJECT" and ALGORITHMS[algorithm].combine is None)
    ):
        raise InvalidRequest(
            f"The {kind} checksum type cannot be used with the {algorithm.lower()} "
            "checksum algorithm."
        )
    return kind == "COMPOSITE"


async def shape_create(
    call: Call, wanted: CreateMultipartUploadInput, output: CreateMultipartUploadOutput
) -> Response:
    headers = encryption_header(encrypted=output.encrypted)
    if wanted.checksum_algorithm is not None:
        kind = b"COMPOSITE" if wanted.checksum_composite else b"FULL_OBJECT"
        headers += [
            (b"x-amz-checksum-algorithm", wanted.checksum_algorithm.encode()),
            (b"x-amz-checksum-type", kind),
        ]
    return xml_response(
        "InitiateMultipartUploadResult",
        element("Bucket", call.bucket),
        element("Key", call.key.decode()),
        element("UploadId", output.upload_id),
        headers=headers,
    )


def parse_upload_part(call: Call) -> UploadPartInput:
    refuse_unsupported(call)
    return UploadPartInput(call.bucket, call.key, upload_id(call), part_number(call), call.payload)


async def shape_upload_part(_: Call, __: UploadPartInput, output: UploadPartOutput) -> Response:
    etag = (b"etag", quoted_etag(output.etag).encode())
    encryption = encryption_header(encrypted=output.encrypted)
    return empty([etag, *_part_checksum(output.checksum), *encryption])


def _part_checksum(checksum: ChecksumValue | None) -> list[tuple[bytes, bytes]]:
    return checksum_headers(checksum)[:1]


def parse_upload_part_copy(call: Call) -> UploadPartCopyInput:
    wanted_range = call.headers.get("x-amz-copy-source-range")
    return UploadPartCopyInput(
        call.bucket,
        call.key,
        upload_id(call),
        part_number(call),
        copy_source(call),
        None if wanted_range is None else parse_copy_source_range(wanted_range),
    )


async def shape_upload_part_copy(
    _: Call, wanted: UploadPartCopyInput, output: UploadPartCopyOutput
) -> Response:
    source = output.source_version_id or wanted.source.version_id
    return xml_response(
        "CopyPartResult",
        element("LastModified", timestamp(output.last_modified)),
        element("ETag", quoted_etag(output.etag)),
        headers=[(b"x-amz-copy-source-version-id", source.encode())] if source else None,
    )


def parse_complete(call: Call) -> CompleteMultipartUploadInput:
    root = parse(call.document, "CompleteMultipartUpload")
    parts = [_completed_part(part) for part in children(root, "Part")]
    if not 1 <= len(parts) <= PART_LIMIT:
        raise MalformedXML
    return CompleteMultipartUploadInput(
        call.bucket,
        call.key,
        upload_id(call),
        parts,
        conditions=write_conditions(call),
        checksum=_whole_checksum(call),
        object_size=_object_size(call),
    )


def _object_size(call: Call) -> int | None:
    text = call.headers.get(_SIZE_HEADER)
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):
        raise InvalidRequest(f"Value for {_SIZE_HEADER} header is invalid.")
    return int(text)


def _completed_part(part: Element) -> CompletedPart:
    number, etag = leaf(part, "PartNumber"), leaf(part, "ETag")
    if number is None or etag is None or len(number) > 9:
        raise MalformedXML
    if not (number.isascii() and number.isdecimal()):
        raise MalformedXML
    checksums = (leaf(part, f"Checksum{name}") for name in ALGORITHMS)
    return CompletedPart(
        int(number), unquote_etag(etag), next((value for value in checksums if value), None)
    )


def _whole_checksum(call: Call) -> ChecksumValue | None:
    for name, algorithm in ALGORITHMS.items():
        value = call.headers.get(algorithm.header)
        if value:
            kind = call.headers.get("x-amz-checksum-type", "").upper()
            composite = kind == "COMPOSITE" or (not kind and "-" in value)
            return ChecksumValue(name, value, composite)
    return None


async def shape_complete(
    call: Call, _: CompleteMultipartUploadInput, output: CompleteMultipartUploadOutput
) -> Response:
    host = call.headers.get("host", "")
    path = call.scope["raw_path"].decode("latin-1")
    return xml_response(
        "CompleteMultipartUploadResult",
        element("Location", f"{call.scope.get('scheme', 'http')}://{host}{path}"),
        element("Bucket", call.bucket),
        element("Key", call.key.decode()),
        element("ETag", quoted_etag(output.etag)),
        checksum_element(output.checksum),
        headers=[
            *version_header(output.version_id),
            *encryption_header(encrypted=output.encrypted),
            *expiration_header(output.expiration),
        ],
    )


def parse_abort(call: Call) -> UploadInput:
    return UploadInput(call.bucket, call.key, upload_id(call))


OPERATIONS = (
    Operation(
        name="CreateMultipartUpload",
        method="POST",
        target=Target.OBJECT,
        subresource="uploads",
        parse=parse_create,
        backend="create_multipart_upload",
        shape=shape_create,
    ),
    Operation(
        name="UploadPart",
        method="PUT",
        target=Target.OBJECT,
        subresource="uploadId",
        required=("partNumber",),
        parameters=frozenset({"partNumber"}),
        streams_body=True,
        parse=parse_upload_part,
        backend="upload_part",
        shape=shape_upload_part,
    ),
    Operation(
        name="UploadPartCopy",
        method="PUT",
        target=Target.OBJECT,
        subresource="uploadId",
        header=SOURCE_HEADER,
        required=("partNumber",),
        parameters=frozenset({"partNumber"}),
        parse=parse_upload_part_copy,
        backend="upload_part_copy",
        shape=shape_upload_part_copy,
        slow=True,
    ),
    Operation(
        name="CompleteMultipartUpload",
        method="POST",
        target=Target.OBJECT,
        subresource="uploadId",
        document_limit_bytes=_COMPLETE_DOCUMENT_BYTES,
        parse=parse_complete,
        backend="complete_multipart_upload",
        checksum_of_object=True,
        shape=shape_complete,
        slow=True,
    ),
    Operation(
        name="AbortMultipartUpload",
        method="DELETE",
        target=Target.OBJECT,
        subresource="uploadId",
        parse=parse_abort,
        backend="abort_multipart_upload",
        shape=shape_no_content,
    ),
)
