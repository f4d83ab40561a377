"""vexobjctl bucket: list, create, publish, hide, versioning, delete."""

from enum import StrEnum
from typing import Annotated

import typer

from vexobj_cli.output import show_json, show_table
from vexobj_cli.session import session

app = typer.Typer(help="Buckets.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The bucket's name.")]


class State(StrEnum):
    enabled = "enabled"
    suspended = "suspended"


@app.command("list")
def list_buckets(context: typer.Context) -> None:
    """Show the buckets that the key may see."""
    with session(context).client() as client:
        buckets = client.list_buckets()
    if session(context).json:
        show_json(buckets)
    else:
        show_table(
            ("NAME", "PUBLIC", "VERSIONING", "CREATED"),
            ((b.name, b.public, b.versioning, b.created_at) for b in buckets),
        )


@app.command()
def create(
    context: typer.Context,
    name: Name,
    public: Annotated[bool, typer.Option(help="Anyone may read its objects.")] = False,
    object_lock: Annotated[
        bool, typer.Option("--object-lock", help="Keep versions, which may be locked, for good.")
    ] = False,
) -> None:
    """Make a bucket."""
    with session(context).client() as client:
        bucket = client.create_bucket(name, public=public, object_lock=object_lock)
    if session(context).json:
        show_json(bucket)
    else:
        print(f"created {bucket.name}")


@app.command()
def publish(context: typer.Context, name: Name) -> None:
    """Let anyone read the bucket's objects."""
    _set_public(context, name, public=True)


@app.command()
def hide(context: typer.Context, name: Name) -> None:
    """Take back what `publish` allowed."""
    _set_public(context, name, public=False)


@app.command()
def versioning(
    context: typer.Context,
    name: Name,
    state: Annotated[State | None, typer.Argument(help="To be set; told if left out.")] = None,
) -> None:
    """Tell or set whether what is overwritten or deleted is kept."""
    with session(context).client() as client:
        if state is None:
            told = client.get_versioning(name)
        else:
            told = client.enable_versioning(name, suspend=state is State.suspended)
    if session(context).json:
        show_json(told)
    else:
        print(f"versioning of {name} is {told.versioning}")


@app.command()
def delete(context: typer.Context, name: Name) -> None:
    """Remove an empty bucket."""
    with session(context).client() as client:
        client.delete_bucket(name)
    if not session(context).json:
        print(f"deleted {name}")


def _set_public(context: typer.Context, name: str, *, public: bool) -> None:
    with session(context).client() as client:
        bucket = client.update_bucket(name, public=public)
    if session(context).json:
        show_json(bucket)
    else:
        print(f"{name} is {'public' if public else 'private'}")
