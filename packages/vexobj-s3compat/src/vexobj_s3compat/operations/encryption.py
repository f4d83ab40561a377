"""A bucket's encryption: on for all buckets where the backend encrypts, else off for all."""

from vexobj_s3compat.call import Call
from vexobj_s3compat.errors import (
    MalformedXML,
    NotImplementedYet,
    ServerSideEncryptionConfigurationNotFoundError,
)
from vexobj_s3compat.operation import Operation
from vexobj_s3compat.operations._input import SSE_S3, bucket_input, leaf
from vexobj_s3compat.operations._output import shape_empty, shape_no_content, xml_response
from vexobj_s3compat.respond import Response
from vexobj_s3compat.target import Target
from vexobj_s3compat.types import BucketInput
from vexobj_s3compat.xml import children, element, parse

_DOCUMENT_LIMIT_BYTES = 64 * 1024


async def shape_encryption(call: Call, _: BucketInput, __: None) -> Response:
    if not call.encrypts:
        raise ServerSideEncryptionConfigurationNotFoundError(fields={"BucketName": call.bucket})
    default = element("SSEAlgorithm", SSE_S3)
    rule = (
        f"<ApplyServerSideEncryptionByDefault>{default}</ApplyServerSideEncryptionByDefault>"
        "<BucketKeyEnabled>false</BucketKeyEnabled>"
    )
    return xml_response("ServerSideEncryptionConfiguration", f"<Rule>{rule}</Rule>")


def parse_put_encryption(call: Call) -> BucketInput:
    rules = list(children(parse(call.document, "ServerSideEncryptionConfiguration"), "Rule"))
    defaults = [
        default
        for rule in rules
        for default in children(rule, "ApplyServerSideEncryptionByDefault")
    ]
    if len(rules) != 1 or len(defaults) != 1:
        raise MalformedXML
    algorithm = leaf(defaults[0], "SSEAlgorithm")
    if algorithm != SSE_S3:
        raise NotImplementedYet("Keys of a key management service are not implemented.")
    if not call.encrypts:
        raise NotImplementedYet("Encryption is off on this server, for all buckets.")
    return bucket_input(call)


OPERATIONS = (
    Operation(
        name="GetBucketEncryption",
        method="GET",
        target=Target.BUCKET,
        subresource="encryption",
        parse=bucket_input,
        backend="get_bucket_configuration",
        shape=shape_encryption,
    ),
    Operation(
        name="PutBucketEncryption",
        method="PUT",
        target=Target.BUCKET,
        subresource="encryption",
        document_limit_bytes=_DOCUMENT_LIMIT_BYTES,
        parse=parse_put_encryption,
        backend="change_bucket_configuration",
        shape=shape_empty,
    ),
    Operation(
        name="DeleteBucketEncryption",
        method="DELETE",
        target=Target.BUCKET,
        subresource="encryption",
        parse=bucket_input,
        backend="change_bucket_configuration",
        shape=shape_no_content,
    ),
)
