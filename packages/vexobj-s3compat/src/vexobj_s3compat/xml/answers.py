"""The XML of S3's answers, one function a document. Source: AWS S3 API reference."""

from vexobj_s3compat.errors import S3Error
from vexobj_s3compat.types import (
    AclOutput,
    ChecksumValue,
    CompleteMultipartUploadOutput,
    CopyObjectOutput,
    DeletedEntry,
    DeleteErrorEntry,
    DeleteObjectsOutput,
    ListBucketsOutput,
    ListPartsInput,
    ListPartsOutput,
    Owner,
    TaggingOutput,
    UploadPartCopyOutput,
    VersioningOutput,
)
from vexobj_s3compat.xml.text import (
    NAMESPACE,
    XML,
    document,
    element,
    escape,
    escape_key,
    iso_time,
)

_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_ALL_USERS = "http://acs.amazonaws.com/groups/global/AllUsers"
_OWNS_ELEMENTS = frozenset({"Code", "Message", "Resource", "RequestId", "HostId"})


def error(error: S3Error, *, resource: str, request_id: str, host_id: str) -> bytes:
    """The body of an error; `error.fields` stand between Message and Resource."""
    fields = "".join(
        element(name, text) for name, text in error.fields.items() if name not in _OWNS_ELEMENTS
    )
    return (
        f"{XML}<Error><Code>{error.code}</Code><Message>{escape(error.message)}</Message>"
        f"{fields}<Resource>{escape(resource)}</Resource>"
        f"<RequestId>{escape(request_id)}</RequestId><HostId>{escape(host_id)}</HostId></Error>"
    ).encode("utf-8", "replace")


def list_buckets(output: ListBucketsOutput, *, prefix: str = "") -> bytes:
    buckets = "".join(
        f"<Bucket><Name>{escape(bucket.name)}</Name>"
        f"<CreationDate>{iso_time(bucket.created_at)}</CreationDate></Bucket>"
        for bucket in output.buckets
    )
    return document(
        "ListAllMyBucketsResult",
        f"{owner(output.owner)}<Buckets>{buckets}</Buckets>"
        f"{element('Prefix', prefix or None)}"
        f"{element('ContinuationToken', output.continuation_token)}",
    )


def location(region: str) -> bytes:
    """GetBucketLocation: empty for us-east-1, as AWS has it."""
    return document("LocationConstraint", "" if region == "us-east-1" else escape(region))


def versioning(output: VersioningOutput) -> bytes:
    return document("VersioningConfiguration", element("Status", output.status))


def tagging(output: TaggingOutput) -> bytes:
    tags = "".join(
        f"<Tag><Key>{escape(key)}</Key><Value>{escape(value)}</Value></Tag>"
        for key, value in output.tags.items()
    )
    return document("Tagging", f"<TagSet>{tags}</TagSet>")


def access_control_policy(output: AclOutput) -> bytes:
    """The grants that the canned ACL stands for."""
    grantee = (
        f'<Grantee xmlns:xsi="{_XSI}" xsi:type="CanonicalUser">{_identity(output.owner)}</Grantee>'
    )
    grants = f"<Grant>{grantee}<Permission>FULL_CONTROL</Permission></Grant>"
    if output.canned == "public-read":
        grants += (
            f'<Grant><Grantee xmlns:xsi="{_XSI}" xsi:type="Group"><URI>{_ALL_USERS}</URI>'
            "</Grantee><Permission>READ</Permission></Grant>"
        )
    return document(
        "AccessControlPolicy",
        f"{owner(output.owner)}<AccessControlList>{grants}</AccessControlList>",
    )


def delete_result(output: DeleteObjectsOutput, *, quiet: bool = False) -> bytes:
    """DeleteObjects: with `quiet` only what failed."""
    return document(
        "DeleteResult",
        "".join(
            _deleted(entry) if isinstance(entry, DeletedEntry) else _delete_error(entry)
            for entry in output.results
            if not quiet or isinstance(entry, DeleteErrorEntry)
        ),
    )


def _deleted(entry: DeletedEntry) -> str:
    marker = "<DeleteMarker>true</DeleteMarker>" if entry.delete_marker else ""
    return (
        f"<Deleted><Key>{escape_key(entry.key)}</Key>"
        f"{element('VersionId', entry.version_id)}{marker}"
        f"{element('DeleteMarkerVersionId', entry.delete_marker_version_id)}</Deleted>"
    )


def _delete_error(entry: DeleteErrorEntry) -> str:
    return (
        f"<Error><Key>{escape_key(entry.key)}</Key>{element('VersionId', entry.version_id)}"
        f"<Code>{escape(entry.code)}</Code><Message>{escape(entry.message)}</Message></Error>"
    )


def copy_object_result(output: CopyObjectOutput) -> bytes:
    return document(
        "CopyObjectResult",
        f"{etag(output.etag)}<LastModified>{iso_time(output.last_modified)}</LastModified>"
        f"{checksum(output.checksum)}",
    )


def copy_part_result(output: UploadPartCopyOutput) -> bytes:
    return document(
        "CopyPartResult",
        f"{etag(output.etag)}<LastModified>{iso_time(output.last_modified)}</LastModified>",
    )


def initiate_multipart_upload_result(bucket: str, key: bytes, upload_id: str) -> bytes:
    return document(
        "InitiateMultipartUploadResult",
        f"{element('Bucket', bucket)}<Key>{escape_key(key)}</Key>{element('UploadId', upload_id)}",
    )


def complete_multipart_upload_result(
    location: str, bucket: str, key: bytes, output: CompleteMultipartUploadOutput
) -> bytes:
    """`location` is the object's URL."""
    return document(
        "CompleteMultipartUploadResult",
        f"{element('Location', location)}{element('Bucket', bucket)}"
        f"<Key>{escape_key(key)}</Key>{etag(output.etag)}{checksum(output.checksum)}",
    )


def list_parts(request: ListPartsInput, output: ListPartsOutput) -> bytes:
    parts = "".join(
        f"<Part><PartNumber>{part.part_number}</PartNumber>"
        f"<LastModified>{iso_time(part.last_modified)}</LastModified>"
        f"{etag(part.etag)}<Size>{part.size}</Size>{checksum(part.checksum, typed=False)}</Part>"
        for part in output.parts
    )
    following = output.next_part_number_marker
    algorithm = ""
    if output.checksum_algorithm is not None:
        algorithm = (
            element("ChecksumAlgorithm", output.checksum_algorithm)
            + f"<ChecksumType>{checksum_type(composite=output.checksum_composite)}</ChecksumType>"
        )
    return document(
        "ListPartsResult",
        f"{element('Bucket', request.bucket)}<Key>{escape_key(request.key)}</Key>"
        f"{element('UploadId', request.upload_id)}"
        f"{owner(output.owner, 'Initiator')}{owner(output.owner)}"
        "<StorageClass>STANDARD</StorageClass>"
        f"<PartNumberMarker>{request.part_number_marker}</PartNumberMarker>"
        f"{element('NextPartNumberMarker', None if following is None else str(following))}"
        f"<MaxParts>{request.max_parts}</MaxParts>"
        f"<IsTruncated>{boolean(following is not None)}</IsTruncated>{algorithm}{parts}",
    )


def configuration(root: str, content: str = "") -> bytes:
    """A small fixed document, such as an empty RequestPaymentConfiguration; content is XML."""
    return f'{XML}<{root} xmlns="{NAMESPACE}">{content}</{root}>'.encode()


def owner(owner: Owner, name: str = "Owner") -> str:
    return f"<{name}>{_identity(owner)}</{name}>"


def etag(etag: str) -> str:
    return f"<ETag>&quot;{escape(etag)}&quot;</ETag>"


def checksum(value: ChecksumValue | None, *, typed: bool = True) -> str:
    if value is None:
        return ""
    name = f"Checksum{value.algorithm}"
    kind = f"<ChecksumType>{checksum_type(composite=value.composite)}</ChecksumType>"
    return element(name, value.value) + (kind if typed else "")


def checksum_type(*, composite: bool) -> str:
    return "COMPOSITE" if composite else "FULL_OBJECT"


def boolean(value: bool) -> str:
    return "true" if value else "false"


def _identity(owner: Owner) -> str:
    return f"<ID>{escape(owner.id)}</ID><DisplayName>{escape(owner.display_name)}</DisplayName>"
