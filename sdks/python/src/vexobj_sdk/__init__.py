"""The official Python client of VexObj."""

from vexobj_sdk.client import Download, VexObj
from vexobj_sdk.errors import (
    Conflict,
    ConnectionFailed,
    Forbidden,
    InvalidRequest,
    NotFound,
    ServerError,
    Throttled,
    Unauthorized,
    VexObjError,
)
from vexobj_sdk.models import (
    ApiKey,
    Bucket,
    BucketStats,
    CreatedApiKey,
    ObjectMeta,
    ObjectPage,
    Permissions,
    Stats,
)

__all__ = [
    "ApiKey",
    "Bucket",
    "BucketStats",
    "Conflict",
    "ConnectionFailed",
    "CreatedApiKey",
    "Download",
    "Forbidden",
    "InvalidRequest",
    "NotFound",
    "ObjectMeta",
    "ObjectPage",
    "Permissions",
    "ServerError",
    "Stats",
    "Throttled",
    "Unauthorized",
    "VexObj",
    "VexObjError",
]
