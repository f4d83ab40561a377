"""The JSON of the native API, as values."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    field_validator,
)

from vexobj_server.transfer.meta import ObjectMeta

_FIRST_MOMENT = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_MOMENT = datetime(9999, 1, 1, tzinfo=UTC)


def _storable(moment: datetime) -> datetime:
    if not _FIRST_MOMENT <= moment <= _LAST_MOMENT:
        raise ValueError("it is out of range")
    return moment


Moment = Annotated[AwareDatetime, AfterValidator(_storable)]
"""With an offset: without one it would be another time on every server."""


class Model(BaseModel):
    """An answer: later versions may say more."""

    model_config = ConfigDict(frozen=True)


class Input(BaseModel):
    """What a client sends: a misspelt name is refused, not ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @field_validator("*")
    @classmethod
    def _printable(cls, value: Any) -> Any:
        """Databases and logs are to hold it."""
        if isinstance(value, str) and not value.isprintable():
            raise ValueError("only printable characters are allowed")
        return value


class Problem(Model):
    """What went wrong: a sentence for people, a code for programs, the request for the logs."""

    error: str
    code: str
    reason: str | None = None
    request_id: str


class Status(Model):
    status: Literal["ok"]


class Unavailable(Model):
    status: Literal["unavailable"]
    reason: str


class Capabilities(Model):
    """What this server can do; a client may ask before it offers something."""

    sse_at_rest: bool
    video_metadata: bool
    video_thumbnails: bool
    ffprobe: bool
    ffmpeg: bool
    image_formats: list[str]
    transforms: bool


class Health(Model):
    status: Literal["ok"]
    service: Literal["vexobj"]
    version: str
    capabilities: Capabilities


class VersionInfo(Model):
    """A version of an object, or a delete marker; `version_id` is "null" for one without its own.

    `created_at` is when this version was written.
    """

    id: UUID
    bucket: str
    key: str
    version_id: str
    size: int
    content_type: str
    etag: str
    sha256: str | None
    created_at: datetime
    is_latest: bool
    is_delete_marker: bool


class VersionList(Model):
    versions: list[VersionInfo]
    is_truncated: bool
    next_continuation_token: str | None


class PurgeResult(Model):
    """`blobs_removed` counts the versions whose content waits for garbage collection now."""

    bucket: str
    key: str
    blobs_removed: int
    versions_removed: int
    bytes_removed: int


class ObjectList(Model):
    objects: list[ObjectMeta]
    common_prefixes: list[str]
    is_truncated: bool
    next_continuation_token: str | None


class IdentityInfo(Model):
    id: str
    display_name: str
    email: str | None
    created_at: datetime


class IdentityList(Model):
    identities: list[IdentityInfo]


class NewIdentity(Input):
    display_name: str = Field(min_length=1, max_length=255)
    email: str | None = Field(default=None, max_length=254, pattern=r"^[^@\s]+@[^@\s]+$")


class KeyPermissions(Input):
    """`admin` implies the others."""

    read: bool = False
    write: bool = False
    delete: bool = False
    admin: bool = False


class AllBuckets(Input):
    type: Literal["all"]


class SpecificBuckets(Input):
    type: Literal["specific"]
    buckets: list[str]


BucketAccess = Annotated[AllBuckets | SpecificBuckets, Field(discriminator="type")]


class ApiKey(Model):
    """`id` is the access key id; `key_prefix` its beginning, for display."""

    id: str
    name: str
    key_prefix: str
    identity: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    permissions: KeyPermissions
    bucket_access: BucketAccess


class ApiKeyList(Model):
    keys: list[ApiKey]


class NewApiKey(Input):
    """Without `identity` the key is for the identity that asks.

    `access_key_id` and `secret_access_key` together bring an existing pair along.
    """

    name: str = Field(min_length=1, max_length=255)
    identity: str | None = None
    permissions: KeyPermissions = KeyPermissions(read=True, write=True)
    bucket_access: BucketAccess = AllBuckets(type="all")
    expires_at: Moment | None = None
    access_key_id: str | None = None
    secret_access_key: str | None = None


class CreatedApiKey(Model):
    """The only answer that holds the secret; it is the bearer token as well."""

    key: ApiKey
    access_key_id: str
    secret: str
    warning: str


class GcResult(Model):
    """What was collected, and what still waits for its grace to end."""

    blobs_scanned: int
    orphans_removed: int
    bytes_freed: int
    waiting: int
    waiting_bytes: int
    due_at: datetime | None


class BucketStats(Model):
    name: str
    objects: int
    size: int
    size_human: str
    noncurrent_objects: int
    noncurrent_size: int
    upload_size: int


class Stats(Model):
    buckets: int
    total_objects: int
    total_size: int
    total_size_human: str
    disk_usage: int
    disk_usage_human: str
    bucket_details: list[BucketStats]
    version: str
