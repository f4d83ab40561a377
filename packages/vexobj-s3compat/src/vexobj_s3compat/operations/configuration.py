"""Probes of bucket configuration that is not there, answered as AWS answers "not configured"."""

from vexobj_s3compat.call import Call
from vexobj_s3compat.errors import (
    NoSuchBucketPolicy,
    NoSuchCORSConfiguration,
    NoSuchLifecycleConfiguration,
    NoSuchPublicAccessBlockConfiguration,
    NoSuchTagSet,
    NoSuchWebsiteConfiguration,
    ObjectLockConfigurationNotFoundError,
    OwnershipControlsNotFoundError,
    ReplicationConfigurationNotFoundError,
    S3Error,
    ServerSideEncryptionConfigurationNotFoundError,
)
from vexobj_s3compat.operation import Operation
from vexobj_s3compat.operations._output import xml_response
from vexobj_s3compat.respond import Response
from vexobj_s3compat.target import Target
from vexobj_s3compat.types import BucketInput

_MISSING: dict[str, tuple[str, type[S3Error]]] = {
    "cors": ("GetBucketCors", NoSuchCORSConfiguration),
    "encryption": (
        "GetBucketEncryption",
        ServerSideEncryptionConfigurationNotFoundError,
    ),
    "lifecycle": ("GetBucketLifecycleConfiguration", NoSuchLifecycleConfiguration),
    "object-lock": ("GetObjectLockConfiguration", ObjectLockConfigurationNotFoundError),
    "ownershipControls": ("GetBucketOwnershipControls", OwnershipControlsNotFoundError),
    "policy": ("GetBucketPolicy", NoSuchBucketPolicy),
    "policyStatus": ("GetBucketPolicyStatus", NoSuchBucketPolicy),
    "publicAccessBlock": ("GetPublicAccessBlock", NoSuchPublicAccessBlockConfiguration),
    "replication": ("GetBucketReplication", ReplicationConfigurationNotFoundError),
    "tagging": ("GetBucketTagging", NoSuchTagSet),
    "website": ("GetBucketWebsite", NoSuchWebsiteConfiguration),
}
_DEFAULTS = {
    "accelerate": ("GetBucketAccelerateConfiguration", "AccelerateConfiguration", ""),
    "logging": ("GetBucketLogging", "BucketLoggingStatus", ""),
    "notification": ("GetBucketNotificationConfiguration", "NotificationConfiguration", ""),
    "requestPayment": (
        "GetBucketRequestPayment",
        "RequestPaymentConfiguration",
        "<Payer>BucketOwner</Payer>",
    ),
}


def _parse(call: Call) -> BucketInput:
    return BucketInput(call.bucket)


async def _shape_missing(call: Call, _: BucketInput, __: None) -> Response:
    names = [name for name in _MISSING if name in call.parameters]
    raise _MISSING[names[0]][1](fields={"BucketName": call.bucket})


async def _shape_default(call: Call, _: BucketInput, __: None) -> Response:
    names = [name for name in _DEFAULTS if name in call.parameters]
    root, inner = _DEFAULTS[names[0]][1:]
    return xml_response(root, inner)


OPERATIONS = (
    *(
        Operation(
            name=name,
            method="GET",
            target=Target.BUCKET,
            subresource=subresource,
            parse=_parse,
            backend="get_bucket_configuration",
            shape=_shape_missing,
        )
        for subresource, (name, _) in _MISSING.items()
    ),
    *(
        Operation(
            name=name,
            method="GET",
            target=Target.BUCKET,
            subresource=subresource,
            parse=_parse,
            backend="get_bucket_configuration",
            shape=_shape_default,
        )
        for subresource, (name, _, _) in _DEFAULTS.items()
    ),
)
