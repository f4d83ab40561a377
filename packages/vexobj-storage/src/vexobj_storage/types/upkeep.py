"""What a store does by itself tells."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class ClockState:
    """`wall_at` is what the clock says, `believed_at` the time by which things expire.

    `held` when the clock jumped ahead and nobody has said that it is right: see clock.py.
    """

    wall_at: datetime
    believed_at: datetime
    held: bool


@dataclass(frozen=True, slots=True)
class GcReport:
    """What a collection did, and what still waits for its grace to end.

    `due_at` is when the earliest of the waiting ones may go.
    """

    condemned: int = 0
    removed: int = 0
    bytes_freed: int = 0
    waiting: int = 0
    waiting_bytes: int = 0
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class LifecycleReport:
    """What a sweep did. `expired` counts current versions that were removed or hidden.

    `bytes` is the size of the versions that went for good. `locked` ones stayed, as an object lock
    protects them. `held` when nothing was done because the clock cannot be believed.
    """

    expired: int = 0
    versions_removed: int = 0
    markers_removed: int = 0
    uploads_aborted: int = 0
    bytes: int = 0
    locked: int = 0
    held: bool = False


@dataclass(frozen=True, slots=True)
class StoredBytes:
    """What blobs take where they lie, shared ones once.

    `live_*` is in use: in the blob store, and inline in the metadata. `waiting_*` lost its last
    reference and waits for its grace to end; `unused_bytes` are those of multipart objects that
    are gone, whose parts count as live until their own grace begins. All that waits now may be
    removed between `first_due_at` and `last_due_at`, by the collections that follow these.
    """

    live_blobs: int
    live_bytes: int
    inline_bytes: int
    waiting_blobs: int
    waiting_bytes: int
    unused_bytes: int
    first_due_at: datetime | None = None
    last_due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RewriteStep:
    """What one step of rewriting did; `failed` blobs could not be read."""

    blobs: int = 0
    bytes: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class RewriteProgress:
    """Of rewriting everything to be sealed under the root key `key_id` (0: to be plain).

    `failed` blobs could not be read and are left as they are; they count as remaining.
    """

    key_id: int
    blobs: int
    bytes: int
    failed: int
    remaining_blobs: int
    remaining_bytes: int
    is_done: bool
