"""Every error code with its HTTP status and message, as AWS documents them.

Source: AWS S3 API reference, "Error responses". QuotaExceeded is the one code of our own.
"""

from collections.abc import Mapping
from typing import NamedTuple


class Entry(NamedTuple):
    status: int
    message: str


TABLE: Mapping[str, Entry] = {
    "AccessControlListNotSupported": Entry(400, "The bucket does not allow ACLs"),
    "AccessDenied": Entry(403, "Access Denied"),
    "AuthorizationHeaderMalformed": Entry(
        400, "The authorization header that you provided is not valid."
    ),
    "AuthorizationQueryParametersError": Entry(
        400, "The authorization query parameters that you provided are not valid."
    ),
    "BadDigest": Entry(
        400,
        "The Content-MD5 or checksum value that you specified did not match what the server "
        "received.",
    ),
    "BucketAlreadyExists": Entry(
        409,
        "The requested bucket name is not available. The bucket namespace is shared by all "
        "users of the system. Please select a different name and try again.",
    ),
    "BucketAlreadyOwnedByYou": Entry(
        409, "Your previous request to create the named bucket succeeded and you already own it."
    ),
    "BucketNotEmpty": Entry(409, "The bucket you tried to delete is not empty"),
    "CORSForbidden": Entry(403, "CORSResponse: This CORS request is not allowed."),
    "ConditionalRequestConflict": Entry(
        409,
        "The conditional request cannot succeed due to a conflicting operation against this "
        "resource.",
    ),
    "EntityTooLarge": Entry(400, "Your proposed upload exceeds the maximum allowed size"),
    "EntityTooSmall": Entry(400, "Your proposed upload is smaller than the minimum allowed size"),
    "ExpiredToken": Entry(400, "The provided token has expired."),
    "IllegalLocationConstraintException": Entry(
        400,
        "The specified location constraint is incompatible for the region specific endpoint "
        "this request was sent to.",
    ),
    "IllegalVersioningConfigurationException": Entry(
        400, "The versioning configuration specified in the request is invalid."
    ),
    "IncompleteBody": Entry(
        400, "You did not provide the number of bytes specified by the Content-Length HTTP header"
    ),
    "IncorrectNumberOfFilesInPostRequest": Entry(
        400, "POST requires exactly one file upload per request."
    ),
    "InternalError": Entry(500, "We encountered an internal error. Please try again."),
    "InvalidAccessKeyId": Entry(
        403, "The AWS Access Key Id you provided does not exist in our records."
    ),
    "InvalidArgument": Entry(400, "Invalid Argument"),
    "InvalidBucketName": Entry(400, "The specified bucket is not valid."),
    "InvalidBucketState": Entry(
        409, "The request is not valid with the current state of the bucket."
    ),
    "InvalidChunk": Entry(400, "The chunked encoding of the request body is not valid."),
    "InvalidChunkSizeError": Entry(
        403, "Only the last chunk is allowed to have a size less than 8192 bytes"
    ),
    "InvalidDigest": Entry(400, "The Content-MD5 you specified was invalid."),
    "InvalidEncryptionAlgorithmError": Entry(
        400, "The encryption request that you specified is not valid. The valid value is AES256."
    ),
    "InvalidLocationConstraint": Entry(400, "The specified location-constraint is not valid"),
    "InvalidObjectState": Entry(403, "The operation is not valid for the object's storage class"),
    "InvalidPart": Entry(
        400,
        "One or more of the specified parts could not be found.  The part may not have been "
        "uploaded, or the specified entity tag may not match the part's entity tag.",
    ),
    "InvalidPartNumber": Entry(416, "The requested partnumber is not satisfiable"),
    "InvalidPartOrder": Entry(
        400, "The list of parts was not in ascending order. Parts must be ordered by part number."
    ),
    "InvalidPolicyDocument": Entry(
        400,
        "The content of the form does not meet the conditions specified in the policy document.",
    ),
    "InvalidRange": Entry(416, "The requested range is not satisfiable"),
    "InvalidRequest": Entry(400, "Invalid Request"),
    "InvalidSecurity": Entry(403, "The provided security credentials are not valid."),
    "InvalidStorageClass": Entry(400, "The storage class you specified is not valid"),
    "InvalidTag": Entry(
        400,
        "The tag provided was not a valid tag. This error can occur if the tag did not pass "
        "input validation.",
    ),
    "InvalidTargetBucketForLogging": Entry(400, "The target bucket for logging does not exist"),
    "InvalidToken": Entry(400, "The provided token is malformed or otherwise invalid."),
    "InvalidURI": Entry(400, "Couldn't parse the specified URI."),
    "KeyTooLongError": Entry(400, "Your key is too long"),
    "MalformedACLError": Entry(
        400,
        "The XML you provided was not well-formed or did not validate against our published schema",
    ),
    "MalformedPOSTRequest": Entry(
        400, "The body of your POST request is not well-formed multipart/form-data."
    ),
    "MalformedPolicy": Entry(400, "This policy contains invalid Json"),
    "MalformedTrailerError": Entry(
        400,
        "The request contained trailing data that was not well-formed or did not conform to "
        "our published schema.",
    ),
    "MalformedXML": Entry(
        400,
        "The XML you provided was not well-formed or did not validate against our published schema",
    ),
    "MaxMessageLengthExceeded": Entry(400, "Your request was too big."),
    "MaxPostPreDataLengthExceeded": Entry(
        400, "Your POST request fields preceding the upload file were too large."
    ),
    "MetadataTooLarge": Entry(
        400, "Your metadata headers exceed the maximum allowed metadata size"
    ),
    "MethodNotAllowed": Entry(405, "The specified method is not allowed against this resource."),
    "MissingContentLength": Entry(411, "You must provide the Content-Length HTTP header."),
    "MissingRequestBodyError": Entry(400, "Request body is empty."),
    "MissingSecurityHeader": Entry(400, "Your request is missing a required header"),
    "NoSuchBucket": Entry(404, "The specified bucket does not exist"),
    "NoSuchBucketPolicy": Entry(404, "The bucket policy does not exist"),
    "NoSuchCORSConfiguration": Entry(404, "The CORS configuration does not exist"),
    "NoSuchKey": Entry(404, "The specified key does not exist."),
    "NoSuchLifecycleConfiguration": Entry(404, "The lifecycle configuration does not exist"),
    "NoSuchObjectLockConfiguration": Entry(
        404, "The specified object does not have a ObjectLock configuration"
    ),
    "NoSuchPublicAccessBlockConfiguration": Entry(
        404, "The public access block configuration was not found"
    ),
    "NoSuchTagSet": Entry(404, "The TagSet does not exist"),
    "NoSuchUpload": Entry(
        404,
        "The specified upload does not exist. The upload ID may be invalid, or the upload "
        "may have been aborted or completed.",
    ),
    "NoSuchVersion": Entry(404, "The specified version does not exist."),
    "NoSuchWebsiteConfiguration": Entry(
        404, "The specified bucket does not have a website configuration"
    ),
    "NotImplemented": Entry(
        501, "A header or query you provided implies functionality that is not implemented."
    ),
    "NotModified": Entry(304, "Not Modified"),
    "ObjectLockConfigurationNotFoundError": Entry(
        404, "Object Lock configuration does not exist for this bucket"
    ),
    "OperationAborted": Entry(
        409,
        "A conflicting conditional operation is currently in progress against this resource. "
        "Please try again.",
    ),
    "OwnershipControlsNotFoundError": Entry(404, "The bucket ownership controls were not found"),
    "PermanentRedirect": Entry(
        301,
        "The bucket you are attempting to access must be addressed using the specified "
        "endpoint. Please send all future requests to this endpoint.",
    ),
    "PreconditionFailed": Entry(
        412, "At least one of the pre-conditions you specified did not hold"
    ),
    "QuotaExceeded": Entry(403, "The quota of this bucket is used up."),
    "ReplicationConfigurationNotFoundError": Entry(
        404, "The replication configuration was not found"
    ),
    "RequestHeaderSectionTooLarge": Entry(
        400, "Your request header section exceeds the maximum allowed size."
    ),
    "RequestTimeTooSkewed": Entry(
        403, "The difference between the request time and the current time is too large."
    ),
    "RequestTimeout": Entry(
        400,
        "Your socket connection to the server was not read from or written to within the "
        "timeout period.",
    ),
    "ServerSideEncryptionConfigurationNotFoundError": Entry(
        404, "The server side encryption configuration was not found"
    ),
    "ServiceUnavailable": Entry(503, "Service is unable to handle request."),
    "SignatureDoesNotMatch": Entry(
        403,
        "The request signature we calculated does not match the signature you provided. "
        "Check your key and signing method.",
    ),
    "SlowDown": Entry(503, "Please reduce your request rate."),
    "TooManyBuckets": Entry(400, "You have attempted to create more buckets than allowed"),
    "UnexpectedContent": Entry(400, "This request does not support content"),
    "UnresolvableGrantByEmailAddress": Entry(
        400, "The email address you provided does not match any account on record."
    ),
    "XAmzContentChecksumMismatch": Entry(
        400, "The provided checksum does not match the calculated checksum."
    ),
    "XAmzContentSHA256Mismatch": Entry(
        400, "The provided 'x-amz-content-sha256' header does not match what was computed."
    ),
}
