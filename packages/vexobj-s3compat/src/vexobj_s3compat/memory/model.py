"""What MemoryBackend keeps: buckets, versions and uploads as plain values, and how they change."""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from vexobj_s3compat import errors
from vexobj_s3compat import types as t
from vexobj_s3compat.content import Body, BytesContent, PartRange, Payload


@dataclass(frozen=True, slots=True)
class PartedContent:
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
class Version:
    version_id: str
    owner: t.Owner
    last_modified: datetime
    etag: str = ""
    delete_marker: bool = False
    content: BytesContent | PartedContent = field(default_factory=lambda: BytesContent(b""))
    object: t.ObjectHeaders = field(default_factory=t.ObjectHeaders)
    acl: str = "private"
    tags: Mapping[str, str] = field(default_factory=dict)
    checksum: t.ChecksumValue | None = None
    lock: t.ObjectLockValue = field(default_factory=t.ObjectLockValue)


@dataclass(slots=True)
class Part:
    data: bytes
    etag: str
    last_modified: datetime
    checksum: t.ChecksumValue | None


@dataclass(slots=True)
class Upload:
    input: t.CreateMultipartUploadInput
    owner: t.Owner
    initiated_at: datetime
    parts: dict[int, Part] = field(default_factory=dict)


@dataclass(slots=True)
class Bucket:
    owner: t.Owner
    created_at: datetime
    acl: str = "private"
    versioning: Literal["Enabled", "Suspended"] | None = None
    object_lock: bool = False
    default_retention: t.DefaultRetentionValue | None = None
    lifecycle: list[t.LifecycleRule] = field(default_factory=list)
    objects: dict[bytes, list[Version]] = field(default_factory=dict)
    """Versions of each key, newest first."""
    uploads: dict[str, Upload] = field(default_factory=dict)
    completed: dict[str, t.CompleteMultipartUploadOutput] = field(default_factory=dict)


def owner_of(caller: t.Caller) -> t.Owner:
    name = caller.access_key_id or "anonymous"
    return t.Owner(name, name)


async def received(body: Body) -> tuple[bytes, str, t.ChecksumValue | None]:
    """The verified bytes, their MD5 in hex, and the checksum that was proved."""
    md5, sha256, chunks = hashlib.md5(usedforsecurity=False), hashlib.sha256(), []
    async for chunk in body:
        for hasher in (md5, sha256, *body.hashers.values()):
            hasher.update(chunk)
        chunks.append(chunk)
    body.verify(md5=md5.digest(), sha256=sha256.digest())
    proved = body.checksum()
    return b"".join(chunks), md5.hexdigest(), t.ChecksumValue(*proved) if proved else None


def new_version_id(bucket: Bucket) -> str:
    return secrets.token_hex(16) if bucket.versioning == "Enabled" else "null"


def shown_id(bucket: Bucket, version: Version) -> str | None:
    return None if bucket.versioning is None else version.version_id


def find_version(bucket: Bucket, key: bytes, version_id: str | None) -> Version | None:
    versions = bucket.objects.get(key, [])
    if version_id is None:
        return versions[0] if versions else None
    return next((v for v in versions if v.version_id == version_id), None)


def add_version(bucket: Bucket, key: bytes, version: Version) -> None:
    versions = bucket.objects.get(key, [])
    set_versions(
        bucket, key, [version, *(v for v in versions if v.version_id != version.version_id)]
    )


def set_versions(bucket: Bucket, key: bytes, versions: list[Version]) -> None:
    if versions:
        bucket.objects[key] = versions
    else:
        bucket.objects.pop(key, None)


def delete_marker_error(version: Version, *, by_id: bool) -> errors.S3Error:
    headers = {"x-amz-delete-marker": "true", "x-amz-version-id": version.version_id}
    if by_id:
        return errors.MethodNotAllowed(headers={**headers, "allow": "DELETE"})
    return errors.NoSuchKey(headers=headers)


def check_conditions(bucket: Bucket, key: bytes, conditions: t.WriteConditions) -> None:
    version = find_version(bucket, key, None)
    present = version is not None and not version.delete_marker
    if conditions.if_none_match is not None and present:
        raise errors.PreconditionFailed(fields={"Condition": "If-None-Match"})
    if conditions.if_match is not None:
        if version is None or not present:
            raise errors.NoSuchKey
        if conditions.if_match not in {"*", version.etag}:
            raise errors.PreconditionFailed(fields={"Condition": "If-Match"})


def find_upload(bucket: Bucket, key: bytes, upload_id: str) -> Upload:
    upload = bucket.uploads.get(upload_id)
    if upload is None or upload.input.key != key:
        raise errors.NoSuchUpload
    return upload


def multipart_etag(etags: Sequence[str]) -> str:
    joined = b"".join(bytes.fromhex(etag) for etag in etags)
    return f"{hashlib.md5(joined, usedforsecurity=False).hexdigest()}-{len(etags)}"


def first_after(keys: Sequence[bytes], ids: Sequence[str], key: bytes, id_: str | None) -> int:
    """The index of the first row behind the marker (key, id); without id, behind all of key."""
    for number, row_key in enumerate(keys):
        if row_key > key:
            return number
        if row_key == key and id_ is not None and ids[number] == id_:
            return number + 1
    return len(keys)
