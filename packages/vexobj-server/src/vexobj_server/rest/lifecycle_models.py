"""The JSON of lifecycle rules, their runs and the clock, as values."""

from datetime import datetime

from pydantic import Field

from vexobj_server.rest.models import Input, Model, Moment


class NewLifecycleRule(Input):
    """Which objects: those with `prefix` and all of `tags`, of a size between the two bounds.

    What happens to them: current versions expire after `expire_days` or at `expire_at` (midnight
    UTC); `expire_delete_markers` removes delete markers that hide nothing. Noncurrent versions go
    after `noncurrent_days`, but the `keep_noncurrent` newest stay. Uploads that are not completed
    are aborted after `abort_upload_days`. At least one of these is needed.
    """

    id: str = Field(default="", max_length=255, description="Made by the server when empty.")
    enabled: bool = True
    prefix: str = Field(default="", max_length=1024)
    tags: dict[str, str] = Field(default_factory=dict, max_length=10)
    size_greater_than: int | None = None
    size_less_than: int | None = None
    expire_days: int | None = None
    expire_at: Moment | None = None
    expire_delete_markers: bool = False
    noncurrent_days: int | None = None
    keep_noncurrent: int | None = None
    abort_upload_days: int | None = None


class NewLifecycle(Input):
    rules: list[NewLifecycleRule] = Field(max_length=1000)


class LifecycleRuleInfo(Model):
    id: str
    bucket: str
    created_at: datetime
    enabled: bool
    prefix: str
    tags: dict[str, str]
    size_greater_than: int | None
    size_less_than: int | None
    expire_days: int | None
    expire_at: datetime | None
    expire_delete_markers: bool
    noncurrent_days: int | None
    keep_noncurrent: int | None
    abort_upload_days: int | None


class LifecycleInfo(Model):
    rules: list[LifecycleRuleInfo]


class LifecycleRun(Model):
    """`objects_expired` counts current versions, removed or hidden by a delete marker.

    `bytes_freed` is what the versions that went for good take; garbage collection frees it.
    `locked` versions stayed. `held`: nothing was done, as the clock jumped and nobody accepted it.
    """

    objects_expired: int
    versions_removed: int
    markers_removed: int
    uploads_aborted: int
    bytes_freed: int
    locked: int
    held: bool


class ClockInfo(Model):
    """`believed_at` is the time by which things expire: the clock's own, unless it is `held`."""

    wall_at: datetime
    believed_at: datetime
    held: bool
