"""`/v1/admin/lifecycle` and `/v1/admin/clock`: what expires, and by whose time. For admins."""

from datetime import datetime

from fastapi import APIRouter

from vexobj_auth import Action
from vexobj_server.rest.context import Caller, Context
from vexobj_server.rest.lifecycle_models import (
    ClockInfo,
    LifecycleInfo,
    LifecycleRuleInfo,
    LifecycleRun,
    NewLifecycle,
    NewLifecycleRule,
)
from vexobj_server.rest.problems import problems
from vexobj_storage import Bucket, ClockState, LifecycleRule, lifecycle_of

router = APIRouter(prefix="/v1/admin", tags=["admin"])


@router.post("/lifecycle/run", operation_id="run_lifecycle", responses=problems(401, 403))
async def run_lifecycle(context: Context, caller: Caller) -> LifecycleRun:
    """Do what is due by the rules of all buckets now; the answer waits for the end."""
    context.access.require(caller, Action.ADMINISTER)
    await context.audit.note()
    done = await context.lifecycle.on_demand()
    return LifecycleRun(
        objects_expired=done.expired,
        versions_removed=done.versions_removed,
        markers_removed=done.markers_removed,
        uploads_aborted=done.uploads_aborted,
        bytes_freed=done.bytes,
        locked=done.locked,
        held=done.held,
    )


@router.delete(
    "/lifecycle/rule/{rule_id:path}",
    operation_id="delete_lifecycle_rule",
    status_code=204,
    responses=problems(400, 401, 403, 404),
)
async def delete_lifecycle_rule(
    rule_id: str, context: Context, caller: Caller, bucket: str | None = None
) -> None:
    """In whatever bucket it is; `bucket` tells which one, where several have a rule of this id."""
    context.access.require(caller, Action.ADMINISTER)
    await context.store.remove_lifecycle_rule(rule_id, bucket)


@router.post(
    "/lifecycle/{bucket}",
    operation_id="create_lifecycle_rule",
    status_code=201,
    responses=problems(400, 401, 403, 404),
)
async def create_lifecycle_rule(
    bucket: str, new: NewLifecycleRule, context: Context, caller: Caller
) -> LifecycleRuleInfo:
    """Add a rule to the bucket's."""
    context.access.require(caller, Action.ADMINISTER)
    rule = await context.store.add_lifecycle_rule(bucket, _rule(new, context.clock()))
    return _rule_info(bucket, rule)


@router.get(
    "/lifecycle/{bucket}",
    operation_id="list_lifecycle_rules",
    responses=problems(401, 403, 404),
)
async def list_lifecycle_rules(bucket: str, context: Context, caller: Caller) -> LifecycleInfo:
    context.access.require(caller, Action.ADMINISTER)
    found: Bucket = await context.store.bucket(bucket)
    return LifecycleInfo(rules=[_rule_info(bucket, rule) for rule in lifecycle_of(found)])


@router.put(
    "/lifecycle/{bucket}",
    operation_id="set_lifecycle",
    responses=problems(400, 401, 403, 404),
)
async def set_lifecycle(
    bucket: str, new: NewLifecycle, context: Context, caller: Caller
) -> LifecycleInfo:
    """Replace all rules of the bucket; an empty list removes them."""
    context.access.require(caller, Action.ADMINISTER)
    wanted = [_rule(rule, context.clock()) for rule in new.rules]
    rules = await context.store.set_lifecycle(bucket, wanted)
    return LifecycleInfo(rules=[_rule_info(bucket, rule) for rule in rules])


@router.get("/clock", operation_id="get_clock", responses=problems(401, 403))
async def get_clock(context: Context, caller: Caller) -> ClockInfo:
    """Whether the server believes its clock; nothing expires while it does not."""
    context.access.require(caller, Action.ADMINISTER)
    return _clock_info(await context.store.clock_guard.watch())


@router.post("/clock/accept", operation_id="accept_clock", responses=problems(401, 403))
async def accept_clock(context: Context, caller: Caller) -> ClockInfo:
    """Declare the clock right: what is over by it expires, and locks that it ended are open."""
    context.access.require(caller, Action.ADMINISTER)
    await context.audit.note()
    return _clock_info(await context.store.clock_guard.accept())


def _rule(new: NewLifecycleRule, now: datetime) -> LifecycleRule:
    return LifecycleRule(created_at=now, **new.model_dump())


def _rule_info(bucket: str, rule: LifecycleRule) -> LifecycleRuleInfo:
    return LifecycleRuleInfo(
        bucket=bucket,
        **{
            name: getattr(rule, name) for name in LifecycleRuleInfo.model_fields if name != "bucket"
        },
    )


def _clock_info(state: ClockState) -> ClockInfo:
    return ClockInfo(wall_at=state.wall_at, believed_at=state.believed_at, held=state.held)
