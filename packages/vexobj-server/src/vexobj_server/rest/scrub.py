"""`/v1/admin/scrub`: whether all stored bytes are as they were put, and what is not. For admins."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from vexobj_auth import Action
from vexobj_server.rest.context import Caller, Context
from vexobj_server.rest.models import Input, Model
from vexobj_server.rest.problems import problems
from vexobj_server.transfer.errors import RestError
from vexobj_storage import Damage, Finding, ObjectStore, ScrubPass

router = APIRouter(prefix="/v1/admin/scrub", tags=["admin"])

_MOST = 1000
_DAMAGES: dict[Damage, Literal["corrupt", "missing", "unreadable"]] = {
    Damage.CORRUPT: "corrupt",
    Damage.MISSING: "missing",
    Damage.UNREADABLE: "unreadable",
}


class NewScrub(Input):
    """A dry run tells what it finds and puts nothing in quarantine.

    Where very many blobs are missing together a pass halts, as their disk may just not be mounted;
    with `accept_losses` it believes that they are gone.
    """

    dry_run: bool = False
    accept_losses: bool = False


class ScrubPassInfo(Model):
    """One pass over all blobs. `bytes` of `all_bytes` were read; `all_*` are of its beginning.

    `locked_away` blobs could not be opened for want of an encryption key. `halted` says why it
    does not go on for now.
    """

    began_at: datetime
    ended_at: datetime | None
    dry_run: bool
    blobs: int
    bytes: int
    all_blobs: int
    all_bytes: int
    corrupt: int
    missing: int
    unreadable: int
    locked_away: int
    halted: str | None


class FindingPlaceInfo(Model):
    """A version that has the bytes; with `is_upload` an upload under way, by its id."""

    bucket: str | None
    key: str
    version_id: str
    is_upload: bool


class FindingInfo(Model):
    """A blob that is not as it was put. Reading what has it fails while it is in quarantine.

    `places` are the first 100 of `places_count`; they are known once it is `traced`.
    """

    blob_id: str
    damage: Literal["corrupt", "missing", "unreadable"]
    reason: str
    found_at: datetime
    size: int
    quarantined: bool
    traced: bool
    places_count: int
    places: list[FindingPlaceInfo]


class ScrubInfo(Model):
    """`current` is the pass under way, or the last one; `completed` the last whole one in earnest.

    `findings` stand until they are healed, released or deleted. `next` is the `after` of the next
    page of them.
    """

    running: bool
    current: ScrubPassInfo | None
    completed: ScrubPassInfo | None
    findings_count: int
    findings: list[FindingInfo]
    next: str | None


class ReleasedFinding(Model):
    """`released` when its bytes are whole again: it is read and shared as before."""

    blob_id: str
    released: bool


@router.get("", operation_id="get_scrub", responses=problems(400, 401, 403))
async def get_scrub(
    context: Context,
    caller: Caller,
    after: Annotated[str, Query(max_length=32)] = "",
    limit: Annotated[int, Query(ge=1, le=_MOST)] = 100,
) -> ScrubInfo:
    """How far it is, and what stands of its findings."""
    context.access.require(caller, Action.ADMINISTER)
    return await _info(context.store, _blob_id(after) if after else b"", limit)


@router.post("", operation_id="start_scrub", status_code=202, responses=problems(400, 401, 403))
async def start_scrub(
    context: Context, caller: Caller, response: Response, new: NewScrub | None = None
) -> ScrubInfo:
    """Begin a pass within seconds, in the background; 200 when one is under way."""
    context.access.require(caller, Action.ADMINISTER)
    await context.audit.note()
    asked = new or NewScrub()
    begun = await context.store.start_scrub(
        dry_run=asked.dry_run, accept_losses=asked.accept_losses
    )
    if not begun:
        response.status_code = 200
    return await _info(context.store, b"", 1)


@router.post(
    "/findings/{blob_id}/release",
    operation_id="release_finding",
    responses=problems(400, 401, 403),
)
async def release_finding(blob_id: str, context: Context, caller: Caller) -> ReleasedFinding:
    """Read a blob again at once: one that is whole by now leaves the quarantine."""
    context.access.require(caller, Action.ADMINISTER)
    await context.audit.note()
    released = await context.store.release_finding(_blob_id(blob_id))
    return ReleasedFinding(blob_id=blob_id, released=released)


async def _info(store: ObjectStore, after: bytes, limit: int) -> ScrubInfo:
    state = await store.scrub_state()
    found = await store.findings(after, limit + 1)
    page = found[:limit]
    return ScrubInfo(
        running=state.current is not None and state.current.ended_at is None,
        current=_pass_info(state.current),
        completed=_pass_info(state.completed),
        findings_count=sum(state.findings.values()),
        findings=[_finding_info(finding) for finding in page],
        next=page[-1].blob_id.hex() if len(found) > limit else None,
    )


def _pass_info(told: ScrubPass | None) -> ScrubPassInfo | None:
    if told is None:
        return None
    return ScrubPassInfo(
        began_at=told.began_at,
        ended_at=told.ended_at,
        dry_run=told.dry_run,
        blobs=told.blobs,
        bytes=told.bytes,
        all_blobs=told.all_blobs,
        all_bytes=told.all_bytes,
        corrupt=told.corrupt,
        missing=told.missing,
        unreadable=told.unreadable,
        locked_away=told.sealed_away,
        halted=told.halted,
    )


def _finding_info(finding: Finding) -> FindingInfo:
    return FindingInfo(
        blob_id=finding.blob_id.hex(),
        damage=_DAMAGES[finding.damage],
        reason=finding.reason,
        found_at=finding.found_at,
        size=finding.size,
        quarantined=finding.quarantined,
        traced=finding.traced,
        places_count=finding.places_count,
        places=[
            FindingPlaceInfo(
                bucket=place.bucket,
                key=place.key.decode(errors="replace"),
                version_id=place.version_id,
                is_upload=place.is_upload,
            )
            for place in finding.places
        ],
    )


def _blob_id(text: str) -> bytes:
    try:
        blob_id = bytes.fromhex(text)
    except ValueError:
        blob_id = b""
    if len(blob_id) != 16:
        raise RestError(400, "InvalidBlobId", "not the id of a blob")
    return blob_id
