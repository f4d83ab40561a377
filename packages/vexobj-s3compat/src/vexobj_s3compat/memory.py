"""A backend that keeps everything in memory: the reference for tests, not a store.

Access is the simplest rule that has both sides: whoever created a bucket may do all with it,
others may read what is `public-read`. Conditions and versions behave as on S3.
"""

import hashlib
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from vexobj_s3compat import errors
from vexobj_s3compat import types as t
from vexobj_s3compat._memory_model import (
    Bucket,
    Part,
    PartedContent,
    Upload,
    Version,
    add_version,
    check_conditions,
    delete_marker_error,
    find_upload,
    find_version,
    first_after,
    multipart_etag,
    new_version_id,
    owner_of,
    received,
    set_versions,
    shown_id,
)
from vexobj_s3compat.backend import S3Backend
from vexobj_s3compat.conditions import check_copy_source
from vexobj_s3compat.content import BytesContent
from vexobj_s3compat.listing import fold

PART_MINIMUM_BYTES = 5 * 1024 * 1024


def _now() -> datetime:
    return datetime.now(UTC)


class MemoryBackend(S3Backend):
    """Every operation, over dictionaries. Operations are atomic: none awaits midway."""

    def __init__(
        self,
        *,
        clock: Callable[[], datetime] = _now,
        region: str = "us-east-1",
        part_minimum_bytes: int = PART_MINIMUM_BYTES,
    ) -> None:
        self._clock = clock
        self._region = region
        self._part_minimum_bytes = part_minimum_bytes
        self._buckets: dict[str, Bucket] = {}

    def _bucket(self, request: t.Request[Any], *, public: bool = False) -> Bucket:
        """The bucket, if the caller owns it, or may read it where `public` will do."""
        bucket = self._buckets.get(request.input.bucket)
        if bucket is None:
            raise errors.NoSuchBucket
        if owner_of(request.caller) != bucket.owner and not (
            public and bucket.acl == "public-read"
        ):
            raise errors.AccessDenied
        return bucket

    def _version(
        self, request: t.Request[t.ObjectInput], *, owned: bool = False
    ) -> tuple[Bucket, Version]:
        """The version that is asked for, if the caller may read (or, `owned`, manage) it."""
        wanted = request.input
        bucket = self._buckets.get(wanted.bucket)
        if bucket is None:
            raise errors.NoSuchBucket
        stranger = owner_of(request.caller) != bucket.owner
        version = find_version(bucket, wanted.key, wanted.version_id)
        if stranger and (owned or (version is None and bucket.acl != "public-read")):
            raise errors.AccessDenied
        if version is None:
            raise errors.NoSuchVersion if wanted.version_id else errors.NoSuchKey
        if version.delete_marker:
            raise delete_marker_error(version, by_id=wanted.version_id is not None)
        if stranger and version.acl != "public-read":
            raise errors.AccessDenied
        return bucket, version

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
        self._buckets[wanted.bucket] = Bucket(owner, self._clock(), wanted.acl or "private")

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
        self._bucket(request).versioning = request.input.status

    async def get_bucket_configuration(self, request: t.Request[t.BucketInput]) -> None:
        self._bucket(request)

    async def list_objects(self, request: t.Request[t.ListObjectsInput]) -> t.ListObjectsOutput:
        wanted, bucket = request.input, self._bucket(request, public=True)
        live = (
            (key, versions[0])
            for key, versions in sorted(bucket.objects.items())
            if key > wanted.after and not versions[0].delete_marker
        )
        page = fold(live, wanted.prefix, wanted.delimiter, wanted.after, wanted.max_keys)
        return t.ListObjectsOutput(
            [
                t.ObjectEntry(
                    key,
                    version.content.size,
                    version.etag,
                    version.last_modified,
                    version.owner if wanted.fetch_owner else None,
                )
                for key, version in page.rows
            ],
            page.common_prefixes,
            page.last,
        )

    async def list_object_versions(
        self, request: t.Request[t.ListObjectVersionsInput]
    ) -> t.ListObjectVersionsOutput:
        wanted, bucket = request.input, self._bucket(request, public=True)
        rows = [
            (key, (version, number == 0))
            for key, versions in sorted(bucket.objects.items())
            for number, version in enumerate(versions)
            if key >= wanted.key_marker
        ]
        ids = [version.version_id for _, (version, _) in rows]
        begin = first_after(
            [key for key, _ in rows], ids, wanted.key_marker, wanted.version_id_marker
        )
        page = fold(
            rows[begin:], wanted.prefix, wanted.delimiter, wanted.key_marker, wanted.max_keys
        )
        last_row = page.rows[-1] if page.rows and page.rows[-1][0] == page.last else None
        return t.ListObjectVersionsOutput(
            [
                t.VersionEntry(
                    key,
                    version.version_id,
                    is_latest,
                    version.delete_marker,
                    version.last_modified,
                    version.owner,
                    version.content.size,
                    version.etag,
                )
                for key, (version, is_latest) in page.rows
            ],
            page.common_prefixes,
            page.last,
            last_row[1][0].version_id if last_row else None,
        )

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
        )
        add_version(bucket, wanted.key, version)
        return t.PutObjectOutput(etag, shown_id(bucket, version), checksum)

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
            public_cors=version.acl == "public-read",
        )

    async def delete_object(self, request: t.Request[t.DeleteObjectInput]) -> t.DeleteObjectOutput:
        bucket = self._bucket(request)
        return self._delete(bucket, request.input.key, request.input.version_id)

    async def delete_objects(
        self, request: t.Request[t.DeleteObjectsInput]
    ) -> t.DeleteObjectsOutput:
        bucket = self._bucket(request)
        results = []
        for wanted in request.input.objects:
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
        )
        add_version(bucket, wanted.key, version)
        return t.CopyObjectOutput(
            version.etag,
            version.last_modified,
            shown_id(bucket, version),
            shown_id(source_bucket, source),
            version.checksum,
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

    async def create_multipart_upload(
        self, request: t.Request[t.CreateMultipartUploadInput]
    ) -> t.CreateMultipartUploadOutput:
        bucket = self._bucket(request)
        upload_id = secrets.token_urlsafe(24)
        bucket.uploads[upload_id] = Upload(request.input, owner_of(request.caller), self._clock())
        return t.CreateMultipartUploadOutput(upload_id)

    async def upload_part(self, request: t.Request[t.UploadPartInput]) -> t.UploadPartOutput:
        wanted, bucket = request.input, self._bucket(request)
        find_upload(bucket, wanted.key, wanted.upload_id)
        data, etag, checksum = await received(wanted.body)
        upload = find_upload(bucket, wanted.key, wanted.upload_id)
        upload.parts[wanted.part_number] = Part(data, etag, self._clock(), checksum)
        return t.UploadPartOutput(etag, checksum)

    async def upload_part_copy(
        self, request: t.Request[t.UploadPartCopyInput]
    ) -> t.UploadPartCopyOutput:
        wanted, bucket = request.input, self._bucket(request)
        upload = find_upload(bucket, wanted.key, wanted.upload_id)
        source_bucket, source = self._source(request, wanted.source)
        first, last = wanted.source_range or (0, source.content.size - 1)
        if last >= source.content.size:
            raise errors.InvalidRange
        data = source.content.data[first : last + 1]
        etag = hashlib.md5(data, usedforsecurity=False).hexdigest()
        part = Part(data, etag, self._clock(), None)
        upload.parts[wanted.part_number] = part
        return t.UploadPartCopyOutput(etag, part.last_modified, shown_id(source_bucket, source))

    async def complete_multipart_upload(
        self, request: t.Request[t.CompleteMultipartUploadInput]
    ) -> t.CompleteMultipartUploadOutput:
        wanted, bucket = request.input, self._bucket(request)
        done = bucket.completed.get(wanted.upload_id)
        if done is not None and done.etag == multipart_etag([p.etag for p in wanted.parts]):
            return done
        upload = find_upload(bucket, wanted.key, wanted.upload_id)
        parts = self._chosen(upload, wanted.parts)
        check_conditions(bucket, wanted.key, wanted.conditions)
        content = PartedContent(
            b"".join(part.data for part in parts), tuple(len(part.data) for part in parts)
        )
        version = self._new_version(
            bucket,
            etag=multipart_etag([part.etag for part in parts]),
            content=content,
            headers=upload.input.object,
            acl=upload.input.acl or "private",
            tags=upload.input.tags,
            checksum=wanted.checksum,
        )
        add_version(bucket, wanted.key, version)
        del bucket.uploads[wanted.upload_id]
        output = t.CompleteMultipartUploadOutput(
            version.etag, shown_id(bucket, version), version.checksum
        )
        bucket.completed[wanted.upload_id] = output
        return output

    def _chosen(self, upload: Upload, wanted: Sequence[t.CompletedPart]) -> list[Part]:
        numbers = [part.part_number for part in wanted]
        if numbers != sorted(set(numbers)):
            raise errors.InvalidPartOrder
        parts = []
        for named in wanted:
            part = upload.parts.get(named.part_number)
            if part is None or part.etag != named.etag:
                raise errors.InvalidPart(fields={"PartNumber": str(named.part_number)})
            parts.append(part)
        if any(len(part.data) < self._part_minimum_bytes for part in parts[:-1]):
            raise errors.EntityTooSmall
        return parts

    async def abort_multipart_upload(self, request: t.Request[t.UploadInput]) -> None:
        bucket = self._bucket(request)
        find_upload(bucket, request.input.key, request.input.upload_id)
        del bucket.uploads[request.input.upload_id]

    async def list_parts(self, request: t.Request[t.ListPartsInput]) -> t.ListPartsOutput:
        wanted, bucket = request.input, self._bucket(request)
        upload = find_upload(bucket, wanted.key, wanted.upload_id)
        numbers = sorted(n for n in upload.parts if n > wanted.part_number_marker)
        told = numbers[: wanted.max_parts]
        return t.ListPartsOutput(
            upload.owner,
            [
                t.PartEntry(
                    n,
                    len(upload.parts[n].data),
                    upload.parts[n].etag,
                    upload.parts[n].last_modified,
                    upload.parts[n].checksum,
                )
                for n in told
            ],
            told[-1] if told and len(numbers) > len(told) else None,
            upload.input.checksum_algorithm,
            upload.input.checksum_composite,
        )

    async def list_multipart_uploads(
        self, request: t.Request[t.ListMultipartUploadsInput]
    ) -> t.ListMultipartUploadsOutput:
        wanted, bucket = request.input, self._bucket(request)
        rows = sorted(
            (upload.input.key, (upload_id, upload))
            for upload_id, upload in bucket.uploads.items()
            if upload.input.key >= wanted.key_marker
        )
        begin = first_after(
            [key for key, _ in rows],
            [upload_id for _, (upload_id, _) in rows],
            wanted.key_marker,
            wanted.upload_id_marker,
        )
        page = fold(
            rows[begin:], wanted.prefix, wanted.delimiter, wanted.key_marker, wanted.max_uploads
        )
        last_row = page.rows[-1] if page.rows and page.rows[-1][0] == page.last else None
        return t.ListMultipartUploadsOutput(
            [
                t.UploadEntry(key, upload_id, upload.initiated_at, upload.owner)
                for key, (upload_id, upload) in page.rows
            ],
            page.common_prefixes,
            page.last,
            last_row[1][0] if last_row else None,
        )

    def _new_version(
        self,
        bucket: Bucket,
        *,
        etag: str,
        content: BytesContent | PartedContent,
        headers: t.ObjectHeaders,
        acl: str,
        tags: Mapping[str, str],
        checksum: t.ChecksumValue | None,
    ) -> Version:
        return Version(
            version_id=new_version_id(bucket),
            owner=bucket.owner,
            last_modified=self._clock(),
            etag=etag,
            content=content,
            object=headers,
            acl=acl,
            tags=tags,
            checksum=checksum,
        )

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

    def _source(self, request: t.Request[Any], source: t.CopySource) -> tuple[Bucket, Version]:
        wanted = t.ObjectInput(source.bucket, source.key, source.version_id)
        bucket, version = self._version(replace(request, input=wanted))
        check_copy_source(source, version.etag, version.last_modified)
        return bucket, version


@dataclass(frozen=True, slots=True)
class MemoryCredential:
    """A key; it is its own principal."""

    access_key_id: str
    secret_access_key: str

    @property
    def principal(self) -> object:
        return self


class MemoryCredentials:
    """Keys from a mapping of ids to secrets; a secret is also a bearer token."""

    def __init__(self, secrets_by_id: Mapping[str, str]) -> None:
        self._keys = {i: MemoryCredential(i, secret) for i, secret in secrets_by_id.items()}
        self._tokens = {key.secret_access_key: key for key in self._keys.values()}

    async def find(self, access_key_id: str) -> MemoryCredential | None:
        return self._keys.get(access_key_id)

    async def bearer(self, token: str) -> MemoryCredential | None:
        return self._tokens.get(token)
