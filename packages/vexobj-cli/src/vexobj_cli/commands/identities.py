"""vexobjctl identity: list, create."""

from typing import Annotated

import typer

from vexobj_cli.output import show_json, show_table
from vexobj_cli.session import session

app = typer.Typer(help="Identities: who owns buckets and has keys.", no_args_is_help=True)


@app.command("list")
def list_identities(context: typer.Context) -> None:
    """Show all identities."""
    with session(context).client() as client:
        identities = client.list_identities()
    if session(context).json:
        show_json(identities)
    else:
        rows = ((i.id, i.display_name, i.email, i.created_at) for i in identities)
        show_table(("ID", "NAME", "EMAIL", "CREATED"), rows)


@app.command()
def create(
    context: typer.Context,
    display_name: Annotated[str, typer.Argument(metavar="NAME", help="Who it is.")],
    email: Annotated[str | None, typer.Option(help="Where to reach them.")] = None,
) -> None:
    """Make an identity; `key create --identity` then gives it a key."""
    with session(context).client() as client:
        made = client.create_identity(display_name, email=email)
    if session(context).json:
        show_json(made)
    else:
        print(f"created {made.id}")
