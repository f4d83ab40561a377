"""The loops that keep the store in order."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

from vexobj_server.jobs.loops import Loop
from vexobj_server.services.audit import Audit
from vexobj_server.services.backups import ServerBackups
from vexobj_server.services.identities import Identities
from vexobj_server.services.lifecycle import Lifecycle
from vexobj_server.services.scrub import Scrub
from vexobj_server.settings import LifecycleSettings, StorageSettings
from vexobj_storage import ObjectStore

_FOLD = timedelta(seconds=30)
_QUOTAS = timedelta(seconds=10)
_SWEEP = timedelta(hours=6)
_STALE_UPLOADS = timedelta(minutes=15)
_CLOCK = timedelta(seconds=30)
_ROOM = timedelta(seconds=30)
_FIRST_SWEEP = timedelta(minutes=5)
"""Servers that are restarted often are to sweep too, and to go on where they were."""

_SCRUB = timedelta(seconds=5)
"""One that was asked for is to begin soon; without one it costs a look at a row or two."""

_AUDIT = timedelta(minutes=10)
_BACKUP = timedelta(seconds=30)
_LAST_USED = timedelta(seconds=60)


def upkeep(
    store: ObjectStore,
    storage: StorageSettings,
    collect_garbage: Callable[[], Awaitable[object]],
    notice_quotas: Callable[[], Awaitable[object]],
) -> Sequence[Loop]:
    """For one process of all."""

    async def sweep() -> None:
        await store.sweep_orphans(storage.gc_orphan_age)

    return (
        Loop("gc", storage.gc_interval, collect_garbage),
        Loop("fold usage", _FOLD, store.fold_usage),
        Loop("quotas", _QUOTAS, notice_quotas),
        Loop("orphan sweep", _SWEEP, sweep),
        Loop("room", _ROOM, store.keep_room),
    )


def expiry(lifecycle: Lifecycle, settings: LifecycleSettings) -> Sequence[Loop]:
    """For one process of all."""
    interval = timedelta(seconds=settings.interval_seconds)
    return (
        Loop("clock", _CLOCK, lifecycle.record_clock),
        Loop("lifecycle", interval, lifecycle.scheduled, first=_FIRST_SWEEP),
        Loop("stale uploads", _STALE_UPLOADS, lifecycle.abort_stale_uploads),
    )


def scrubbing(scrub: Scrub) -> Sequence[Loop]:
    """For one process of all."""
    return (Loop("scrub", _SCRUB, scrub.run), Loop("mending", _SCRUB, scrub.mend))


def trimming(audit: Audit) -> Loop:
    """For one process of all."""
    return Loop("audit retention", _AUDIT, audit.trim)


def backups(server_backups: ServerBackups) -> Loop:
    """For one process of all."""
    return Loop("backup", _BACKUP, server_backups.scheduled)


def housekeeping(identities: Identities, lifecycle: Lifecycle) -> Sequence[Loop]:
    """For every process: what it alone knows."""
    return (
        Loop("last use of keys", _LAST_USED, identities.flush_last_used),
        Loop("clock", _CLOCK, lifecycle.watch_clock),
    )
