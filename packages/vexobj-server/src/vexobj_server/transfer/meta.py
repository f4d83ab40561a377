"""What the native API says of an object, in JSON."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from vexobj_storage import Bucket, ObjectDetails, ObjectVersion


class ObjectMeta(BaseModel):
    """An object as the native API tells of it."""

    model_config = ConfigDict(frozen=True)

    id: UUID
    bucket: str
    key: str
    size: int
    content_type: str
    etag: str = Field(description="Without quotes; the same on both APIs.")
    sha256: str | None = Field(description="Hex; null while it is not known (multipart objects).")
    created_at: datetime
    updated_at: datetime
    metadata: dict[str, Any] = Field(description="What the writer sent as x-amz-meta-*.")


def object_meta(bucket: Bucket, version: ObjectVersion) -> ObjectMeta:
    given = version.attributes
    return _meta(bucket, version, given.content_type, dict(given.metadata))


def listed_meta(bucket: Bucket, listed: ObjectDetails) -> ObjectMeta:
    """Without the metadata, which a listing does not look up."""
    return _meta(bucket, listed, listed.content_type, {})


def _meta(
    bucket: Bucket,
    version: ObjectVersion | ObjectDetails,
    content_type: str,
    metadata: dict[str, Any],
) -> ObjectMeta:
    return ObjectMeta.model_construct(
        id=UUID(bytes=version.uid),
        bucket=bucket.name,
        key=version.key.decode(),
        size=version.size,
        content_type=content_type,
        etag=version.etag,
        sha256=None if version.sha256 is None else version.sha256.hex(),
        created_at=version.created_at,
        updated_at=version.modified_at,
        metadata=metadata,
    )
