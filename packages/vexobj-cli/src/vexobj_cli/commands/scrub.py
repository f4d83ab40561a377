"""vexobjctl scrub: whether stored bytes are as they were put, and what is not."""

from typing import Annotated

import typer

from vexobj_cli.output import human_size, show_json, show_table, visible
from vexobj_cli.session import session
from vexobj_sdk import Finding, Scrub, ScrubPass

app = typer.Typer(no_args_is_help=True, help="Check stored bytes, and see what is damaged.")

_PAGE = 1000


@app.command()
def status(context: typer.Context) -> None:
    """Show how far scrub is, when it read everything last, and how much it has found."""
    with session(context).client() as client:
        found = client.get_scrub(limit=1)
    _show(context, found)


@app.command()
def start(
    context: typer.Context,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Put nothing in quarantine, only tell.")
    ] = False,
    accept_losses: Annotated[
        bool,
        typer.Option(
            "--accept-losses",
            help="Believe that blobs are gone, however many are missing together.",
        ),
    ] = False,
) -> None:
    """Have all stored bytes read, in the background; a pass under way goes on."""
    with session(context).client() as client:
        found = client.start_scrub(dry_run=dry_run, accept_losses=accept_losses)
    _show(context, found)


@app.command()
def findings(context: typer.Context) -> None:
    """List what is damaged and the objects that have it; exit code 1 if there is anything."""
    found: list[Finding] = []
    with session(context).client() as client:
        page = client.get_scrub(limit=_PAGE)
        found += page.findings
        while page.next is not None:
            page = client.get_scrub(after=page.next, limit=_PAGE)
            found += page.findings
    if session(context).json:
        show_json(found)
    else:
        show_table(
            ("BLOB", "DAMAGE", "SIZE", "BUCKET", "KEY", "VERSION"),
            (row for finding in found for row in _rows(finding)),
        )
    if found:
        raise typer.Exit(1)


@app.command()
def release(
    context: typer.Context, blob_id: Annotated[str, typer.Argument(help="As findings has it.")]
) -> None:
    """Have a blob read again: one that is whole by now leaves the quarantine."""
    with session(context).client() as client:
        released = client.release_finding(blob_id)
    if session(context).json:
        show_json({"blob_id": blob_id, "released": released})
    else:
        print("it is whole, and read as before" if released else "it is still damaged")
    if not released:
        raise typer.Exit(1)


def _rows(finding: Finding) -> list[tuple[str, ...]]:
    said = (finding.blob_id, finding.damage, human_size(finding.size))
    rows: list[tuple[str, ...]] = [
        (*said, place.bucket or "", place.key, place.version_id) for place in finding.places
    ]
    return rows or [(*said, "", "" if finding.traced else "(not looked for yet)", "")]


def _show(context: typer.Context, found: Scrub) -> None:
    if session(context).json:
        show_json(found)
        return
    if found.current is None:
        print("nothing was ever scrubbed")
    else:
        print(_told(found.current))
    if found.completed is not None and found.completed.ended_at is not None:
        ended = found.completed.ended_at.astimezone().strftime("%Y-%m-%d %H:%M:%S")
        print(f"all was read last up to {ended}")
    print(f"{found.findings_count} findings stand")


def _told(each: ScrubPass) -> str:
    state = "done" if each.ended_at is not None else "under way"
    if each.halted is not None:
        state = f"halted: {visible(each.halted)}"
    kind = "a dry run" if each.dry_run else "a pass"
    damaged = f"{each.corrupt} corrupt, {each.missing} missing, {each.unreadable} unreadable"
    return (
        f"{kind}, {state}\n{each.blobs} of {each.all_blobs} blobs, {human_size(each.bytes)} of"
        f" {human_size(each.all_bytes)}: {damaged}, {each.locked_away} without their key"
    )
