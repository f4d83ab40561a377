"""Buckets, their ACL, their versioning and their lifecycle rules, which nobody acts upon."""

from dataclasses import replace
from uuid import uuid4

from vexobj_s3compat import errors
from vexobj_s3compat import types as t
from vexobj_s3compat.memory.base import OperationGroup
from vexobj_s3compat.memory.model import Bucket, owner_of


class BucketOperations(OperationGroup):
    async def list_buckets(self, request: t.Request[t.ListBucketsInput]) -> t.ListBucketsOutput:
        wanted, owner = request.input, owner_of(request.caller)
        if request.caller.access_key_id is None:
            raise errors.AccessDenied
        names = sorted(
            name
            for name, bucket in self._buckets.items()
            if bucket.owner == owner
            and name.startswith(wanted.prefix)
            and name > wanted.continuation_token
        )
        page = names[: wanted.max_buckets]
        return t.ListBucketsOutput(
            owner,
            [t.BucketEntry(name, self._buckets[name].created_at) for name in page],
            page[-1] if len(names) > len(page) else None,
        )

    async def create_bucket(self, request: t.Request[t.CreateBucketInput]) -> None:
        wanted, owner = request.input, owner_of(request.caller)
        if request.caller.access_key_id is None:
            raise errors.AccessDenied
        present = self._buckets.get(wanted.bucket)
        if present is not None:
            if present.owner != owner:
                raise errors.BucketAlreadyExists
            if self._region != "us-east-1":
                raise errors.BucketAlreadyOwnedByYou
            return
        bucket = Bucket(owner, self._clock(), wanted.acl or "private")
        if wanted.object_lock_enabled:
            bucket.versioning, bucket.object_lock = "Enabled", True
        self._buckets[wanted.bucket] = bucket

    async def head_bucket(self, request: t.Request[t.BucketInput]) -> t.HeadBucketOutput:
        self._bucket(request, public=True)
        return t.HeadBucketOutput(self._region)

    async def delete_bucket(self, request: t.Request[t.BucketInput]) -> None:
        if self._bucket(request).objects:
            raise errors.BucketNotEmpty
        del self._buckets[request.input.bucket]

    async def get_bucket_acl(self, request: t.Request[t.BucketInput]) -> t.AclOutput:
        bucket = self._bucket(request)
        return t.AclOutput(bucket.owner, bucket.acl)

    async def put_bucket_acl(self, request: t.Request[t.PutBucketAclInput]) -> None:
        self._bucket(request).acl = request.input.canned

    async def get_bucket_versioning(self, request: t.Request[t.BucketInput]) -> t.VersioningOutput:
        return t.VersioningOutput(self._bucket(request).versioning)

    async def put_bucket_versioning(self, request: t.Request[t.PutBucketVersioningInput]) -> None:
        bucket = self._bucket(request)
        if bucket.object_lock and request.input.status != "Enabled":
            raise errors.InvalidBucketState
        bucket.versioning = request.input.status

    async def get_bucket_lifecycle(self, request: t.Request[t.BucketInput]) -> t.LifecycleOutput:
        rules = self._bucket(request).lifecycle
        if not rules:
            raise errors.NoSuchLifecycleConfiguration
        return t.LifecycleOutput(rules)

    async def put_bucket_lifecycle(self, request: t.Request[t.PutBucketLifecycleInput]) -> None:
        self._bucket(request).lifecycle = [
            rule if rule.id else replace(rule, id=str(uuid4())) for rule in request.input.rules
        ]

    async def delete_bucket_lifecycle(self, request: t.Request[t.BucketInput]) -> None:
        self._bucket(request).lifecycle = []

    async def change_bucket_configuration(self, request: t.Request[t.BucketInput]) -> None:
        self._bucket(request)

    async def get_bucket_configuration(self, request: t.Request[t.BucketInput]) -> None:
        self._bucket(request)
