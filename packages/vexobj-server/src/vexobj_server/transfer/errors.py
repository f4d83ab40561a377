"""The errors of the native API: one table from conditions to answers, one form for all."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from vexobj_auth import errors as auth
from vexobj_processing import errors as processing
from vexobj_s3compat import S3Error
from vexobj_server.media import errors as media
from vexobj_server.services.access import AccessRefused
from vexobj_storage import errors as storage


@dataclass(eq=False)
class RestError(Exception):
    """An answer that is an error."""

    status: int
    code: str
    error: str
    reason: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self, request_id: str) -> dict[str, str]:
        answer = {"error": self.error, "code": self.code}
        if self.reason is not None:
            answer["reason"] = self.reason
        answer["request_id"] = request_id
        return answer


def request_id_of(scope: Mapping[str, Any]) -> str:
    """As the dispatcher gave it."""
    identifier: str = scope["state"]["request_id"]
    return identifier


def missing_authorization() -> RestError:
    return RestError(
        401,
        "MissingAuthorization",
        "missing authorization header",
        headers={"www-authenticate": "Bearer"},
    )


def invalid_key() -> RestError:
    return RestError(
        401, "InvalidApiKey", "invalid api key", headers={"www-authenticate": "Bearer"}
    )


def internal_error() -> RestError:
    return RestError(500, "InternalError", "internal error")


def _refused(refused: AccessRefused) -> RestError:
    refusal = refused.refusal
    if refusal.anonymous:
        return missing_authorization()
    if refusal.permission is not None:
        return RestError(403, "MissingPermission", f"missing '{refusal.permission}' permission")
    if refusal.scope is not None:
        where = f"bucket '{refusal.scope}'" if refusal.scope != "*" else "all buckets"
        return RestError(403, "OutOfScope", f"forbidden: key does not have access to {where}")
    return RestError(403, "AccessDenied", "access denied")


def _not_acceptable_name(error: storage.InvalidBucketName) -> RestError:
    return RestError(400, "InvalidBucketName", "invalid bucket name", error.reason)


def _busy(error: storage.StoreBusy) -> RestError:
    return RestError(
        503,
        "Busy",
        "the server is busy; try again",
        headers={"retry-after": str(max(1, round(error.retry_after_seconds)))},
    )


def _fixed(status: int, code: str, error: str) -> Callable[[Any], RestError]:
    return lambda _: RestError(status, code, error)


def _damaged(_: object) -> RestError:
    return RestError(500, "DataUnavailable", "the object's bytes cannot be read")


Translation = Callable[[Any], RestError]

TABLE: dict[type[Exception], Translation] = {
    AccessRefused: _refused,
    processing.InvalidTransform: lambda e: RestError(
        400, "InvalidTransform", f"invalid transform: {e.parameter}", e.reason
    ),
    processing.UnsupportedImage: _fixed(422, "UnsupportedImage", "not an image we can decode"),
    processing.ImageUnreadable: lambda e: RestError(
        422, "ImageUnreadable", "image decode error", e.reason
    ),
    processing.LimitExceeded: lambda e: RestError(
        422, "ImageTooLarge", "the image is beyond a limit", f"{e.limit}: {e.maximum}"
    ),
    processing.JobTimeout: _fixed(422, "ImageTooSlow", "the image took too long"),
    processing.JobFailed: _fixed(422, "ImageUnreadable", "image decode error"),
    media.MediaUnsupported: _fixed(422, "UnsupportedImage", "not an image we can decode"),
    media.MediaUnavailable: lambda e: RestError(
        503,
        "MediaBusy",
        "images cannot be transformed just now; try again",
        headers={"retry-after": str(max(1, round(e.retry_after_seconds)))},
    ),
    storage.NoSuchBucket: _fixed(404, "NoSuchBucket", "bucket not found"),
    storage.BucketAlreadyExists: lambda e: RestError(
        409, "BucketAlreadyExists", f"bucket already exists: {e.bucket}"
    ),
    storage.BucketNotEmpty: _fixed(409, "BucketNotEmpty", "bucket not empty"),
    storage.HostAliasTaken: lambda e: RestError(
        409, "HostAliasTaken", f"host alias belongs to another bucket: {e.host}"
    ),
    storage.InvalidLifecycleRule: lambda e: RestError(
        400, "InvalidLifecycleRule", "invalid lifecycle rule", e.reason
    ),
    storage.NoSuchLifecycleRule: _fixed(404, "NoSuchLifecycleRule", "lifecycle rule not found"),
    storage.ObjectLocked: lambda e: RestError(
        409, "ObjectLocked", "object is locked", e.reason.value
    ),
    storage.RetentionActive: _fixed(
        409, "RetentionActive", "retention cannot be shortened or cleared while active"
    ),
    storage.ObjectLockNeedsVersioning: _fixed(
        409, "ObjectLockNeedsVersioning", "object lock needs versioning to be enabled"
    ),
    storage.InvalidBucketName: _not_acceptable_name,
    storage.NoSuchKey: _fixed(404, "NoSuchKey", "object not found"),
    storage.NoSuchVersion: _fixed(404, "NoSuchVersion", "version not found"),
    storage.InvalidKey: lambda e: RestError(400, "InvalidKey", "invalid key", e.reason),
    storage.NoSuchUpload: _fixed(404, "NoSuchUpload", "upload not found"),
    storage.InvalidPart: _fixed(400, "InvalidPart", "invalid part"),
    storage.InvalidPartOrder: _fixed(400, "InvalidPartOrder", "parts are out of order"),
    storage.EntityTooSmall: _fixed(400, "PartTooSmall", "a part is too small"),
    storage.PreconditionFailed: lambda e: RestError(
        412, "PreconditionFailed", "precondition failed", e.condition
    ),
    storage.EntityTooLarge: lambda e: RestError(
        413, "TooLarge", f"object is larger than {e.maximum} bytes"
    ),
    storage.QuotaExceeded: lambda e: RestError(
        507, "QuotaExceeded", "quota exceeded", f"the bucket may hold {e.maximum} {e.resource}"
    ),
    storage.SizeMismatch: _fixed(400, "IncompleteBody", "the body ended early"),
    storage.NoSuchIdentity: _fixed(404, "NoSuchIdentity", "identity not found"),
    storage.NoSuchAccessKey: _fixed(404, "NoSuchAccessKey", "api key not found"),
    storage.AccessKeyAlreadyExists: _fixed(409, "AccessKeyAlreadyExists", "api key exists"),
    storage.NoSuchWebhook: _fixed(404, "NoSuchWebhook", "webhook not found"),
    storage.NoSuchDelivery: _fixed(404, "NoSuchDelivery", "delivery not found"),
    storage.WebhookFixed: _fixed(
        409, "WebhookFixed", "the webhook comes from the settings, and is changed there"
    ),
    storage.BlobMissing: _damaged,
    storage.BlobCorrupt: _damaged,
    storage.KeyUnavailable: lambda e: RestError(
        500, "KeyUnavailable", "the object is encrypted and its key is not here", str(e)
    ),
    storage.OutOfSpace: _fixed(507, "OutOfSpace", "no room left on the server"),
    storage.StoreBusy: _busy,
    storage.StoreClosed: _fixed(503, "ShuttingDown", "the server is shutting down"),
    storage.WriteFailed: _fixed(500, "WriteFailed", "the write failed"),
    storage.BlobServiceUnusable: _fixed(503, "ServiceUnavailable", "the blobs are out of reach"),
    storage.ReadFailed: _fixed(500, "ReadFailed", "the read failed"),
    storage.CommitUncertain: _fixed(500, "CommitUncertain", "the write may not have happened"),
    storage.SchemaTooNew: _fixed(503, "SchemaTooNew", "the store belongs to a newer version"),
    storage.LeaseLost: _fixed(503, "Busy", "the server is busy; try again"),
    storage.BackupRunning: lambda e: RestError(
        409, "BackupRunning", "a backup is running already", e.what
    ),
    storage.NoSuchBackup: _fixed(404, "NoSuchBackup", "backup not found"),
    storage.BackupDamaged: lambda e: RestError(
        500, "BackupDamaged", "the backup is damaged", f"{e.name}: {e.reason}"
    ),
    storage.BackupTooNew: _fixed(500, "BackupTooNew", "the backup belongs to a newer version"),
    storage.BackupTargetTaken: _fixed(
        409, "BackupTargetTaken", "the backup target holds the backups of another store"
    ),
    storage.StoreNotEmpty: _fixed(409, "StoreNotEmpty", "the store is not empty"),
    storage.RestoreUnfinished: _fixed(503, "RestoreUnfinished", "a restore has not ended"),
    auth.NoSuchIdentity: _fixed(404, "NoSuchIdentity", "identity not found"),
    auth.NoSuchAccessKey: _fixed(404, "NoSuchAccessKey", "api key not found"),
    auth.AccessKeyAlreadyExists: _fixed(409, "AccessKeyAlreadyExists", "api key exists"),
    auth.AccessKeyExpired: lambda _: invalid_key(),
    auth.InvalidAccessKeyId: lambda e: RestError(
        400, "InvalidAccessKeyId", "invalid access key id", e.reason
    ),
    auth.InvalidSecretAccessKey: lambda e: RestError(
        400, "InvalidSecretAccessKey", "invalid secret access key", e.reason
    ),
    auth.SealBroken: _fixed(500, "SealBroken", "the key's secret cannot be opened"),
    auth.PresignMalformed: lambda e: RestError(
        400, "MalformedPresignedUrl", "malformed presigned url", e.reason
    ),
    auth.PresignExpired: _fixed(403, "PresignedUrlExpired", "presigned url has expired"),
    auth.PresignMismatch: _fixed(403, "PresignedUrlMismatch", "presigned url does not match"),
}


def translate(error: Exception) -> RestError:
    """Every exception has an answer; what nobody foresaw is an internal error."""
    if isinstance(error, RestError):
        return error
    if isinstance(error, S3Error):
        return _of_the_wire(error)
    for kind in type(error).__mro__:
        translation = TABLE.get(kind)
        if translation is not None:
            return translation(error)
    return internal_error()


def _of_the_wire(error: S3Error) -> RestError:
    """What the shared body, range and condition code raises keeps its code and status."""
    status = HTTPStatus(error.status)
    return RestError(status, error.code, error.message, headers=error.headers)
