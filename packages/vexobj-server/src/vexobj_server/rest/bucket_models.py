"""The JSON of buckets and their versioning, as values."""

import re
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field

from vexobj_server.rest.lock_models import ObjectLock
from vexobj_server.rest.models import Input, Model
from vexobj_storage import Versioning

BucketName = Annotated[str, Field(description="3 to 63 of a-z, 0-9, `-` and `.`, as AWS has it.")]

VersioningName = Literal["off", "enabled", "suspended"]

_HOST_NAME = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")


def _host_name(text: str) -> str:
    name = text.lower()
    if len(name) > 253 or _HOST_NAME.fullmatch(name) is None:
        raise ValueError("it is not a host name without a port")
    return name


HostName = Annotated[str, AfterValidator(_host_name)]
"""In lower case, as requests are compared with it."""


class BucketSettings(Input):
    """`transforms`: whether reads of the bucket's images may carry `w`, `h`, `format` and so on.

    `host_aliases` are host names whose every path is a key of this bucket.
    """

    transforms: Literal["off", "open"] = "open"
    host_aliases: list[HostName] = Field(default_factory=list, max_length=16)


class BucketInfo(Model):
    id: UUID
    name: str
    created_at: datetime
    public: bool
    versioning: VersioningName
    owner: str = Field(description="The canonical id of the identity that owns it.")
    settings: BucketSettings
    object_lock: ObjectLock | None = Field(description="null for a bucket without object lock.")


class BucketList(Model):
    buckets: list[BucketInfo]


class NewBucket(Input):
    name: BucketName
    public: bool = False
    object_lock: bool = Field(
        default=False, description="Keep versions, which may be locked, from the start, for good."
    )


class BucketPatch(Input):
    """What is left out stays as it is. `object_lock` needs versioning to be enabled."""

    public: bool | None = None
    settings: BucketSettings | None = None
    object_lock: ObjectLock | None = None


def versioning_name(versioning: Versioning) -> VersioningName:
    return _VERSIONING[versioning]


_VERSIONING: dict[Versioning, VersioningName] = {
    Versioning.OFF: "off",
    Versioning.ENABLED: "enabled",
    Versioning.SUSPENDED: "suspended",
}


class BucketVersioning(Model):
    bucket: str
    versioning: VersioningName


class VersioningChange(Input):
    versioning: Literal["enabled", "suspended"] = "enabled"
