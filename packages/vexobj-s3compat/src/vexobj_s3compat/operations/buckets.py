"""Creating, finding and deleting buckets; their location and versioning status."""

from vexobj_s3compat.bucket_names import is_bucket_name
from vexobj_s3compat.call import Call
from vexobj_s3compat.errors import (
    IllegalVersioningConfigurationException,
    InvalidBucketName,
    InvalidLocationConstraint,
    MalformedXML,
    NotImplementedYet,
)
from vexobj_s3compat.operation import Operation
from vexobj_s3compat.operations._input import bucket_input, leaf
from vexobj_s3compat.operations._output import (
    empty,
    optional,
    shape_empty,
    shape_no_content,
    xml_response,
)
from vexobj_s3compat.operations.acl import canned_from_headers
from vexobj_s3compat.respond import Response
from vexobj_s3compat.target import Target
from vexobj_s3compat.types import (
    BucketInput,
    CreateBucketInput,
    HeadBucketOutput,
    PutBucketVersioningInput,
    VersioningOutput,
)
from vexobj_s3compat.xml import parse

_DOCUMENT_LIMIT_BYTES = 64 * 1024


def parse_create_bucket(call: Call) -> CreateBucketInput:
    if not is_bucket_name(call.bucket):
        raise InvalidBucketName(fields={"BucketName": call.bucket})
    constraint = ""
    if call.document.strip():
        root = parse(call.document, "CreateBucketConfiguration")
        constraint = leaf(root, "LocationConstraint") or ""
    if constraint and constraint != call.region:
        raise InvalidLocationConstraint(fields={"LocationConstraint": constraint})
    lock = call.headers.get("x-amz-bucket-object-lock-enabled", "")
    return CreateBucketInput(
        call.bucket,
        constraint,
        canned_from_headers(call.headers, bucket=True),
        object_lock_enabled=lock.lower() == "true",
    )


async def shape_create_bucket(call: Call, _: CreateBucketInput, __: None) -> Response:
    return empty([(b"location", f"/{call.bucket}".encode())])


async def shape_head_bucket(_: Call, __: BucketInput, output: HeadBucketOutput) -> Response:
    headers = [(b"x-amz-bucket-region", output.region.encode())]
    return Response(200, [*headers, (b"content-type", b"application/xml")], b"", 0)


async def shape_location(_: Call, __: BucketInput, output: HeadBucketOutput) -> Response:
    region = "" if output.region == "us-east-1" else output.region
    return xml_response("LocationConstraint", region)


async def shape_versioning(_: Call, __: BucketInput, output: VersioningOutput) -> Response:
    return xml_response("VersioningConfiguration", optional("Status", output.status))


def parse_put_versioning(call: Call) -> PutBucketVersioningInput:
    root = parse(call.document, "VersioningConfiguration")
    status = leaf(root, "Status")
    if leaf(root, "MfaDelete") == "Enabled":
        raise NotImplementedYet
    if status == "Enabled":
        return PutBucketVersioningInput(call.bucket, "Enabled")
    if status == "Suspended":
        return PutBucketVersioningInput(call.bucket, "Suspended")
    if status is None:
        raise IllegalVersioningConfigurationException("The Versioning element must be specified")
    raise MalformedXML


OPERATIONS = (
    Operation(
        name="CreateBucket",
        method="PUT",
        target=Target.BUCKET,
        document_limit_bytes=_DOCUMENT_LIMIT_BYTES,
        parse=parse_create_bucket,
        backend="create_bucket",
        shape=shape_create_bucket,
    ),
    Operation(
        name="HeadBucket",
        method="HEAD",
        target=Target.BUCKET,
        parse=bucket_input,
        backend="head_bucket",
        shape=shape_head_bucket,
    ),
    Operation(
        name="DeleteBucket",
        method="DELETE",
        target=Target.BUCKET,
        parse=bucket_input,
        backend="delete_bucket",
        shape=shape_no_content,
    ),
    Operation(
        name="GetBucketLocation",
        method="GET",
        target=Target.BUCKET,
        subresource="location",
        parse=bucket_input,
        backend="head_bucket",
        shape=shape_location,
    ),
    Operation(
        name="GetBucketVersioning",
        method="GET",
        target=Target.BUCKET,
        subresource="versioning",
        parse=bucket_input,
        backend="get_bucket_versioning",
        shape=shape_versioning,
    ),
    Operation(
        name="PutBucketVersioning",
        method="PUT",
        target=Target.BUCKET,
        subresource="versioning",
        document_limit_bytes=_DOCUMENT_LIMIT_BYTES,
        parse=parse_put_versioning,
        backend="put_bucket_versioning",
        shape=shape_empty,
    ),
)
