"""Objects written, read, copied and deleted."""

from vexobj_s3compat import errors
from vexobj_s3compat import types as t
from vexobj_s3compat.content import BytesContent
from vexobj_s3compat.locks import PROTECTED
from vexobj_s3compat.memory.base import OperationGroup
from vexobj_s3compat.memory.locks import is_kept, locked_from_the_start
from vexobj_s3compat.memory.model import (
    Bucket,
    PartedContent,
    Version,
    add_version,
    check_conditions,
    find_version,
    new_version_id,
    received,
    set_versions,
    shown_id,
)


class ObjectOperations(OperationGroup):
    async def put_object(self, request: t.Request[t.PutObjectInput]) -> t.PutObjectOutput:
        wanted, bucket = request.input, self._bucket(request)
        check_conditions(bucket, wanted.key, wanted.conditions)
        data, etag, checksum = await received(wanted.body)
        check_conditions(bucket, wanted.key, wanted.conditions)
        version = self._new_version(
            bucket,
            etag=etag,
            content=BytesContent(data),
            headers=wanted.object,
            acl=wanted.acl or "private",
            tags=wanted.tags,
            checksum=checksum,
            lock=locked_from_the_start(bucket, wanted.lock, self._clock()),
        )
        add_version(bucket, wanted.key, version)
        return t.PutObjectOutput(etag, shown_id(bucket, version), checksum, encrypted=self.encrypts)

    async def get_object(self, request: t.Request[t.ObjectInput]) -> t.ObjectOutput:
        bucket, version = self._version(request)
        content = version.content
        return t.ObjectOutput(
            version.etag,
            version.last_modified,
            version.object,
            content,
            version_id=shown_id(bucket, version),
            parts_count=(len(content.part_sizes) if isinstance(content, PartedContent) else None),
            checksum=version.checksum,
            tag_count=len(version.tags),
            lock=version.lock,
            encrypted=self.encrypts,
            public_cors=version.acl == "public-read",
        )

    async def delete_object(self, request: t.Request[t.DeleteObjectInput]) -> t.DeleteObjectOutput:
        wanted, bucket = request.input, self._bucket(request)
        if self._keeps(bucket, wanted.key, wanted.version_id, wanted.bypass_governance):
            raise errors.AccessDenied(PROTECTED)
        return self._delete(bucket, wanted.key, wanted.version_id)

    async def delete_objects(
        self, request: t.Request[t.DeleteObjectsInput]
    ) -> t.DeleteObjectsOutput:
        bucket = self._bucket(request)
        results: list[t.DeletedEntry | t.DeleteErrorEntry] = []
        bypass = request.input.bypass_governance
        for wanted in request.input.objects:
            if self._keeps(bucket, wanted.key, wanted.version_id, bypass):
                results.append(
                    t.DeleteErrorEntry(wanted.key, wanted.version_id, "AccessDenied", PROTECTED)
                )
                continue
            deleted = self._delete(bucket, wanted.key, wanted.version_id)
            made_marker = deleted.delete_marker and wanted.version_id is None
            results.append(
                t.DeletedEntry(
                    wanted.key,
                    wanted.version_id,
                    deleted.delete_marker,
                    deleted.version_id if made_marker or deleted.delete_marker else None,
                )
            )
        return t.DeleteObjectsOutput(results)

    async def copy_object(self, request: t.Request[t.CopyObjectInput]) -> t.CopyObjectOutput:
        wanted, bucket = request.input, self._bucket(request)
        source_bucket, source = self._source(request, wanted.source)
        check_conditions(bucket, wanted.key, wanted.conditions)
        version = self._new_version(
            bucket,
            etag=source.etag,
            content=source.content,
            headers=wanted.object if wanted.metadata_directive == "REPLACE" else source.object,
            acl=wanted.acl or "private",
            tags=wanted.tags if wanted.tagging_directive == "REPLACE" else source.tags,
            checksum=source.checksum,
            lock=locked_from_the_start(bucket, wanted.lock, self._clock()),
        )
        add_version(bucket, wanted.key, version)
        return t.CopyObjectOutput(
            version.etag,
            version.last_modified,
            shown_id(bucket, version),
            shown_id(source_bucket, source),
            version.checksum,
            encrypted=self.encrypts,
        )

    async def get_object_acl(self, request: t.Request[t.ObjectInput]) -> t.AclOutput:
        _, version = self._version(request, owned=True)
        return t.AclOutput(version.owner, version.acl)

    async def put_object_acl(self, request: t.Request[t.PutObjectAclInput]) -> None:
        wanted = request.input
        bucket = self._bucket(request)
        version = find_version(bucket, wanted.key, wanted.version_id)
        if version is None or version.delete_marker:
            raise errors.NoSuchKey
        version.acl = wanted.canned

    async def get_object_tagging(self, request: t.Request[t.ObjectInput]) -> t.TaggingOutput:
        bucket, version = self._version(request, owned=True)
        return t.TaggingOutput(version.tags, shown_id(bucket, version))

    def _keeps(self, bucket: Bucket, key: bytes, version_id: str | None, bypass: bool) -> bool:
        """Whether the version is locked; without an id a marker hides it, and destroys nothing."""
        found = None if version_id is None else find_version(bucket, key, version_id)
        return found is not None and is_kept(found.lock, self._clock(), bypass_governance=bypass)

    def _delete(self, bucket: Bucket, key: bytes, version_id: str | None) -> t.DeleteObjectOutput:
        versions = bucket.objects.get(key, [])
        if version_id is not None:
            gone = find_version(bucket, key, version_id)
            if gone is not None:
                set_versions(bucket, key, [v for v in versions if v is not gone])
            return t.DeleteObjectOutput(version_id, gone is not None and gone.delete_marker)
        if bucket.versioning is None:
            set_versions(bucket, key, [])
            return t.DeleteObjectOutput()
        marker = Version(new_version_id(bucket), bucket.owner, self._clock(), delete_marker=True)
        add_version(bucket, key, marker)
        return t.DeleteObjectOutput(marker.version_id, delete_marker=True)
