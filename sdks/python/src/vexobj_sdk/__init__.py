"""The official Python client of VexObj."""

from vexobj_sdk.body import Body
from vexobj_sdk.client import VexObj
from vexobj_sdk.download import Download
from vexobj_sdk.errors import (
    Conflict,
    ConnectionFailed,
    Forbidden,
    InvalidRequest,
    NotFound,
    ServerError,
    Throttled,
    Unauthorized,
    UnexpectedAnswer,
    VexObjError,
)
from vexobj_sdk.models import (
    ApiKey,
    Bucket,
    BucketSettings,
    BucketStats,
    CreatedApiKey,
    GcResult,
    Health,
    Identity,
    ObjectList,
    ObjectMeta,
    Permissions,
    Stats,
    Transform,
)

__all__ = [
    "ApiKey",
    "Body",
    "Bucket",
    "BucketSettings",
    "BucketStats",
    "Conflict",
    "ConnectionFailed",
    "CreatedApiKey",
    "Download",
    "Forbidden",
    "GcResult",
    "Health",
    "Identity",
    "InvalidRequest",
    "NotFound",
    "ObjectList",
    "ObjectMeta",
    "Permissions",
    "ServerError",
    "Stats",
    "Throttled",
    "Transform",
    "Unauthorized",
    "UnexpectedAnswer",
    "VexObj",
    "VexObjError",
]
