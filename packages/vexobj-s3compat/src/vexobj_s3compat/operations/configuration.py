"""Probes of bucket configuration that is not there, answered as AWS answers "not configured"."""

from collections.abc import Awaitable, Callable

from vexobj_s3compat.call import Call
from vexobj_s3compat.errors import (
    NoSuchBucketPolicy,
    NoSuchCORSConfiguration,
    NoSuchPublicAccessBlockConfiguration,
    NoSuchTagSet,
    NoSuchWebsiteConfiguration,
    OwnershipControlsNotFoundError,
    ReplicationConfigurationNotFoundError,
    S3Error,
)
from vexobj_s3compat.operation import Operation
from vexobj_s3compat.operations._input import bucket_input
from vexobj_s3compat.operations._output import xml_response
from vexobj_s3compat.respond import Response
from vexobj_s3compat.target import Target
from vexobj_s3compat.types import BucketInput

Shape = Callable[[Call, BucketInput, None], Awaitable[Response]]


def _absent(condition: type[S3Error]) -> Shape:
    async def shape(call: Call, _: BucketInput, __: None) -> Response:
        raise condition(fields={"BucketName": call.bucket})

    return shape


def _default(root: str, inner: str = "") -> Shape:
    async def shape(_: Call, __: BucketInput, ___: None) -> Response:
        return xml_response(root, inner)

    return shape


_CONFIGURATIONS: dict[str, tuple[str, Shape]] = {
    "cors": ("GetBucketCors", _absent(NoSuchCORSConfiguration)),
    "ownershipControls": ("GetBucketOwnershipControls", _absent(OwnershipControlsNotFoundError)),
    "policy": ("GetBucketPolicy", _absent(NoSuchBucketPolicy)),
    "policyStatus": ("GetBucketPolicyStatus", _absent(NoSuchBucketPolicy)),
    "publicAccessBlock": ("GetPublicAccessBlock", _absent(NoSuchPublicAccessBlockConfiguration)),
    "replication": ("GetBucketReplication", _absent(ReplicationConfigurationNotFoundError)),
    "tagging": ("GetBucketTagging", _absent(NoSuchTagSet)),
    "website": ("GetBucketWebsite", _absent(NoSuchWebsiteConfiguration)),
    "accelerate": ("GetBucketAccelerateConfiguration", _default("AccelerateConfiguration")),
    "logging": ("GetBucketLogging", _default("BucketLoggingStatus")),
    "notification": (
        "GetBucketNotificationConfiguration",
        _default("NotificationConfiguration"),
    ),
    "requestPayment": (
        "GetBucketRequestPayment",
        _default("RequestPaymentConfiguration", "<Payer>BucketOwner</Payer>"),
    ),
}

OPERATIONS = tuple(
    Operation(
        name=name,
        method="GET",
        target=Target.BUCKET,
        subresource=subresource,
        parse=bucket_input,
        backend="get_bucket_configuration",
        shape=shape,
    )
    for subresource, (name, shape) in _CONFIGURATIONS.items()
)
