"""The S3 error table: code, HTTP status and message as AWS documents them.

S3Error is the base; each leaf is one code. Extra elements of the XML go into `fields`.
Source: AWS S3 API reference, "Error responses". QuotaExceeded is the one code of our own.
"""

from collections.abc import Mapping
from http import HTTPStatus


class S3Error(Exception):
    """An answer that is an error: `code` and `status` are the class's, the rest the instance's."""

    code = "InternalError"
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    message = "We encountered an internal error. Please try again."

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


class InternalError(S3Error):
    pass


class NotImplementedYet(S3Error):
    code = "NotImplemented"
    status = HTTPStatus.NOT_IMPLEMENTED
    message = "A header or query you provided implies functionality that is not implemented."


class NotModified(S3Error):
    """A conditional read that found nothing new: 304, which has no body."""

    code = "NotModified"
    status = HTTPStatus.NOT_MODIFIED
    message = "Not Modified"


class AccessControlListNotSupported(S3Error):
    code = "AccessControlListNotSupported"
    status = HTTPStatus.BAD_REQUEST
    message = "The bucket does not allow ACLs"


class AccessDenied(S3Error):
    code = "AccessDenied"
    status = HTTPStatus.FORBIDDEN
    message = "Access Denied"


class AuthorizationHeaderMalformed(S3Error):
    code = "AuthorizationHeaderMalformed"
    status = HTTPStatus.BAD_REQUEST
    message = "The authorization header that you provided is not valid."


class AuthorizationQueryParametersError(S3Error):
    code = "AuthorizationQueryParametersError"
    status = HTTPStatus.BAD_REQUEST
    message = "The authorization query parameters that you provided are not valid."


class BadDigest(S3Error):
    code = "BadDigest"
    status = HTTPStatus.BAD_REQUEST
    message = (
        "The Content-MD5 or checksum value that you specified did not match what the server "
        "received."
    )


class BucketAlreadyExists(S3Error):
    code = "BucketAlreadyExists"
    status = HTTPStatus.CONFLICT
    message = (
        "The requested bucket name is not available. The bucket namespace is shared by all "
        "users of the system. Please select a different name and try again."
    )


class BucketAlreadyOwnedByYou(S3Error):
    code = "BucketAlreadyOwnedByYou"
    status = HTTPStatus.CONFLICT
    message = "Your previous request to create the named bucket succeeded and you already own it."


class BucketNotEmpty(S3Error):
    code = "BucketNotEmpty"
    status = HTTPStatus.CONFLICT
    message = "The bucket you tried to delete is not empty"


class ConditionalRequestConflict(S3Error):
    code = "ConditionalRequestConflict"
    status = HTTPStatus.CONFLICT
    message = (
        "The conditional request cannot succeed due to a conflicting operation against this "
        "resource."
    )


class CORSForbidden(S3Error):
    code = "CORSForbidden"
    status = HTTPStatus.FORBIDDEN
    message = "CORSResponse: This CORS request is not allowed."


class EntityTooLarge(S3Error):
    code = "EntityTooLarge"
    status = HTTPStatus.BAD_REQUEST
    message = "Your proposed upload exceeds the maximum allowed size"


class EntityTooSmall(S3Error):
    code = "EntityTooSmall"
    status = HTTPStatus.BAD_REQUEST
    message = "Your proposed upload is smaller than the minimum allowed size"


class ExpiredToken(S3Error):
    code = "ExpiredToken"
    status = HTTPStatus.BAD_REQUEST
    message = "The provided token has expired."


class IllegalLocationConstraintException(S3Error):
    code = "IllegalLocationConstraintException"
    status = HTTPStatus.BAD_REQUEST
    message = (
        "The specified location constraint is incompatible for the region specific endpoint "
        "this request was sent to."
    )


class IllegalVersioningConfigurationException(S3Error):
    code = "IllegalVersioningConfigurationException"
    status = HTTPStatus.BAD_REQUEST
    message = "The versioning configuration specified in the request is invalid."


class IncompleteBody(S3Error):
    code = "IncompleteBody"
    status = HTTPStatus.BAD_REQUEST
    message = "You did not provide the number of bytes specified by the Content-Length HTTP header"


class IncorrectNumberOfFilesInPostRequest(S3Error):
    code = "IncorrectNumberOfFilesInPostRequest"
    status = HTTPStatus.BAD_REQUEST
    message = "POST requires exactly one file upload per request."


class InvalidAccessKeyId(S3Error):
    code = "InvalidAccessKeyId"
    status = HTTPStatus.FORBIDDEN
    message = "The AWS Access Key Id you provided does not exist in our records."


class InvalidArgument(S3Error):
    code = "InvalidArgument"
    status = HTTPStatus.BAD_REQUEST
    message = "Invalid Argument"


class InvalidBucketName(S3Error):
    code = "InvalidBucketName"
    status = HTTPStatus.BAD_REQUEST
    message = "The specified bucket is not valid."


class InvalidBucketState(S3Error):
    code = "InvalidBucketState"
    status = HTTPStatus.CONFLICT
    message = "The request is not valid with the current state of the bucket."


class InvalidChunk(S3Error):
    code = "InvalidChunk"
    status = HTTPStatus.BAD_REQUEST
    message = "The chunked encoding of the request body is not valid."


class InvalidChunkSizeError(S3Error):
    code = "InvalidChunkSizeError"
    status = HTTPStatus.FORBIDDEN
    message = "Only the last chunk is allowed to have a size less than 8192 bytes"


class InvalidDigest(S3Error):
    code = "InvalidDigest"
    status = HTTPStatus.BAD_REQUEST
    message = "The Content-MD5 you specified was invalid."


class InvalidEncryptionAlgorithmError(S3Error):
    code = "InvalidEncryptionAlgorithmError"
    status = HTTPStatus.BAD_REQUEST
    message = "The encryption request that you specified is not valid. The valid value is AES256."


class InvalidLocationConstraint(S3Error):
    code = "InvalidLocationConstraint"
    status = HTTPStatus.BAD_REQUEST
    message = "The specified location-constraint is not valid"


class InvalidObjectState(S3Error):
    code = "InvalidObjectState"
    status = HTTPStatus.FORBIDDEN
    message = "The operation is not valid for the object's storage class"


class InvalidPart(S3Error):
    code = "InvalidPart"
    status = HTTPStatus.BAD_REQUEST
    message = (
        "One or more of the specified parts could not be found.  The part may not have been "
        "uploaded, or the specified entity tag may not match the part's entity tag."
    )


class InvalidPartNumber(S3Error):
    code = "InvalidPartNumber"
    status = HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
    message = "The requested partnumber is not satisfiable"


class InvalidPartOrder(S3Error):
    code = "InvalidPartOrder"
    status = HTTPStatus.BAD_REQUEST
    message = "The list of parts was not in ascending order. Parts must be ordered by part number."


class InvalidPolicyDocument(S3Error):
    code = "InvalidPolicyDocument"
    status = HTTPStatus.BAD_REQUEST
    message = (
        "The content of the form does not meet the conditions specified in the policy document."
    )


class InvalidRange(S3Error):
    code = "InvalidRange"
    status = HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
    message = "The requested range is not satisfiable"


class InvalidRequest(S3Error):
    code = "InvalidRequest"
    status = HTTPStatus.BAD_REQUEST
    message = "Invalid Request"


class InvalidSecurity(S3Error):
    code = "InvalidSecurity"
    status = HTTPStatus.FORBIDDEN
    message = "The provided security credentials are not valid."


class InvalidStorageClass(S3Error):
    code = "InvalidStorageClass"
    status = HTTPStatus.BAD_REQUEST
    message = "The storage class you specified is not valid"


class InvalidTag(S3Error):
    code = "InvalidTag"
    status = HTTPStatus.BAD_REQUEST
    message = (
        "The tag provided was not a valid tag. This error can occur if the tag did not pass "
        "input validation."
    )


class InvalidTargetBucketForLogging(S3Error):
    code = "InvalidTargetBucketForLogging"
    status = HTTPStatus.BAD_REQUEST
    message = "The target bucket for logging does not exist"


class InvalidToken(S3Error):
    code = "InvalidToken"
    status = HTTPStatus.BAD_REQUEST
    message = "The provided token is malformed or otherwise invalid."


class InvalidURI(S3Error):
    code = "InvalidURI"
    status = HTTPStatus.BAD_REQUEST
    message = "Couldn't parse the specified URI."


class KeyTooLongError(S3Error):
    code = "KeyTooLongError"
    status = HTTPStatus.BAD_REQUEST
    message = "Your key is too long"


class MalformedACLError(S3Error):
    code = "MalformedACLError"
    status = HTTPStatus.BAD_REQUEST
    message = (
        "The XML you provided was not well-formed or did not validate against our published schema"
    )


class MalformedPolicy(S3Error):
    code = "MalformedPolicy"
    status = HTTPStatus.BAD_REQUEST
    message = "This policy contains invalid Json"


class MalformedPOSTRequest(S3Error):
    code = "MalformedPOSTRequest"
    status = HTTPStatus.BAD_REQUEST
    message = "The body of your POST request is not well-formed multipart/form-data."


class MalformedTrailerError(S3Error):
    code = "MalformedTrailerError"
    status = HTTPStatus.BAD_REQUEST
    message = (
        "The request contained trailing data that was not well-formed or did not conform to "
        "our published schema."
    )


class MalformedXML(S3Error):
    code = "MalformedXML"
    status = HTTPStatus.BAD_REQUEST
    message = (
        "The XML you provided was not well-formed or did not validate against our published schema"
    )


class MaxMessageLengthExceeded(S3Error):
    code = "MaxMessageLengthExceeded"
    status = HTTPStatus.BAD_REQUEST
    message = "Your request was too big."


class MaxPostPreDataLengthExceeded(S3Error):
    code = "MaxPostPreDataLengthExceeded"
    status = HTTPStatus.BAD_REQUEST
    message = "Your POST request fields preceding the upload file were too large."


class MetadataTooLarge(S3Error):
    code = "MetadataTooLarge"
    status = HTTPStatus.BAD_REQUEST
    message = "Your metadata headers exceed the maximum allowed metadata size"


class MethodNotAllowed(S3Error):
    code = "MethodNotAllowed"
    status = HTTPStatus.METHOD_NOT_ALLOWED
    message = "The specified method is not allowed against this resource."


class MissingContentLength(S3Error):
    code = "MissingContentLength"
    status = HTTPStatus.LENGTH_REQUIRED
    message = "You must provide the Content-Length HTTP header."


class MissingRequestBodyError(S3Error):
    code = "MissingRequestBodyError"
    status = HTTPStatus.BAD_REQUEST
    message = "Request body is empty."


class MissingSecurityHeader(S3Error):
    code = "MissingSecurityHeader"
    status = HTTPStatus.BAD_REQUEST
    message = "Your request is missing a required header"


class NoSuchBucket(S3Error):
    code = "NoSuchBucket"
    status = HTTPStatus.NOT_FOUND
    message = "The specified bucket does not exist"


class NoSuchBucketPolicy(S3Error):
    code = "NoSuchBucketPolicy"
    status = HTTPStatus.NOT_FOUND
    message = "The bucket policy does not exist"


class NoSuchCORSConfiguration(S3Error):
    code = "NoSuchCORSConfiguration"
    status = HTTPStatus.NOT_FOUND
    message = "The CORS configuration does not exist"


class NoSuchKey(S3Error):
    code = "NoSuchKey"
    status = HTTPStatus.NOT_FOUND
    message = "The specified key does not exist."


class NoSuchLifecycleConfiguration(S3Error):
    code = "NoSuchLifecycleConfiguration"
    status = HTTPStatus.NOT_FOUND
    message = "The lifecycle configuration does not exist"


class NoSuchObjectLockConfiguration(S3Error):
    code = "NoSuchObjectLockConfiguration"
    status = HTTPStatus.NOT_FOUND
    message = "The specified object does not have a ObjectLock configuration"


class NoSuchPublicAccessBlockConfiguration(S3Error):
    code = "NoSuchPublicAccessBlockConfiguration"
    status = HTTPStatus.NOT_FOUND
    message = "The public access block configuration was not found"


class NoSuchTagSet(S3Error):
    code = "NoSuchTagSet"
    status = HTTPStatus.NOT_FOUND
    message = "The TagSet does not exist"


class NoSuchUpload(S3Error):
    code = "NoSuchUpload"
    status = HTTPStatus.NOT_FOUND
    message = (
        "The specified upload does not exist. The upload ID may be invalid, or the upload may"
        " have been aborted or completed."
    )


class NoSuchVersion(S3Error):
    code = "NoSuchVersion"
    status = HTTPStatus.NOT_FOUND
    message = "The specified version does not exist."


class NoSuchWebsiteConfiguration(S3Error):
    code = "NoSuchWebsiteConfiguration"
    status = HTTPStatus.NOT_FOUND
    message = "The specified bucket does not have a website configuration"


class ObjectLockConfigurationNotFoundError(S3Error):
    code = "ObjectLockConfigurationNotFoundError"
    status = HTTPStatus.NOT_FOUND
    message = "Object Lock configuration does not exist for this bucket"


class OperationAborted(S3Error):
    code = "OperationAborted"
    status = HTTPStatus.CONFLICT
    message = (
        "A conflicting conditional operation is currently in progress against this resource. "
        "Please try again."
    )


class OwnershipControlsNotFoundError(S3Error):
    code = "OwnershipControlsNotFoundError"
    status = HTTPStatus.NOT_FOUND
    message = "The bucket ownership controls were not found"


class PermanentRedirect(S3Error):
    code = "PermanentRedirect"
    status = HTTPStatus.MOVED_PERMANENTLY
    message = (
        "The bucket you are attempting to access must be addressed using the specified "
        "endpoint. Please send all future requests to this endpoint."
    )


class PreconditionFailed(S3Error):
    code = "PreconditionFailed"
    status = HTTPStatus.PRECONDITION_FAILED
    message = "At least one of the pre-conditions you specified did not hold"


class QuotaExceeded(S3Error):
    code = "QuotaExceeded"
    status = HTTPStatus.FORBIDDEN
    message = "The quota of this bucket is used up."


class ReplicationConfigurationNotFoundError(S3Error):
    code = "ReplicationConfigurationNotFoundError"
    status = HTTPStatus.NOT_FOUND
    message = "The replication configuration was not found"


class RequestHeaderSectionTooLarge(S3Error):
    code = "RequestHeaderSectionTooLarge"
    status = HTTPStatus.BAD_REQUEST
    message = "Your request header section exceeds the maximum allowed size."


class RequestTimeout(S3Error):
    code = "RequestTimeout"
    status = HTTPStatus.BAD_REQUEST
    message = (
        "Your socket connection to the server was not read from or written to within the "
        "timeout period."
    )


class RequestTimeTooSkewed(S3Error):
    code = "RequestTimeTooSkewed"
    status = HTTPStatus.FORBIDDEN
    message = "The difference between the request time and the current time is too large."


class ServerSideEncryptionConfigurationNotFoundError(S3Error):
    code = "ServerSideEncryptionConfigurationNotFoundError"
    status = HTTPStatus.NOT_FOUND
    message = "The server side encryption configuration was not found"


class ServiceUnavailable(S3Error):
    code = "ServiceUnavailable"
    status = HTTPStatus.SERVICE_UNAVAILABLE
    message = "Service is unable to handle request."


class SignatureDoesNotMatch(S3Error):
    code = "SignatureDoesNotMatch"
    status = HTTPStatus.FORBIDDEN
    message = (
        "The request signature we calculated does not match the signature you provided. Check"
        " your key and signing method."
    )


class SlowDown(S3Error):
    code = "SlowDown"
    status = HTTPStatus.SERVICE_UNAVAILABLE
    message = "Please reduce your request rate."


class TooManyBuckets(S3Error):
    code = "TooManyBuckets"
    status = HTTPStatus.BAD_REQUEST
    message = "You have attempted to create more buckets than allowed"


class UnexpectedContent(S3Error):
    code = "UnexpectedContent"
    status = HTTPStatus.BAD_REQUEST
    message = "This request does not support content"


class UnresolvableGrantByEmailAddress(S3Error):
    code = "UnresolvableGrantByEmailAddress"
    status = HTTPStatus.BAD_REQUEST
    message = "The email address you provided does not match any account on record."


class XAmzContentChecksumMismatch(S3Error):
    code = "XAmzContentChecksumMismatch"
    status = HTTPStatus.BAD_REQUEST
    message = "The provided checksum does not match the calculated checksum."


class XAmzContentSHA256Mismatch(S3Error):
    code = "XAmzContentSHA256Mismatch"
    status = HTTPStatus.BAD_REQUEST
    message = "The provided 'x-amz-content-sha256' header does not match what was computed."
