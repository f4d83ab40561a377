"""vexobjctl backup, backups: copies of the whole server to be restored from."""

from typing import Annotated

import typer

from vexobj_cli.output import human_size, show_json, show_table
from vexobj_cli.session import session
from vexobj_sdk import Backup, BackupStatus


def register(app: typer.Typer) -> None:
    app.command()(backup)
    app.command()(backups)


def backup(
    context: typer.Context,
    no_wait: Annotated[
        bool, typer.Option("--no-wait", help="Have it made, and see `backups` for its end.")
    ] = False,
) -> None:
    """Back up the whole server into its backup directory; exit code 1 if blobs are damaged."""
    with session(context).client() as client:
        if no_wait:
            client.start_backup()
            print("a backup is being made")
            return
        made = client.create_backup()
    if session(context).json:
        show_json(made)
    else:
        copied = f"{made.blobs_copied} of {made.blobs} blobs ({human_size(made.bytes_copied)})"
        print(f"{made.path}: {human_size(made.total_size)}, {copied} were new")
        for key in made.keys:
            where = "inside it" if key.inside else "NOT in it: keep it elsewhere"
            print(f"a restore needs {key.name} {key.id}, which is {where}")
    if made.damaged:
        typer.echo(f"vexobjctl: {made.damaged} blobs could not be read", err=True)
        raise typer.Exit(1)


def backups(context: typer.Context) -> None:
    """Show the backups that can be restored; exit code 1 if the last one failed."""
    with session(context).client() as client:
        found = client.get_backups()
    if session(context).json:
        show_json(found)
    else:
        _show(found)
    if found.failure is not None:
        raise typer.Exit(1)


def _show(found: BackupStatus) -> None:
    show_table(("NAME", "FINISHED", "SIZE", "DAMAGED"), map(_row, found.backups))
    if found.running is not None:
        size, all_of_it = human_size(found.running.done_bytes), human_size(found.running.bytes)
        print(f"one is being made: {size} of {all_of_it} looked at")
    if found.failure is not None:
        failed = found.failure.failed_at.astimezone().strftime("%Y-%m-%d %H:%M:%S")
        print(f"the last one failed at {failed}: {found.failure.error}")


def _row(each: Backup) -> tuple[object, ...]:
    return each.name, each.finished_at, human_size(each.total_size), each.damaged
