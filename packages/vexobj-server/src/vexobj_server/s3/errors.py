"""What the store and the access rules say, in S3's words: one table."""

from collections.abc import Callable
from email.utils import format_datetime
from typing import Any

from vexobj_processing import errors as processing
from vexobj_s3compat import S3Error
from vexobj_s3compat import errors as s3
from vexobj_s3compat.error_table import Entry
from vexobj_s3compat.locks import PROTECTED
from vexobj_server.media import errors as media
from vexobj_server.services.access import AccessRefused
from vexobj_storage import ObjectVersion
from vexobj_storage import errors as storage


class StorageFull(
    S3Error, entry=Entry(507, "The storage backend has no room left. Deletes still work.")
):
    """AWS knows no such state; 507 tells a person what 503 would make clients retry for ever."""


class QuotaExceeded(
    S3Error, entry=Entry(403, "The bucket's quota leaves no room for this. Deletes still work.")
):
    """AWS knows no quotas; code and status are Ceph's, which clients do not retry."""


class UnprocessableImage(S3Error, entry=Entry(422, "The image cannot be transformed.")):
    """AWS transforms no images; the native API's status for the same."""


def _bucket(error: Any) -> dict[str, str]:
    return {"BucketName": error.bucket}


def _key(error: Any) -> dict[str, str]:
    return {"Key": error.key}


def _no_such_key(error: storage.NoSuchKey) -> S3Error:
    headers = {}
    if error.marker_version_id is not None:
        headers = {
            "x-amz-delete-marker": "true",
            "x-amz-version-id": error.marker_version_id,
        }
    return s3.NoSuchKey(fields=_key(error), headers=headers)


def _invalid_key(error: storage.InvalidKey) -> S3Error:
    return s3.KeyTooLongError() if error.too_long else s3.InvalidURI(error.reason)


_DAMAGED = "The object's bytes are damaged or missing on the server."

Translation = Callable[[Any], S3Error]

TABLE: dict[type[Exception], Translation] = {
    AccessRefused: lambda _: s3.AccessDenied(),
    processing.InvalidTransform: lambda e: s3.InvalidArgument(
        f"{e.parameter} {e.reason}.", fields={"ArgumentName": e.parameter}
    ),
    processing.ProcessingError: lambda _: UnprocessableImage(),
    media.MediaUnsupported: lambda _: UnprocessableImage(),
    media.MediaUnavailable: lambda e: s3.SlowDown(
        headers={"retry-after": str(max(1, round(e.retry_after_seconds)))}
    ),
    storage.NoSuchBucket: lambda e: s3.NoSuchBucket(fields=_bucket(e)),
    storage.BucketAlreadyExists: lambda e: s3.BucketAlreadyExists(fields=_bucket(e)),
    storage.BucketNotEmpty: lambda e: s3.BucketNotEmpty(fields=_bucket(e)),
    storage.HostAliasTaken: lambda _: s3.OperationAborted(),
    storage.InvalidLifecycleRule: lambda e: s3.InvalidArgument(
        f"Lifecycle rule: {e.reason}.", fields={"ArgumentName": "ID", "ArgumentValue": e.rule_id}
    ),
    storage.NoSuchLifecycleRule: lambda _: s3.NoSuchLifecycleConfiguration(),
    storage.ObjectLocked: lambda _: s3.AccessDenied(PROTECTED),
    storage.RetentionActive: lambda _: s3.AccessDenied(PROTECTED),
    storage.ObjectLockNeedsVersioning: lambda e: s3.InvalidBucketState(fields=_bucket(e)),
    storage.InvalidBucketName: lambda e: s3.InvalidBucketName(fields=_bucket(e)),
    storage.NoSuchKey: _no_such_key,
    storage.NoSuchVersion: lambda e: s3.NoSuchVersion(fields=_key(e) | {"VersionId": e.version_id}),
    storage.InvalidKey: _invalid_key,
    storage.NoSuchUpload: lambda e: s3.NoSuchUpload(fields={"UploadId": e.upload_id}),
    storage.InvalidPart: lambda e: s3.InvalidPart(
        fields={"PartNumber": str(e.part_number), "ETag": e.etag}
    ),
    storage.InvalidPartOrder: lambda _: s3.InvalidPartOrder(),
    storage.EntityTooSmall: lambda e: s3.EntityTooSmall(
        fields={
            "ProposedSize": str(e.size),
            "MinSizeAllowed": str(e.minimum),
            "PartNumber": str(e.part_number),
        }
    ),
    storage.PreconditionFailed: lambda e: s3.PreconditionFailed(fields={"Condition": e.condition}),
    storage.EntityTooLarge: lambda e: s3.EntityTooLarge(fields={"MaxSizeAllowed": str(e.maximum)}),
    storage.QuotaExceeded: lambda e: QuotaExceeded(
        fields={f"Max{e.resource.capitalize()}Allowed": str(e.maximum)}
    ),
    storage.SizeMismatch: lambda _: s3.IncompleteBody(),
    storage.NoSuchIdentity: lambda _: s3.AccessDenied(),
    storage.NoSuchAccessKey: lambda _: s3.InvalidAccessKeyId(),
    storage.AccessKeyAlreadyExists: lambda _: s3.OperationAborted(),
    storage.NoSuchWebhook: lambda _: s3.InternalError(),
    storage.NoSuchDelivery: lambda _: s3.InternalError(),
    storage.WebhookFixed: lambda _: s3.InternalError(),
    storage.BlobMissing: lambda _: s3.InternalError(_DAMAGED),
    storage.BlobCorrupt: lambda _: s3.InternalError(_DAMAGED),
    storage.KeyUnavailable: lambda e: s3.InternalError(
        "The object is encrypted and its key is not here.", fields={"KeyId": str(e.key_id)}
    ),
    storage.OutOfSpace: lambda _: StorageFull(),
    storage.StoreBusy: lambda e: s3.SlowDown(
        headers={"retry-after": str(max(1, round(e.retry_after_seconds)))}
    ),
    storage.StoreClosed: lambda _: s3.ServiceUnavailable(),
    storage.WriteFailed: lambda _: s3.InternalError(),
    storage.BlobServiceUnusable: lambda _: s3.ServiceUnavailable(),
    storage.ReadFailed: lambda _: s3.InternalError(),
    storage.CommitUncertain: lambda _: s3.InternalError(),
    storage.SchemaTooNew: lambda _: s3.ServiceUnavailable(),
    storage.LeaseLost: lambda _: s3.ServiceUnavailable(),
    storage.BackupRunning: lambda _: s3.OperationAborted(),
    storage.NoSuchBackup: lambda _: s3.InternalError(),
    storage.BackupDamaged: lambda _: s3.InternalError(),
    storage.BackupTooNew: lambda _: s3.InternalError(),
    storage.BackupTargetTaken: lambda _: s3.InternalError(),
    storage.StoreNotEmpty: lambda _: s3.ServiceUnavailable(),
    storage.RestoreUnfinished: lambda _: s3.ServiceUnavailable(),
}


FORESEEN = tuple(TABLE)
"""What `translate` knows; anything else is an internal error, and logged as one."""


def translate(error: Exception) -> S3Error:
    """The S3 error that says what one of the FORESEEN does."""
    translation = next(TABLE[kind] for kind in type(error).__mro__ if kind in TABLE)
    return translation(error)


def delete_marker(version: ObjectVersion) -> S3Error:
    """A delete marker asked for by its version id has no bytes."""
    return s3.MethodNotAllowed(
        headers={
            "x-amz-delete-marker": "true",
            "x-amz-version-id": version.version_id,
            "last-modified": format_datetime(version.modified_at, usegmt=True),
            "allow": "DELETE",
        }
    )
