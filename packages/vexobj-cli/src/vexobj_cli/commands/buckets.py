"""vexobjctl bucket: list, create, publish, hide, delete."""

from typing import Annotated

import typer

from vexobj_cli.output import show_json, show_table
from vexobj_cli.session import session

app = typer.Typer(help="Buckets.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The bucket's name.")]


@app.command("list")
def list_buckets(context: typer.Context) -> None:
    """Show the buckets that the key may see."""
    with session(context).client() as client:
        buckets = client.list_buckets()
    if session(context).json:
        show_json(buckets)
    else:
        show_table(
            ("NAME", "PUBLIC", "CREATED"), ((b.name, b.public, b.created_at) for b in buckets)
        )


@app.command()
def create(
    context: typer.Context,
    name: Name,
    public: Annotated[bool, typer.Option(help="Anyone may read its objects.")] = False,
) -> None:
    """Make a bucket."""
    with session(context).client() as client:
        bucket = client.create_bucket(name, public=public)
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
