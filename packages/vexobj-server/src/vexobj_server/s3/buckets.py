"""S3 operations on buckets themselves and their configuration."""

from vexobj_auth import Action, canned_acl, canned_name
from vexobj_s3compat import Request
from vexobj_s3compat.errors import BucketAlreadyExists, BucketAlreadyOwnedByYou
from vexobj_s3compat.types import (
    AclOutput,
    BucketEntry,
    BucketInput,
    CreateBucketInput,
    HeadBucketOutput,
    ListBucketsInput,
    ListBucketsOutput,
    PutBucketAclInput,
    PutBucketVersioningInput,
    VersioningOutput,
)
from vexobj_server.s3.base import OperationGroup, proven
from vexobj_server.s3.convert import acl_text
from vexobj_server.services.buckets import check_not_reserved
from vexobj_storage import BucketAlreadyExists as NameTaken
from vexobj_storage import BucketChange, Versioning

_STATUS = {
    Versioning.OFF: VersioningOutput(None),
    Versioning.ENABLED: VersioningOutput("Enabled"),
    Versioning.SUSPENDED: VersioningOutput("Suspended"),
}
_VERSIONING = {"Enabled": Versioning.ENABLED, "Suspended": Versioning.SUSPENDED}


class BucketOperations(OperationGroup):
    async def list_buckets(self, request: Request[ListBucketsInput]) -> ListBucketsOutput:
        principal = proven(self._principal(request))
        self._access.require(principal, Action.LIST_BUCKETS)
        asked = request.input
        page = await self._store.list_buckets(
            owner_id=principal.identity.id,
            prefix=asked.prefix,
            after=asked.continuation_token,
            limit=asked.max_buckets,
        )
        scope = principal.key.buckets
        entries = [
            BucketEntry(bucket.name, bucket.created_at)
            for bucket in page.items
            if scope is None or bucket.name in scope
        ]
        token = page.items[-1].name if page.after is not None else None
        owner = await self._owner(principal.identity.id)
        return ListBucketsOutput(owner, entries, token)

    async def create_bucket(self, request: Request[CreateBucketInput]) -> None:
        principal = proven(self._principal(request))
        asked = request.input
        self._access.require_creation(principal, asked.bucket)
        check_not_reserved(asked.bucket)
        owner_id = principal.identity.id
        try:
            await self._store.create_bucket(
                asked.bucket,
                owner_id,
                acl=canned_acl(asked.acl or "private"),
                object_lock=asked.object_lock_enabled,
            )
        except NameTaken as taken:
            if taken.owner_id != owner_id:
                raise BucketAlreadyExists(fields={"BucketName": asked.bucket}) from taken
            if self._region != "us-east-1":
                raise BucketAlreadyOwnedByYou(fields={"BucketName": asked.bucket}) from taken

    async def head_bucket(self, request: Request[BucketInput]) -> HeadBucketOutput:
        await self._allowed(request, Action.LIST_OBJECTS, request.input.bucket)
        return HeadBucketOutput(self._region)

    async def delete_bucket(self, request: Request[BucketInput]) -> None:
        bucket = await self._allowed(request, Action.DELETE_BUCKET, request.input.bucket)
        await self._store.delete_bucket(bucket.name)

    async def get_bucket_acl(self, request: Request[BucketInput]) -> AclOutput:
        bucket = await self._allowed(request, Action.READ_ACL, request.input.bucket)
        return AclOutput(await self._owner(bucket.owner_id), canned_name(bucket.acl) or "private")

    async def put_bucket_acl(self, request: Request[PutBucketAclInput]) -> None:
        bucket = await self._allowed(request, Action.WRITE_ACL, request.input.bucket)
        await self._store.update_bucket(
            bucket.name, BucketChange(acl=acl_text(request.input.canned))
        )

    async def get_bucket_versioning(self, request: Request[BucketInput]) -> VersioningOutput:
        bucket = await self._allowed(request, Action.READ_BUCKET, request.input.bucket)
        return _STATUS[bucket.versioning]

    async def put_bucket_versioning(self, request: Request[PutBucketVersioningInput]) -> None:
        bucket = await self._allowed(request, Action.WRITE_BUCKET, request.input.bucket)
        wanted = _VERSIONING[request.input.status]
        await self._store.update_bucket(bucket.name, BucketChange(versioning=wanted))

    async def change_bucket_configuration(self, request: Request[BucketInput]) -> None:
        await self._allowed(request, Action.WRITE_BUCKET, request.input.bucket)
        await self._audit.note()

    async def get_bucket_configuration(self, request: Request[BucketInput]) -> None:
        await self._allowed(request, Action.READ_BUCKET, request.input.bucket)
