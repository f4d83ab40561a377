"""`/v1/admin/usage`: what takes the room on the disk, and what of it will be free when."""

from datetime import datetime

from fastapi import APIRouter

from vexobj_auth import Action
from vexobj_server.rest.context import Caller, Context
from vexobj_server.rest.models import BucketStats, Model
from vexobj_server.rest.problems import problems
from vexobj_server.rest.status import bucket_stats

router = APIRouter(prefix="/v1/admin", tags=["admin"])


class Usage(Model):
    """Bytes. `buckets` tells what is in them, each copy counted; the rest is what takes room.

    `stored_bytes` are the bytes in use in the blob store, `inline_bytes` those in the metadata,
    both counted once however many objects share them. `waiting_bytes` were deleted and wait for
    garbage collection, which may remove the first at `first_due_at` and the last at
    `last_due_at`; `unused_bytes` are deleted multipart
    objects that begin to wait soon. `metadata_bytes` is 0 where the metadata is elsewhere.
    """

    buckets: list[BucketStats]
    stored_blobs: int
    stored_bytes: int
    inline_bytes: int
    waiting_blobs: int
    waiting_bytes: int
    first_due_at: datetime | None
    last_due_at: datetime | None
    unused_bytes: int
    cache_bytes: int
    metadata_bytes: int
    disk_usage: int
    disk_free: int


@router.get("/usage", operation_id="usage", responses=problems(401, 403))
async def usage(context: Context, caller: Caller) -> Usage:
    """Explain the disk: live, noncurrent, parts, waiting for collection, cache; by bucket."""
    context.access.require(caller, Action.ADMINISTER)
    room, disk = await context.store.stored_bytes(), await context.disk_room()
    return Usage(
        buckets=await bucket_stats(context.store),
        stored_blobs=room.live_blobs,
        stored_bytes=room.live_bytes,
        inline_bytes=room.inline_bytes,
        waiting_blobs=room.waiting_blobs,
        waiting_bytes=room.waiting_bytes,
        first_due_at=room.first_due_at,
        last_due_at=room.last_due_at,
        unused_bytes=room.unused_bytes,
        cache_bytes=disk.cache_bytes,
        metadata_bytes=disk.metadata_bytes,
        disk_usage=disk.used_bytes,
        disk_free=disk.free_bytes,
    )
