"""vexobjctl quota: show, set, reset."""

from typing import Annotated

import typer

from vexobj_cli.output import human_size, show_json, show_table
from vexobj_cli.session import session
from vexobj_sdk import BucketQuota

app = typer.Typer(help="How much a bucket may hold.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The bucket's name.")]
Limit = typer.Option(min=0, help="Without it there is no such limit.")


@app.command()
def show(context: typer.Context, name: Name) -> None:
    """Show what a bucket may hold, and what it does."""
    with session(context).client() as client:
        _show(context, client.get_quota(name))


@app.command("set")
def set_quota(
    context: typer.Context,
    name: Name,
    max_bytes: Annotated[int | None, Limit] = None,
    max_objects: Annotated[int | None, Limit] = None,
) -> None:
    """Limit a bucket; one that holds more keeps it, and does not grow."""
    with session(context).client() as client:
        _show(context, client.set_quota(name, max_bytes=max_bytes, max_objects=max_objects))


@app.command()
def reset(context: typer.Context, name: Name) -> None:
    """Hold a bucket to the server's default again, if there is one."""
    with session(context).client() as client:
        _show(context, client.reset_quota(name))


def _show(context: typer.Context, quota: BucketQuota) -> None:
    if session(context).json:
        show_json(quota)
        return
    most_bytes = "any" if quota.max_bytes is None else human_size(quota.max_bytes)
    most_objects = "any" if quota.max_objects is None else quota.max_objects
    rows = (
        ("bytes", human_size(quota.used_bytes), most_bytes, quota.is_default),
        ("objects", quota.used_objects, most_objects, quota.is_default),
    )
    show_table(("OF", "USED", "ALLOWED", "DEFAULT"), rows)
