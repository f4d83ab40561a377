"""What stands behind the protocol: one method an operation, each answering NotImplemented.

A backend decides who may do what (it has the caller) and keeps the bytes; it raises the errors of
`errors.py`. It authorises before it touches `input.body`, so that a client waiting for
`100 Continue` is refused without sending.
"""

# ruff: noqa: ARG002 - a default ignores what it is asked

from typing import Protocol

from vexobj_s3compat.errors import NotImplementedYet
from vexobj_s3compat.types import (
    AclOutput,
    BucketInput,
    Caller,
    CompleteMultipartUploadInput,
    CompleteMultipartUploadOutput,
    CopyObjectInput,
    CopyObjectOutput,
    CreateBucketInput,
    CreateMultipartUploadInput,
    CreateMultipartUploadOutput,
    DeleteObjectInput,
    DeleteObjectOutput,
    DeleteObjectsInput,
    DeleteObjectsOutput,
    HeadBucketOutput,
    LegalHoldOutput,
    LifecycleOutput,
    ListBucketsInput,
    ListBucketsOutput,
    ListMultipartUploadsInput,
    ListMultipartUploadsOutput,
    ListObjectsInput,
    ListObjectsOutput,
    ListObjectVersionsInput,
    ListObjectVersionsOutput,
    ListPartsInput,
    ListPartsOutput,
    ObjectInput,
    ObjectLockConfigurationOutput,
    ObjectOutput,
    PutBucketAclInput,
    PutBucketLifecycleInput,
    PutBucketVersioningInput,
    PutObjectAclInput,
    PutObjectInput,
    PutObjectLegalHoldInput,
    PutObjectLockConfigurationInput,
    PutObjectOutput,
    PutObjectRetentionInput,
    Request,
    RetentionOutput,
    TaggingOutput,
    UploadInput,
    UploadPartCopyInput,
    UploadPartCopyOutput,
    UploadPartInput,
    UploadPartOutput,
    VersioningOutput,
)


class Credential(Protocol):
    """A key that can sign: `principal` travels to the backend as `Request.caller.principal`."""

    @property
    def access_key_id(self) -> str: ...
    @property
    def secret_access_key(self) -> str: ...
    @property
    def principal(self) -> object: ...


class Credentials(Protocol):
    """Where signing keys are found. Both return None for what is unknown or no longer valid."""

    async def find(self, access_key_id: str) -> Credential | None: ...

    async def bearer(self, token: str) -> Credential | None: ...


class S3Backend:
    """Subclass and override what you have; the rest answers 501 NotImplemented."""

    encrypts: bool = False
    """Whether all that is written is encrypted at rest, as Amazon's SSE-S3 does."""

    async def admit(self, operation: str, bucket: str, caller: Caller) -> None:
        """Asked before a document that may be large is read: a chance to refuse it unread.

        Nothing rests on it, the operation itself decides afterwards. Raises: any S3Error.
        """

    async def list_buckets(self, request: Request[ListBucketsInput]) -> ListBucketsOutput:
        raise NotImplementedYet

    async def create_bucket(self, request: Request[CreateBucketInput]) -> None:
        raise NotImplementedYet

    async def head_bucket(self, request: Request[BucketInput]) -> HeadBucketOutput:
        """Also answers GetBucketLocation."""
        raise NotImplementedYet

    async def delete_bucket(self, request: Request[BucketInput]) -> None:
        raise NotImplementedYet

    async def get_bucket_acl(self, request: Request[BucketInput]) -> AclOutput:
        raise NotImplementedYet

    async def put_bucket_acl(self, request: Request[PutBucketAclInput]) -> None:
        raise NotImplementedYet

    async def get_bucket_versioning(self, request: Request[BucketInput]) -> VersioningOutput:
        raise NotImplementedYet

    async def put_bucket_versioning(self, request: Request[PutBucketVersioningInput]) -> None:
        raise NotImplementedYet

    async def get_bucket_configuration(self, request: Request[BucketInput]) -> None:
        """For the probes that answer "not configured" (policy, encryption, ...).

        Returns when the caller may ask; the protocol then gives AWS's answer for the operation.
        """
        raise NotImplementedYet

    async def change_bucket_configuration(self, request: Request[BucketInput]) -> None:
        """For requests to change what is always as they want it: returns when the caller may."""
        raise NotImplementedYet

    async def get_bucket_lifecycle(self, request: Request[BucketInput]) -> LifecycleOutput:
        """Raises: NoSuchLifecycleConfiguration."""
        raise NotImplementedYet

    async def put_bucket_lifecycle(self, request: Request[PutBucketLifecycleInput]) -> None:
        raise NotImplementedYet

    async def delete_bucket_lifecycle(self, request: Request[BucketInput]) -> None:
        raise NotImplementedYet

    async def list_objects(self, request: Request[ListObjectsInput]) -> ListObjectsOutput:
        raise NotImplementedYet

    async def list_object_versions(
        self, request: Request[ListObjectVersionsInput]
    ) -> ListObjectVersionsOutput:
        raise NotImplementedYet

    async def put_object(self, request: Request[PutObjectInput]) -> PutObjectOutput:
        raise NotImplementedYet

    async def get_object(self, request: Request[ObjectInput]) -> ObjectOutput:
        """Also answers HeadObject (`request.method`); the content is opened only for GET."""
        raise NotImplementedYet

    async def delete_object(self, request: Request[DeleteObjectInput]) -> DeleteObjectOutput:
        raise NotImplementedYet

    async def delete_objects(self, request: Request[DeleteObjectsInput]) -> DeleteObjectsOutput:
        raise NotImplementedYet

    async def copy_object(self, request: Request[CopyObjectInput]) -> CopyObjectOutput:
        raise NotImplementedYet

    async def get_object_acl(self, request: Request[ObjectInput]) -> AclOutput:
        raise NotImplementedYet

    async def put_object_acl(self, request: Request[PutObjectAclInput]) -> None:
        raise NotImplementedYet

    async def get_object_tagging(self, request: Request[ObjectInput]) -> TaggingOutput:
        raise NotImplementedYet

    async def create_multipart_upload(
        self, request: Request[CreateMultipartUploadInput]
    ) -> CreateMultipartUploadOutput:
        raise NotImplementedYet

    async def upload_part(self, request: Request[UploadPartInput]) -> UploadPartOutput:
        raise NotImplementedYet

    async def upload_part_copy(self, request: Request[UploadPartCopyInput]) -> UploadPartCopyOutput:
        raise NotImplementedYet

    async def complete_multipart_upload(
        self, request: Request[CompleteMultipartUploadInput]
    ) -> CompleteMultipartUploadOutput:
        raise NotImplementedYet

    async def abort_multipart_upload(self, request: Request[UploadInput]) -> None:
        raise NotImplementedYet

    async def list_parts(self, request: Request[ListPartsInput]) -> ListPartsOutput:
        raise NotImplementedYet

    async def list_multipart_uploads(
        self, request: Request[ListMultipartUploadsInput]
    ) -> ListMultipartUploadsOutput:
        raise NotImplementedYet

    async def put_object_retention(self, request: Request[PutObjectRetentionInput]) -> None:
        raise NotImplementedYet

    async def get_object_retention(self, request: Request[ObjectInput]) -> RetentionOutput:
        raise NotImplementedYet

    async def put_object_legal_hold(self, request: Request[PutObjectLegalHoldInput]) -> None:
        raise NotImplementedYet

    async def get_object_legal_hold(self, request: Request[ObjectInput]) -> LegalHoldOutput:
        raise NotImplementedYet

    async def put_object_lock_configuration(
        self, request: Request[PutObjectLockConfigurationInput]
    ) -> None:
        raise NotImplementedYet

    async def get_object_lock_configuration(
        self, request: Request[BucketInput]
    ) -> ObjectLockConfigurationOutput:
        raise NotImplementedYet
