"""A backend that keeps everything in memory: the reference for tests, not a store.

Access is the simplest rule that has both sides: whoever created a bucket may do all with it,
others may read what is `public-read`. Conditions and versions behave as on S3.
"""

import hashlib
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal

from vexobj_s3compat import errors
from vexobj_s3compat import types as t
from vexobj_s3compat.backend import S3Backend
from vexobj_s3compat.content import Body, BytesContent, PartRange, Payload
from vexobj_s3compat.listing import fold

PART_MINIMUM_BYTES = 5 * 1024 * 1024


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class _PartedContent:
    """Content that remembers where its parts begin."""

    data: bytes
    part_sizes: tuple[int, ...]

    @property
    def size(self) -> int:
        return len(self.data)

    async def open(self, start: int, length: int) -> Payload:
        return self.data[start : start + length]

    async def part(self, number: int) -> PartRange | None:
        if not 1 <= number <= len(self.part_sizes):
            return None
        start = sum(self.part_sizes[: number - 1])
        return PartRange(start, self.part_sizes[number - 1], len(self.part_sizes))


@dataclass(slots=True)
class _Version:
    version_id: str
    owner: t.Owner
    last_modified: datetime
    etag: str = ""
    delete_marker: bool = False
    content: BytesContent | _PartedContent = field(default_factory=lambda: BytesContent(b""))
    object: t.ObjectHeaders = field(default_factory=t.ObjectHeaders)
    acl: str = "private"
    tags: Mapping[str, str] = field(default_factory=dict)
    checksum: t.ChecksumValue | None = None


@dataclass(slots=True)
class _Part:
    data: bytes
    etag: str
    last_modified: datetime
    checksum: t.ChecksumValue | None


@dataclass(slots=True)
class _Upload:
    input: t.CreateMultipartUploadInput
    owner: t.Owner
    initiated_at: datetime
    parts: dict[int, _Part] = field(default_factory=dict)


@dataclass(slots=True)
class _Bucket:
    owner: t.Owner
    created_at: datetime
    acl: str = "private"
    versioning: Literal["Enabled", "Suspended"] | None = None
    objects: dict[bytes, list[_Version]] = field(default_factory=dict)
    """Versions of each key, newest first."""
    uploads: dict[str, _Upload] = field(default_factory=dict)
    completed: dict[str, t.CompleteMultipartUploadOutput] = field(default_factory=dict)


def _owner(caller: t.Caller) -> t.Owner:
    name = caller.access_key_id or "anonymous"
    return t.Owner(name, name)


async def _receive(body: Body) -> tuple[bytes, str, t.ChecksumValue | None]:
    """The verified bytes, their MD5 in hex, and the checksum that was proved."""
    md5, sha256, chunks = hashlib.md5(usedforsecurity=False), hashlib.sha256(), []
    async for chunk in body:
        for hasher in (md5, sha256, *body.hashers.values()):
            hasher.update(chunk)
        chunks.append(chunk)
    body.verify(md5=md5.digest(), sha256=sha256.digest())
    proved = body.checksum()
    return b"".join(chunks), md5.hexdigest(), t.ChecksumValue(*proved) if proved else None


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
        self._buckets: dict[str, _Bucket] = {}

    # Access -----------------------------------------------------------------------------------

    def _bucket(self, request: t.Request[Any], *, public: bool = False) -> _Bucket:
        """The bucket, if the caller owns it, or may read it where `public` will do."""
        bucket = self._buckets.get(request.input.bucket)
        if bucket is None:
            raise errors.NoSuchBucket
        if _owner(request.caller) != bucket.owner and not (public and bucket.acl == "public-read"):
            raise errors.AccessDenied
        return bucket

    def _version(
        self, request: t.Request[t.ObjectInput], *, owned: bool = False
    ) -> tuple[_Bucket, _Version]:
        """The version that is asked for, if the caller may read (or, `owned`, manage) it."""
        wanted = request.input
        bucket = self._buckets.get(wanted.bucket)
        if bucket is None:
            raise errors.NoSuchBucket
        stranger = _owner(request.caller) != bucket.owner
        version = _find(bucket, wanted.key, wanted.version_id)
        if stranger and (owned or (version is None and bucket.acl != "public-read")):
            raise errors.AccessDenied
        if version is None:
            raise errors.NoSuchVersion if wanted.version_id else errors.NoSuchKey
        if version.delete_marker:
            raise _delete_marker(version, by_id=wanted.version_id is not None)
        if stranger and version.acl != "public-read":
            raise errors.AccessDenied
        return bucket, version

    # Buckets ----------------------------------------------------------------------------------

    async def list_buckets(self, request: t.Request[t.ListBucketsInput]) -> t.ListBucketsOutput:
        wanted, owner = request.input, _owner(request.caller)
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
        wanted, owner = request.input, _owner(request.caller)
        if request.caller.access_key_id is None:
            raise errors.AccessDenied
        present = self._buckets.get(wanted.bucket)
        if present is not None:
            if present.owner != owner:
                raise errors.BucketAlreadyExists
            if self._region != "us-east-1":
                raise errors.BucketAlreadyOwnedByYou
            return
        self._buckets[wanted.bucket] = _Bucket(owner, self._clock(), wanted.acl or "private")

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

    # Listings ---------------------------------------------------------------------------------

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
        begin = _after([key for key, _ in rows], ids, wanted.key_marker, wanted.version_id_marker)
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

    # Objects ----------------------------------------------------------------------------------

    async def put_object(self, request: t.Request[t.PutObjectInput]) -> t.PutObjectOutput:
        wanted, bucket = request.input, self._bucket(request)
        _check_conditions(bucket, wanted.key, wanted.conditions)
        data, etag, checksum = await _receive(wanted.body)
        _check_conditions(bucket, wanted.key, wanted.conditions)
        version = self._new_version(
            bucket,
            etag=etag,
            content=BytesContent(data),
            headers=wanted.object,
            acl=wanted.acl or "private",
            tags=wanted.tags,
            checksum=checksum,
        )
        _store(bucket, wanted.key, version)
        return t.PutObjectOutput(etag, _shown(bucket, version), checksum)

    async def get_object(self, request: t.Request[t.ObjectInput]) -> t.ObjectOutput:
        bucket, version = self._version(request)
        content = version.content
        return t.ObjectOutput(
            version.etag,
            version.last_modified,
            version.object,
            content,
            version_id=_shown(bucket, version),
            parts_count=(len(content.part_sizes) if isinstance(content, _PartedContent) else None),
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
        _check_conditions(bucket, wanted.key, wanted.conditions)
        version = self._new_version(
            bucket,
            etag=source.etag,
            content=source.content,
            headers=wanted.object if wanted.metadata_directive == "REPLACE" else source.object,
            acl=wanted.acl or "private",
            tags=wanted.tags if wanted.tagging_directive == "REPLACE" else source.tags,
            checksum=source.checksum,
        )
        _store(bucket, wanted.key, version)
        return t.CopyObjectOutput(
            version.etag,
            version.last_modified,
            _shown(bucket, version),
            _shown(source_bucket, source),
            version.checksum,
        )

    async def get_object_acl(self, request: t.Request[t.ObjectInput]) -> t.AclOutput:
        _, version = self._version(request, owned=True)
        return t.AclOutput(version.owner, version.acl)

    async def put_object_acl(self, request: t.Request[t.PutObjectAclInput]) -> None:
        wanted = request.input
        bucket = self._bucket(request)
        version = _find(bucket, wanted.key, wanted.version_id)
        if version is None or version.delete_marker:
            raise errors.NoSuchKey
        version.acl = wanted.canned

    async def get_object_tagging(self, request: t.Request[t.ObjectInput]) -> t.TaggingOutput:
        bucket, version = self._version(request, owned=True)
        return t.TaggingOutput(version.tags, _shown(bucket, version))

    # Multipart --------------------------------------------------------------------------------

    async def create_multipart_upload(
        self, request: t.Request[t.CreateMultipartUploadInput]
    ) -> t.CreateMultipartUploadOutput:
        bucket = self._bucket(request)
        upload_id = secrets.token_urlsafe(24)
        bucket.uploads[upload_id] = _Upload(request.input, _owner(request.caller), self._clock())
        return t.CreateMultipartUploadOutput(upload_id)

    async def upload_part(self, request: t.Request[t.UploadPartInput]) -> t.UploadPartOutput:
        wanted, bucket = request.input, self._bucket(request)
        _upload(bucket, wanted.key, wanted.upload_id)
        data, etag, checksum = await _receive(wanted.body)
        upload = _upload(bucket, wanted.key, wanted.upload_id)
        upload.parts[wanted.part_number] = _Part(data, etag, self._clock(), checksum)
        return t.UploadPartOutput(etag, checksum)

    async def upload_part_copy(
        self, request: t.Request[t.UploadPartCopyInput]
    ) -> t.UploadPartCopyOutput:
        wanted, bucket = request.input, self._bucket(request)
        upload = _upload(bucket, wanted.key, wanted.upload_id)
        source_bucket, source = self._source(request, wanted.source)
        first, last = wanted.source_range or (0, source.content.size - 1)
        if last >= source.content.size:
            raise errors.InvalidRange
        data = source.content.data[first : last + 1]
        etag = hashlib.md5(data, usedforsecurity=False).hexdigest()
        part = _Part(data, etag, self._clock(), None)
        upload.parts[wanted.part_number] = part
        return t.UploadPartCopyOutput(etag, part.last_modified, _shown(source_bucket, source))

    async def complete_multipart_upload(
        self, request: t.Request[t.CompleteMultipartUploadInput]
    ) -> t.CompleteMultipartUploadOutput:
        wanted, bucket = request.input, self._bucket(request)
        done = bucket.completed.get(wanted.upload_id)
        if done is not None and done.etag == _multipart_etag([p.etag for p in wanted.parts]):
            return done
        upload = _upload(bucket, wanted.key, wanted.upload_id)
        parts = self._chosen(upload, wanted.parts)
        _check_conditions(bucket, wanted.key, wanted.conditions)
        content = _PartedContent(
            b"".join(part.data for part in parts), tuple(len(part.data) for part in parts)
        )
        version = self._new_version(
            bucket,
            etag=_multipart_etag([part.etag for part in parts]),
            content=content,
            headers=upload.input.object,
            acl=upload.input.acl or "private",
            tags=upload.input.tags,
            checksum=wanted.checksum,
        )
        _store(bucket, wanted.key, version)
        del bucket.uploads[wanted.upload_id]
        output = t.CompleteMultipartUploadOutput(
            version.etag, _shown(bucket, version), version.checksum
        )
        bucket.completed[wanted.upload_id] = output
        return output

    def _chosen(self, upload: _Upload, wanted: Sequence[t.CompletedPart]) -> list[_Part]:
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
        _upload(bucket, request.input.key, request.input.upload_id)
        del bucket.uploads[request.input.upload_id]

    async def list_parts(self, request: t.Request[t.ListPartsInput]) -> t.ListPartsOutput:
        wanted, bucket = request.input, self._bucket(request)
        upload = _upload(bucket, wanted.key, wanted.upload_id)
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
        begin = _after(
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

    # Shared -----------------------------------------------------------------------------------

    def _new_version(
        self,
        bucket: _Bucket,
        *,
        etag: str,
        content: BytesContent | _PartedContent,
        headers: t.ObjectHeaders,
        acl: str,
        tags: Mapping[str, str],
        checksum: t.ChecksumValue | None,
    ) -> _Version:
        return _Version(
            version_id=_new_version_id(bucket),
            owner=bucket.owner,
            last_modified=self._clock(),
            etag=etag,
            content=content,
            object=headers,
            acl=acl,
            tags=tags,
            checksum=checksum,
        )

    def _delete(self, bucket: _Bucket, key: bytes, version_id: str | None) -> t.DeleteObjectOutput:
        versions = bucket.objects.get(key, [])
        if version_id is not None:
            gone = _find(bucket, key, version_id)
            if gone is not None:
                _replace(bucket, key, [v for v in versions if v is not gone])
            return t.DeleteObjectOutput(version_id, gone is not None and gone.delete_marker)
        if bucket.versioning is None:
            _replace(bucket, key, [])
            return t.DeleteObjectOutput()
        marker = _Version(_new_version_id(bucket), bucket.owner, self._clock(), delete_marker=True)
        _store(bucket, key, marker)
        return t.DeleteObjectOutput(marker.version_id, delete_marker=True)

    def _source(self, request: t.Request[Any], source: t.CopySource) -> tuple[_Bucket, _Version]:
        wanted = t.ObjectInput(source.bucket, source.key, source.version_id)
        bucket, version = self._version(replace(request, input=wanted))
        modified = version.last_modified.replace(microsecond=0)
        matches = (
            source.if_match is None or source.if_match in {"*", version.etag},
            source.if_none_match is None or source.if_none_match not in {"*", version.etag},
            source.if_match is not None
            or source.if_unmodified_since is None
            or modified <= source.if_unmodified_since,
            source.if_none_match is not None
            or source.if_modified_since is None
            or modified > source.if_modified_since,
        )
        if not all(matches):
            raise errors.PreconditionFailed
        return bucket, version


def _new_version_id(bucket: _Bucket) -> str:
    return secrets.token_hex(16) if bucket.versioning == "Enabled" else "null"


def _shown(bucket: _Bucket, version: _Version) -> str | None:
    return None if bucket.versioning is None else version.version_id


def _find(bucket: _Bucket, key: bytes, version_id: str | None) -> _Version | None:
    versions = bucket.objects.get(key, [])
    if version_id is None:
        return versions[0] if versions else None
    return next((v for v in versions if v.version_id == version_id), None)


def _store(bucket: _Bucket, key: bytes, version: _Version) -> None:
    versions = bucket.objects.get(key, [])
    _replace(bucket, key, [version, *(v for v in versions if v.version_id != version.version_id)])


def _replace(bucket: _Bucket, key: bytes, versions: list[_Version]) -> None:
    if versions:
        bucket.objects[key] = versions
    else:
        bucket.objects.pop(key, None)


def _delete_marker(version: _Version, *, by_id: bool) -> errors.S3Error:
    headers = {"x-amz-delete-marker": "true", "x-amz-version-id": version.version_id}
    if by_id:
        return errors.MethodNotAllowed(headers={**headers, "allow": "DELETE"})
    return errors.NoSuchKey(headers=headers)


def _check_conditions(bucket: _Bucket, key: bytes, conditions: t.WriteConditions) -> None:
    version = _find(bucket, key, None)
    present = version is not None and not version.delete_marker
    if conditions.if_none_match is not None and present:
        raise errors.PreconditionFailed(fields={"Condition": "If-None-Match"})
    if conditions.if_match is not None:
        if version is None or not present:
            raise errors.NoSuchKey
        if conditions.if_match not in {"*", version.etag}:
            raise errors.PreconditionFailed(fields={"Condition": "If-Match"})


def _upload(bucket: _Bucket, key: bytes, upload_id: str) -> _Upload:
    upload = bucket.uploads.get(upload_id)
    if upload is None or upload.input.key != key:
        raise errors.NoSuchUpload
    return upload


def _multipart_etag(etags: Sequence[str]) -> str:
    joined = b"".join(bytes.fromhex(etag) for etag in etags)
    return f"{hashlib.md5(joined, usedforsecurity=False).hexdigest()}-{len(etags)}"


def _after(keys: Sequence[bytes], ids: Sequence[str], key: bytes, id_: str | None) -> int:
    """The index of the first row behind the marker (key, id); without id, behind all of key."""
    for number, row_key in enumerate(keys):
        if row_key > key:
            return number
        if row_key == key and id_ is not None and ids[number] == id_:
            return number + 1
    return len(keys)


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
