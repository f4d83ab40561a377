"""Listing multipart uploads and the parts of one."""

from vexobj_s3compat.call import Call
from vexobj_s3compat.operation import Operation
from vexobj_s3compat.operations._input import (
    PAGE_LIMIT,
    identifier,
    integer,
    key_bytes,
    page_size,
    upload_id,
    url_encoding,
)
from vexobj_s3compat.operations._output import (
    boolean,
    common_prefix_elements,
    delimiter_element,
    key_text,
    marker_elements,
    owner_element,
    xml_response,
)
from vexobj_s3compat.respond import Response
from vexobj_s3compat.target import Target
from vexobj_s3compat.types import (
    ChecksumValue,
    ListMultipartUploadsInput,
    ListMultipartUploadsOutput,
    ListPartsInput,
    ListPartsOutput,
)
from vexobj_s3compat.xml import element, timestamp


def parse_list_parts(call: Call) -> ListPartsInput:
    return ListPartsInput(
        call.bucket,
        call.key,
        upload_id(call),
        max_parts=min(integer(call, "max-parts", default=PAGE_LIMIT), PAGE_LIMIT),
        part_number_marker=integer(call, "part-number-marker", default=0),
    )


async def shape_list_parts(call: Call, wanted: ListPartsInput, output: ListPartsOutput) -> Response:
    url = url_encoding(call)
    algorithm = output.checksum_algorithm
    kind = "COMPOSITE" if output.checksum_composite else "FULL_OBJECT"
    last = output.next_part_number_marker
    if last is None:
        last = output.parts[-1].part_number if output.parts else 0
    return xml_response(
        "ListPartsResult",
        element("Bucket", call.bucket),
        element("Key", key_text(call.key, url=url)),
        element("UploadId", wanted.upload_id),
        owner_element(output.owner, "Initiator"),
        owner_element(output.owner),
        "<StorageClass>STANDARD</StorageClass>",
        f"<PartNumberMarker>{wanted.part_number_marker}</PartNumberMarker>",
        f"<NextPartNumberMarker>{last}</NextPartNumberMarker>",
        f"<MaxParts>{wanted.max_parts}</MaxParts>",
        boolean("IsTruncated", output.next_part_number_marker is not None),
        ""
        if algorithm is None
        else element("ChecksumAlgorithm", algorithm) + element("ChecksumType", kind),
        *(
            f"<Part><PartNumber>{part.part_number}</PartNumber>"
            f"<LastModified>{timestamp(part.last_modified)}</LastModified>"
            f"<ETag>&quot;{part.etag}&quot;</ETag><Size>{part.size}</Size>"
            f"{_part_checksum_element(part.checksum)}</Part>"
            for part in output.parts
        ),
    )


def _part_checksum_element(checksum: ChecksumValue | None) -> str:
    return "" if checksum is None else element(f"Checksum{checksum.algorithm}", checksum.value)


def parse_list_uploads(call: Call) -> ListMultipartUploadsInput:
    url_encoding(call)
    key_marker = key_bytes(call, "key-marker")
    marker = call.parameters.get("upload-id-marker") or None
    return ListMultipartUploadsInput(
        call.bucket,
        prefix=key_bytes(call, "prefix"),
        delimiter=key_bytes(call, "delimiter"),
        key_marker=key_marker,
        upload_id_marker=identifier(call, "upload-id-marker") if marker and key_marker else None,
        max_uploads=page_size(call, "max-uploads"),
    )


async def shape_list_uploads(
    call: Call, wanted: ListMultipartUploadsInput, output: ListMultipartUploadsOutput
) -> Response:
    url = url_encoding(call)
    return xml_response(
        "ListMultipartUploadsResult",
        element("Bucket", call.bucket),
        marker_elements(
            "UploadId",
            (wanted.key_marker, wanted.upload_id_marker),
            (output.next_key_marker, output.next_upload_id_marker),
            url=url,
        ),
        element("Prefix", key_text(wanted.prefix, url=url)),
        delimiter_element(wanted.delimiter, url=url),
        f"<MaxUploads>{wanted.max_uploads}</MaxUploads>",
        boolean("IsTruncated", output.next_key_marker is not None),
        *(
            f"<Upload>{element('Key', key_text(upload.key, url=url))}"
            f"{element('UploadId', upload.upload_id)}"
            f"{owner_element(upload.owner, 'Initiator')}{owner_element(upload.owner)}"
            "<StorageClass>STANDARD</StorageClass>"
            f"<Initiated>{timestamp(upload.initiated_at)}</Initiated></Upload>"
            for upload in output.uploads
        ),
        *common_prefix_elements(output.common_prefixes, url=url),
    )


OPERATIONS = (
    Operation(
        name="ListParts",
        method="GET",
        target=Target.OBJECT,
        subresource="uploadId",
        parameters=frozenset({"max-parts", "part-number-marker", "encoding-type"}),
        parse=parse_list_parts,
        backend="list_parts",
        shape=shape_list_parts,
    ),
    Operation(
        name="ListMultipartUploads",
        method="GET",
        target=Target.BUCKET,
        subresource="uploads",
        parameters=frozenset(
            {
                "prefix",
                "delimiter",
                "key-marker",
                "upload-id-marker",
                "max-uploads",
                "encoding-type",
            }
        ),
        parse=parse_list_uploads,
        backend="list_multipart_uploads",
        shape=shape_list_uploads,
    ),
)
