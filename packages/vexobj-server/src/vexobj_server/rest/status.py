"""`/health`, `/livez`, `/readyz` and `/v1/stats`: how the server is."""

import logging
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from vexobj_auth import Action
from vexobj_server.rest.context import Caller, Context
from vexobj_server.rest.models import (
    BucketStats,
    Capabilities,
    Health,
    Stats,
    Status,
    Unavailable,
)
from vexobj_server.rest.problems import problems
from vexobj_server.services.buckets import every_bucket
from vexobj_server.services.context import Services
from vexobj_server.sizes import human_size
from vexobj_storage import BucketUsage, ObjectStore

router = APIRouter(tags=["status"])

_log = logging.getLogger(__name__)

_UNAVAILABLE: dict[int | str, dict[str, Any]] = {
    503: {"model": Unavailable, "description": "The store cannot be read."}
}


@router.get("/livez", operation_id="livez")
async def livez() -> Status:
    """The process answers."""
    return Status(status="ok")


@router.get("/readyz", operation_id="readyz", responses=_UNAVAILABLE, response_model=Status)
async def readyz(context: Context) -> Status | JSONResponse:
    """The store can be read."""
    return await _unavailable(context) or Status(status="ok")


@router.get("/health", operation_id="health", responses=_UNAVAILABLE, response_model=Health)
async def health(context: Context) -> Health | JSONResponse:
    """The store can be read; what this server is and can do."""
    return await _unavailable(context) or Health(
        status="ok",
        service="vexobj",
        version=context.version,
        capabilities=Capabilities(**context.capabilities),
    )


@router.get("/v1/stats", operation_id="stats", responses=problems(401, 403))
async def stats(context: Context, caller: Caller) -> Stats:
    """Exact figures of every bucket; needs an admin key."""
    context.access.require(caller, Action.ADMINISTER)
    details = await bucket_stats(context.store)
    total = sum(each.size for each in details)
    disk = await context.disk_usage()
    return Stats(
        buckets=len(details),
        total_objects=sum(each.objects for each in details),
        total_size=total,
        total_size_human=human_size(total),
        disk_usage=disk,
        disk_usage_human=human_size(disk),
        bucket_details=details,
        version=context.version,
    )


async def bucket_stats(store: ObjectStore) -> list[BucketStats]:
    """Of every bucket, by name."""
    used = {each.bucket_id: each for each in await store.all_usage()}
    details = []
    async for bucket in every_bucket(store):
        usage = used.get(bucket.id) or BucketUsage(bucket.id, 0, 0)
        details.append(
            BucketStats(
                name=bucket.name,
                objects=usage.objects,
                size=usage.bytes,
                size_human=human_size(usage.bytes),
                noncurrent_objects=usage.noncurrent_objects,
                noncurrent_size=usage.noncurrent_bytes,
                upload_size=usage.upload_bytes,
            )
        )
    return details


async def _unavailable(context: Services) -> JSONResponse | None:
    try:
        await context.store.list_buckets(limit=1)
    except Exception as error:  # noqa: BLE001 - whatever it is, the store cannot be read
        _log.warning("the store cannot be read", exc_info=error)
        body = Unavailable(status="unavailable", reason=type(error).__name__)
        return JSONResponse(body.model_dump(), 503)
    return None
