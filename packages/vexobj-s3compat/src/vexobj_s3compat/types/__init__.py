"""The values of each operation: what a request means, and what its answer says.

Keys are `bytes`, exactly as they were percent-decoded from the path: valid UTF-8 of at most 1024
bytes without NUL. ETags are without quotes. Times are aware UTC datetimes. Names are S3's, in
snake case. What stands in an Input was checked for form, not for existence or permission.
"""

from vexobj_s3compat.types.acl import AclOutput, PutBucketAclInput, PutObjectAclInput
from vexobj_s3compat.types.buckets import (
    BucketEntry,
    BucketInput,
    CreateBucketInput,
    HeadBucketOutput,
    ListBucketsInput,
    ListBucketsOutput,
    PutBucketVersioningInput,
    VersioningOutput,
)
from vexobj_s3compat.types.common import ChecksumValue, ObjectHeaders, Owner, WriteConditions
from vexobj_s3compat.types.copies import CopyObjectInput, CopyObjectOutput, CopySource
from vexobj_s3compat.types.deletions import (
    DeletedEntry,
    DeleteErrorEntry,
    DeleteObjectInput,
    DeleteObjectOutput,
    DeleteObjectsInput,
    DeleteObjectsOutput,
    ObjectIdentifier,
)
from vexobj_s3compat.types.listings import (
    ListObjectsInput,
    ListObjectsOutput,
    ListObjectVersionsInput,
    ListObjectVersionsOutput,
    ObjectEntry,
    VersionEntry,
)
from vexobj_s3compat.types.multipart import (
    CompletedPart,
    CompleteMultipartUploadInput,
    CompleteMultipartUploadOutput,
    CreateMultipartUploadInput,
    CreateMultipartUploadOutput,
    ListMultipartUploadsInput,
    ListMultipartUploadsOutput,
    ListPartsInput,
    ListPartsOutput,
    PartEntry,
    UploadEntry,
    UploadInput,
    UploadPartCopyInput,
    UploadPartCopyOutput,
    UploadPartInput,
    UploadPartOutput,
)
from vexobj_s3compat.types.objects import (
    ObjectInput,
    ObjectOutput,
    PutObjectInput,
    PutObjectOutput,
    TaggingOutput,
)
from vexobj_s3compat.types.request import ANONYMOUS, Caller, Headers, Request

__all__ = [
    "ANONYMOUS",
    "AclOutput",
    "BucketEntry",
    "BucketInput",
    "Caller",
    "ChecksumValue",
    "CompleteMultipartUploadInput",
    "CompleteMultipartUploadOutput",
    "CompletedPart",
    "CopyObjectInput",
    "CopyObjectOutput",
    "CopySource",
    "CreateBucketInput",
    "CreateMultipartUploadInput",
    "CreateMultipartUploadOutput",
    "DeleteErrorEntry",
    "DeleteObjectInput",
    "DeleteObjectOutput",
    "DeleteObjectsInput",
    "DeleteObjectsOutput",
    "DeletedEntry",
    "HeadBucketOutput",
    "Headers",
    "ListBucketsInput",
    "ListBucketsOutput",
    "ListMultipartUploadsInput",
    "ListMultipartUploadsOutput",
    "ListObjectVersionsInput",
    "ListObjectVersionsOutput",
    "ListObjectsInput",
    "ListObjectsOutput",
    "ListPartsInput",
    "ListPartsOutput",
    "ObjectEntry",
    "ObjectHeaders",
    "ObjectIdentifier",
    "ObjectInput",
    "ObjectOutput",
    "Owner",
    "PartEntry",
    "PutBucketAclInput",
    "PutBucketVersioningInput",
    "PutObjectAclInput",
    "PutObjectInput",
    "PutObjectOutput",
    "Request",
    "TaggingOutput",
    "UploadEntry",
    "UploadInput",
    "UploadPartCopyInput",
    "UploadPartCopyOutput",
    "UploadPartInput",
    "UploadPartOutput",
    "VersionEntry",
    "VersioningOutput",
    "WriteConditions",
]
