"""vexobjctl lock: show, set, release. What keeps an object from being removed."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer

from vexobj_cli.commands.objects import Bucket, BypassGovernance, Key, VersionId
from vexobj_cli.output import show_json, show_table, visible
from vexobj_cli.session import session
from vexobj_sdk import ObjectLock

app = typer.Typer(help="Retention and legal hold of objects.", no_args_is_help=True)


class Mode(StrEnum):
    governance = "governance"
    compliance = "compliance"


@app.command()
def show(context: typer.Context, bucket: Bucket, key: Key, version_id: VersionId = None) -> None:
    """Show what locks an object."""
    with session(context).client() as client:
        _show(context, client.get_lock(bucket, key, version_id=version_id))


@app.command("set")
def set_lock(
    context: typer.Context,
    bucket: Bucket,
    key: Key,
    retain_until: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"],
            help="Keep it until then, by UTC. Without it there is no retention.",
        ),
    ] = None,
    mode: Annotated[
        Mode | None, typer.Option(help="In compliance mode nobody can end the retention early.")
    ] = None,
    legal_hold: Annotated[
        bool, typer.Option("--legal-hold", help="Keep it until this is released.")
    ] = False,
    version_id: VersionId = None,
    bypass_governance: BypassGovernance = False,
) -> None:
    """Lock an object by exactly what is given; a retention under way can only be extended."""
    until = None if retain_until is None else retain_until.replace(tzinfo=UTC)
    with session(context).client() as client:
        lock = client.set_lock(
            bucket,
            key,
            retain_until=until,
            legal_hold=legal_hold,
            mode=None if mode is None else mode.value,
            version_id=version_id,
            bypass_governance=bypass_governance or None,
        )
    _show(context, lock)


@app.command()
def release(context: typer.Context, bucket: Bucket, key: Key, version_id: VersionId = None) -> None:
    """Lift the legal hold; a retention stays."""
    with session(context).client() as client:
        client.release_legal_hold(bucket, key, version_id=version_id)
    if not session(context).json:
        print(f"released {visible(key)}")


def _show(context: typer.Context, lock: ObjectLock) -> None:
    if session(context).json:
        show_json(lock)
    else:
        row = (lock.legal_hold, lock.retain_until or "", lock.mode or "")
        show_table(("LEGAL HOLD", "RETAINED UNTIL", "MODE"), [row])
