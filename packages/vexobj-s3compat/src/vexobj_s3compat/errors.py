"""S3's errors as conditions to raise: a class for each code of the table."""

from collections.abc import Mapping
from http import HTTPStatus

from vexobj_s3compat.error_table import TABLE, Entry


class S3Error(Exception):
    """An answer that is an error: `code` and `status` are the class's, the rest the instance's.

    A leaf's code is its name, where it names no other, and a key of the table, where it brings no
    entry of its own. Extra elements of the XML go into `fields`.
    """

    code = "InternalError"
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    message = TABLE["InternalError"].message

    def __init_subclass__(cls, *, code: str | None = None, entry: Entry | None = None) -> None:
        cls.code = code or cls.__name__
        status, cls.message = entry or TABLE[cls.code]
        cls.status = HTTPStatus(status)

    def __init__(
        self,
        message: str | None = None,
        *,
        fields: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.message = message or type(self).message
        self.fields = dict(fields or {})
        self.headers = dict(headers or {})
        super().__init__(self.message)


class AccessControlListNotSupported(S3Error): ...


class AccessDenied(S3Error): ...


class AuthorizationHeaderMalformed(S3Error): ...


class AuthorizationQueryParametersError(S3Error): ...


class BadDigest(S3Error): ...


class BucketAlreadyExists(S3Error): ...


class BucketAlreadyOwnedByYou(S3Error): ...


class BucketNotEmpty(S3Error): ...


class CORSForbidden(S3Error): ...


class ConditionalRequestConflict(S3Error): ...


class EntityTooLarge(S3Error): ...


class EntityTooSmall(S3Error): ...


class ExpiredToken(S3Error): ...


class IllegalLocationConstraintException(S3Error): ...


class IllegalVersioningConfigurationException(S3Error): ...


class IncompleteBody(S3Error): ...


class IncorrectNumberOfFilesInPostRequest(S3Error): ...


class InternalError(S3Error): ...


class InvalidAccessKeyId(S3Error): ...


class InvalidArgument(S3Error): ...


class InvalidBucketName(S3Error): ...


class InvalidBucketState(S3Error): ...


class InvalidChunk(S3Error): ...


class InvalidChunkSizeError(S3Error): ...


class InvalidDigest(S3Error): ...


class InvalidEncryptionAlgorithmError(S3Error): ...


class InvalidLocationConstraint(S3Error): ...


class InvalidObjectState(S3Error): ...


class InvalidPart(S3Error): ...


class InvalidPartNumber(S3Error): ...


class InvalidPartOrder(S3Error): ...


class InvalidPolicyDocument(S3Error): ...


class InvalidRange(S3Error): ...


class InvalidRequest(S3Error): ...


class InvalidSecurity(S3Error): ...


class InvalidStorageClass(S3Error): ...


class InvalidTag(S3Error): ...


class InvalidTargetBucketForLogging(S3Error): ...


class InvalidToken(S3Error): ...


class InvalidURI(S3Error): ...


class KeyTooLongError(S3Error): ...


class MalformedACLError(S3Error): ...


class MalformedPOSTRequest(S3Error): ...


class MalformedPolicy(S3Error): ...


class MalformedTrailerError(S3Error): ...


class MalformedXML(S3Error): ...


class MaxMessageLengthExceeded(S3Error): ...


class MaxPostPreDataLengthExceeded(S3Error): ...


class MetadataTooLarge(S3Error): ...


class MethodNotAllowed(S3Error): ...


class MissingContentLength(S3Error): ...


class MissingRequestBodyError(S3Error): ...


class MissingSecurityHeader(S3Error): ...


class NoSuchBucket(S3Error): ...


class NoSuchBucketPolicy(S3Error): ...


class NoSuchCORSConfiguration(S3Error): ...


class NoSuchKey(S3Error): ...


class NoSuchLifecycleConfiguration(S3Error): ...


class NoSuchObjectLockConfiguration(S3Error): ...


class NoSuchPublicAccessBlockConfiguration(S3Error): ...


class NoSuchTagSet(S3Error): ...


class NoSuchUpload(S3Error): ...


class NoSuchVersion(S3Error): ...


class NoSuchWebsiteConfiguration(S3Error): ...


class NotImplementedYet(S3Error, code="NotImplemented"): ...


class NotModified(S3Error):
    """A conditional read that found nothing new: 304, which has no body."""


class ObjectLockConfigurationNotFoundError(S3Error): ...


class OperationAborted(S3Error): ...


class OwnershipControlsNotFoundError(S3Error): ...


class PermanentRedirect(S3Error): ...


class PreconditionFailed(S3Error): ...


class QuotaExceeded(S3Error): ...


class ReplicationConfigurationNotFoundError(S3Error): ...


class RequestHeaderSectionTooLarge(S3Error): ...


class RequestTimeTooSkewed(S3Error): ...


class RequestTimeout(S3Error): ...


class ServerSideEncryptionConfigurationNotFoundError(S3Error): ...


class ServiceUnavailable(S3Error): ...


class SignatureDoesNotMatch(S3Error): ...


class SlowDown(S3Error): ...


class TooManyBuckets(S3Error): ...


class UnexpectedContent(S3Error): ...


class UnresolvableGrantByEmailAddress(S3Error): ...


class XAmzContentChecksumMismatch(S3Error): ...


class XAmzContentSHA256Mismatch(S3Error): ...
