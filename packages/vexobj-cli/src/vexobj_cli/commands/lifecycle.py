"""vexobjctl lifecycle and clock: what expires, and by whose time."""

from datetime import datetime
from typing import Annotated

import typer

from vexobj_cli.output import human_size, show_json, show_table
from vexobj_cli.session import session
from vexobj_sdk import ClockInfo, LifecycleRule, NewLifecycleRule

app = typer.Typer(help="What expires by itself.", no_args_is_help=True)
clock_app = typer.Typer(help="Whether the server believes its clock.", no_args_is_help=True)

Bucket = Annotated[str, typer.Argument(help="The bucket's name.")]


@app.command("list")
def list_rules(context: typer.Context, bucket: Bucket) -> None:
    """Show the rules of a bucket."""
    with session(context).client() as client:
        rules = client.list_lifecycle_rules(bucket)
    if session(context).json:
        show_json(rules)
    else:
        show_table(("ID", "ENABLED", "OBJECTS", "THEN"), map(_row, rules))


@app.command()
def create(
    context: typer.Context,
    bucket: Bucket,
    prefix: Annotated[str, typer.Option(help="Only keys that begin so.")] = "",
    expire_days: Annotated[int | None, typer.Option(help="Objects expire at this age.")] = None,
    noncurrent_days: Annotated[
        int | None, typer.Option(help="Noncurrent versions go after so long.")
    ] = None,
    keep_noncurrent: Annotated[
        int | None, typer.Option(help="So many of the newest noncurrent versions stay.")
    ] = None,
    expire_delete_markers: Annotated[
        bool, typer.Option("--expire-delete-markers", help="Those that hide nothing go.")
    ] = False,
    abort_upload_days: Annotated[
        int | None, typer.Option(help="Unfinished uploads are aborted at this age.")
    ] = None,
) -> None:
    """Add a rule to a bucket. Tags, sizes and dates are set by the API."""
    rule = NewLifecycleRule(
        prefix=prefix,
        expire_days=expire_days,
        noncurrent_days=noncurrent_days,
        keep_noncurrent=keep_noncurrent,
        expire_delete_markers=expire_delete_markers,
        abort_upload_days=abort_upload_days,
    )
    with session(context).client() as client:
        made = client.create_lifecycle_rule(bucket, rule=rule)
    if session(context).json:
        show_json(made)
    else:
        print(f"created {made.id}")


@app.command()
def delete(
    context: typer.Context,
    rule_id: Annotated[str, typer.Argument(help="The rule's id.")],
    bucket: Annotated[
        str | None, typer.Option(help="Its bucket, where several have a rule of this id.")
    ] = None,
) -> None:
    """Remove a rule."""
    with session(context).client() as client:
        client.delete_lifecycle_rule(rule_id, bucket=bucket)
    if not session(context).json:
        print(f"deleted {rule_id}")


@app.command()
def run(context: typer.Context) -> None:
    """Do now what is due; exit code 1 if the server's clock keeps it from that."""
    with session(context).client() as client:
        done = client.run_lifecycle()
    if session(context).json:
        show_json(done)
    elif done.held:
        print("nothing was done: the server does not believe its clock (vexobjctl clock show)")
    else:
        print(
            f"{done.objects_expired} objects expired; {done.versions_removed} noncurrent versions,"
            f" {done.markers_removed} delete markers and {done.uploads_aborted} uploads went"
            f" ({human_size(done.bytes_freed)}); {done.locked} are locked"
        )
    if done.held:
        raise typer.Exit(1)


@clock_app.command()
def show(context: typer.Context) -> None:
    """Tell what time it is by the server; exit code 1 if it does not believe its clock."""
    with session(context).client() as client:
        clock = client.get_clock()
    _tell(context, clock)
    if clock.held:
        raise typer.Exit(1)


@clock_app.command()
def accept(context: typer.Context) -> None:
    """Declare the server's clock right: what is over by it expires from now on."""
    with session(context).client() as client:
        clock = client.accept_clock()
    _tell(context, clock)


def _tell(context: typer.Context, clock: ClockInfo) -> None:
    if session(context).json:
        show_json(clock)
    elif clock.held:
        wall, believed = _local(clock.wall_at), _local(clock.believed_at)
        print(f"the clock says {wall}, which cannot be: nothing expires after {believed}")
    else:
        print(f"the clock says {_local(clock.wall_at)}, and is believed")


def _local(moment: datetime) -> str:
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _row(rule: LifecycleRule) -> tuple[object, ...]:
    conditions = [
        f"{rule.prefix}*",
        *(f"{name}={value}" for name, value in rule.tags.items()),
        *([f"> {rule.size_greater_than} bytes"] if rule.size_greater_than is not None else ()),
        *([f"< {rule.size_less_than} bytes"] if rule.size_less_than is not None else ()),
    ]
    actions = {
        "expire after {} days": rule.expire_days,
        "expire at {}": rule.expire_at and rule.expire_at.date(),
        "remove delete markers that hide nothing": rule.expire_delete_markers or None,
        "remove noncurrent versions after {} days": rule.noncurrent_days,
        "keep the {} newest of these": rule.keep_noncurrent,
        "abort uploads after {} days": rule.abort_upload_days,
    }
    happens = [words.format(value) for words, value in actions.items() if value is not None]
    return (rule.id, rule.enabled, ", ".join(conditions), ", ".join(happens))
