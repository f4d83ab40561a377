"""`/v1/admin/backup`: backups of the whole store, into the directory of the settings."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response

from vexobj_auth import Action
from vexobj_server.rest.context import Caller, Context
from vexobj_server.rest.models import Model
from vexobj_server.rest.problems import problems
from vexobj_server.services.context import Services
from vexobj_storage import BackupFailure, BackupProgress, LastBackup, Manifest

router = APIRouter(prefix="/v1/admin", tags=["admin"])


class BackupKeyInfo(Model):
    """A key that a restore needs. `inside` says that it is in the backup itself."""

    name: str
    id: str
    inside: bool


class BackupInfo(Model):
    """`blobs_copied` were not in the directory before; `damaged` could not be read.

    Without the `keys` that are not inside, what they seal cannot be restored.
    """

    name: str
    path: str
    began_at: datetime
    finished_at: datetime
    db_size: int
    blobs: int
    blobs_copied: int
    bytes_copied: int
    total_size: int
    damaged: int
    keys: list[BackupKeyInfo]


class BackupUnderWay(Model):
    """`done` of `blobs` were looked at; `copied` of these were not in the directory yet."""

    name: str
    blobs: int
    bytes: int
    done: int
    done_bytes: int
    copied: int
    copied_bytes: int


class BackupFailed(Model):
    at: datetime
    error: str


class LastBackupInfo(Model):
    name: str
    began_at: datetime
    finished_at: datetime
    total_size: int
    damaged: int


class BackupStatus(Model):
    """`last` ended well; `failure` is that of a later one. `backups` are there, newest first."""

    directory: str
    keep: int | None
    interval_seconds: int
    running: BackupUnderWay | None
    last: LastBackupInfo | None
    failure: BackupFailed | None
    backups: list[BackupInfo]


Wait = Annotated[bool, Query(description="false: answer 202 at once, and go on.")]


@router.post(
    "/backup",
    operation_id="create_backup",
    response_model=None,
    responses={
        200: {"model": BackupInfo, "description": "It is finished."},
        202: {"description": "It has begun."},
        **problems(401, 403, 409, 507),
    },
)
async def create_backup(
    context: Context, caller: Caller, wait: Wait = True
) -> BackupInfo | Response:
    """Make a backup while the server goes on; the answer waits for the end unless told not to."""
    context.access.require(caller, Action.ADMINISTER)
    await context.audit.note()
    if not wait:
        await context.backups.start()
        return Response(status_code=202)
    return _info(context, await context.backups.now())


@router.get("/backup", operation_id="get_backups", responses=problems(401, 403))
async def get_backups(context: Context, caller: Caller) -> BackupStatus:
    """The backup under way, the last ones, and all that can be restored."""
    context.access.require(caller, Action.ADMINISTER)
    backups, state = context.backups, await context.store.backup_state()
    return BackupStatus(
        directory=str(backups.target.directory),
        keep=backups.options.keep,
        interval_seconds=round(backups.interval.total_seconds()),
        running=_under_way(state.running),
        last=_last(state.last),
        failure=_failed(state.failure),
        backups=[_info(context, each) for each in await backups.finished()],
    )


def _info(context: Services, manifest: Manifest) -> BackupInfo:
    return BackupInfo(
        name=manifest.name,
        path=str(context.backups.target.path(manifest.name)),
        began_at=manifest.began_at,
        finished_at=manifest.finished_at,
        db_size=manifest.metadata_bytes,
        blobs=manifest.blobs,
        blobs_copied=manifest.blobs_copied,
        bytes_copied=manifest.bytes_copied,
        total_size=manifest.metadata_bytes + manifest.blob_bytes,
        damaged=len(manifest.damaged),
        keys=[BackupKeyInfo(name=k.name, id=k.id, inside=k.inside) for k in manifest.keys],
    )


def _under_way(progress: BackupProgress | None) -> BackupUnderWay | None:
    if progress is None:
        return None
    return BackupUnderWay(**{name: getattr(progress, name) for name in BackupUnderWay.model_fields})


def _last(last: LastBackup | None) -> LastBackupInfo | None:
    if last is None:
        return None
    return LastBackupInfo(
        name=last.name,
        began_at=last.began_at,
        finished_at=last.finished_at,
        total_size=last.bytes,
        damaged=last.damaged,
    )


def _failed(failure: BackupFailure | None) -> BackupFailed | None:
    return None if failure is None else BackupFailed(at=failure.at, error=failure.error)
