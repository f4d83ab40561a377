"""S3 operations on objects: bytes, copies, deletes, ACLs and tags."""

from vexobj_auth import Action, canned_name
from vexobj_s3compat import Request
from vexobj_s3compat.locks import PROTECTED
from vexobj_s3compat.types import (
    AclOutput,
    CopyObjectInput,
    CopyObjectOutput,
    DeletedEntry,
    DeleteErrorEntry,
    DeleteObjectInput,
    DeleteObjectOutput,
    DeleteObjectsInput,
    DeleteObjectsOutput,
    ObjectHeaders,
    ObjectInput,
    ObjectOutput,
    PutObjectAclInput,
    PutObjectInput,
    PutObjectOutput,
    TaggingOutput,
)
from vexobj_server.s3.base import OperationGroup
from vexobj_server.s3.convert import (
    acl_text,
    attributes_of,
    checksum_of,
    checksum_value,
    condition_of,
    headers_of,
    lock_value,
    visible_version,
)
from vexobj_server.s3.errors import FORESEEN, delete_marker, translate
from vexobj_server.s3.sources import readable_source
from vexobj_server.services.content import StoredContent
from vexobj_server.services.representations import (
    variant_freshness,
    variant_headers,
    variant_of,
)
from vexobj_server.services.staging import stage_body
from vexobj_server.services.variants import Variant
from vexobj_storage import Bucket, ObjectName, ObjectVersion, StoredObject


class _S3Content(StoredContent):
    """What cannot be read is told in S3's words."""

    async def check(self, start: int, length: int) -> None:
        try:
            await super().check(start, length)
        except FORESEEN as error:
            raise translate(error) from error


class ObjectOperations(OperationGroup):
    async def put_object(self, request: Request[PutObjectInput]) -> PutObjectOutput:
        asked = request.input
        bucket = await self._allowed(request, Action.WRITE_OBJECT, asked.bucket)
        lock = self._lock_of_new(bucket, asked.lock)
        if bucket.quota is not None:
            await self._store.admit(bucket, asked.key, asked.body.size or 0)
        staged = await stage_body(self._store, asked.body, self._inline_max_bytes)
        request.scope["state"]["stored_bytes"] = staged.size
        version = await self._store.put_object(
            bucket,
            asked.key,
            staged,
            attributes_of(
                asked.object,
                self._owner_of_new(request, bucket),
                acl=asked.acl,
                tags=asked.tags,
                checksum=checksum_of(asked.body.checksum()),
            ),
            condition_of(asked.conditions),
            lock=lock,
        )
        return PutObjectOutput(
            version.etag,
            visible_version(bucket, version),
            checksum_value(version.attributes.checksum),
            self._expirations.of(bucket, version),
            await self._is_encrypted(version),
        )

    async def get_object(self, request: Request[ObjectInput]) -> ObjectOutput:
        bucket, stored = await self._readable(request, Action.READ_OBJECT)
        public = request.caller.principal is None
        if request.query:
            variant = await variant_of(
                self._variants, bucket, stored, request.query, request.headers
            )
            if variant is not None:
                freshness = variant_freshness(stored, request.query, public=public)
                return _variant_output(bucket, stored, variant, freshness, public=public)
        content = _S3Content(self._store, stored)
        version = stored.version
        expiry = None if public else self._expirations.of(bucket, version)
        encrypted = self._store.may_be_sealed and await self._store.is_sealed(version)
        return _object_output(bucket, stored, content, expiry, encrypted, public=public)

    async def delete_object(self, request: Request[DeleteObjectInput]) -> DeleteObjectOutput:
        asked = request.input
        bucket = await self._allowed(request, Action.DELETE_OBJECT, asked.bucket)
        deleted = await self._store.delete_object(
            bucket,
            asked.key,
            asked.version_id,
            owner_id=self._owner_of_new(request, bucket),
            bypass_governance=self._bypasses(request, bucket, asked=asked.bypass_governance),
        )
        return DeleteObjectOutput(deleted.version_id, deleted.is_delete_marker)

    async def delete_objects(self, request: Request[DeleteObjectsInput]) -> DeleteObjectsOutput:
        asked = request.input
        bucket = await self._allowed(request, Action.DELETE_OBJECT, asked.bucket)
        names = [ObjectName(item.key, item.version_id) for item in asked.objects]
        results: list[DeletedEntry | DeleteErrorEntry] = []
        outcomes = await self._store.delete_objects(
            bucket,
            names,
            owner_id=self._owner_of_new(request, bucket),
            bypass_governance=self._bypasses(request, bucket, asked=asked.bypass_governance),
        )
        for item, deleted in zip(asked.objects, outcomes, strict=True):
            if deleted.refusal is not None:
                results.append(
                    DeleteErrorEntry(item.key, item.version_id, "AccessDenied", PROTECTED)
                )
                continue
            marker = deleted.version_id if deleted.is_delete_marker else None
            results.append(
                DeletedEntry(item.key, item.version_id, deleted.is_delete_marker, marker)
            )
        return DeleteObjectsOutput(results)

    async def copy_object(self, request: Request[CopyObjectInput]) -> CopyObjectOutput:
        asked = request.input
        bucket = await self._allowed(request, Action.WRITE_OBJECT, asked.bucket)
        source_bucket, source = await readable_source(
            self._store, self._access, self._principal(request), asked.source
        )
        was = source.version.attributes
        replaces = asked.metadata_directive == "REPLACE"
        if was.tags and asked.tagging_directive == "COPY":
            principal = self._principal(request)
            self._access.require(principal, Action.READ_TAGS, source_bucket, source.version)
        attributes = attributes_of(
            asked.object if replaces else headers_of(was),
            self._owner_of_new(request, bucket),
            acl=asked.acl,
            tags=asked.tags if asked.tagging_directive == "REPLACE" else was.tags,
            checksum=was.checksum,
        )
        version = await self._store.copy_object(
            source,
            bucket,
            asked.key,
            attributes,
            condition_of(asked.conditions),
            lock=self._lock_of_new(bucket, asked.lock),
        )
        return CopyObjectOutput(
            version.etag,
            version.modified_at,
            visible_version(bucket, version),
            visible_version(source_bucket, source.version),
            checksum_value(version.attributes.checksum),
            self._expirations.of(bucket, version),
            await self._is_encrypted(version),
        )

    async def get_object_acl(self, request: Request[ObjectInput]) -> AclOutput:
        _, stored = await self._readable(request, Action.READ_ACL)
        attributes = stored.version.attributes
        return AclOutput(
            await self._owner(attributes.owner_id), canned_name(attributes.acl) or "private"
        )

    async def put_object_acl(self, request: Request[PutObjectAclInput]) -> None:
        asked = request.input
        bucket = await self._store.bucket(asked.bucket)
        await self._access.readable(
            self._store,
            self._principal(request),
            bucket,
            asked.key,
            asked.version_id,
            Action.WRITE_ACL,
        )
        await self._store.update_object(
            bucket, asked.key, asked.version_id, acl=acl_text(asked.canned)
        )

    async def get_object_tagging(self, request: Request[ObjectInput]) -> TaggingOutput:
        bucket, stored = await self._readable(request, Action.READ_TAGS)
        version = stored.version
        return TaggingOutput(version.attributes.tags, visible_version(bucket, version))

    async def _readable(
        self, request: Request[ObjectInput], action: Action
    ) -> tuple[Bucket, StoredObject]:
        asked = request.input
        bucket = await self._store.bucket(asked.bucket)
        stored = await self._access.readable(
            self._store, self._principal(request), bucket, asked.key, asked.version_id, action
        )
        if stored.version.is_delete_marker:
            raise delete_marker(stored.version)
        return bucket, stored


def _object_output(
    bucket: Bucket,
    stored: StoredObject,
    content: StoredContent,
    expiry: str | None,
    encrypted: bool,
    *,
    public: bool,
) -> ObjectOutput:
    version: ObjectVersion = stored.version
    attributes = version.attributes
    return ObjectOutput(
        etag=version.etag,
        last_modified=version.modified_at,
        object=headers_of(attributes),
        content=content,
        version_id=visible_version(bucket, version),
        parts_count=version.parts_count,
        checksum=checksum_value(attributes.checksum),
        tag_count=0 if public else len(attributes.tags),
        lock=None if public else lock_value(version.lock),
        encrypted=encrypted,
        extra_headers=() if expiry is None else (("x-amz-expiration", expiry),),
        public_cors=public,
    )


def _variant_output(
    bucket: Bucket,
    stored: StoredObject,
    variant: Variant,
    freshness: dict[str, str],
    *,
    public: bool,
) -> ObjectOutput:
    return ObjectOutput(
        etag=variant.etag,
        last_modified=stored.version.modified_at,
        object=ObjectHeaders(variant.content_type, freshness),
        content=variant,
        version_id=visible_version(bucket, stored.version),
        extra_headers=variant_headers(variant),
        public_cors=public,
    )
