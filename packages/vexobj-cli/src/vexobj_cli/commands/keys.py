"""vexobjctl key: list, create, delete."""

from typing import Annotated

import typer

from vexobj_cli.output import show_json, show_table
from vexobj_cli.session import session
from vexobj_sdk import ApiKey, Permissions

app = typer.Typer(help="API keys.", no_args_is_help=True)


@app.command("list")
def list_keys(context: typer.Context) -> None:
    """Show all keys, without their secrets."""
    with session(context).client() as client:
        keys = client.list_api_keys()
    if session(context).json:
        show_json(keys)
    else:
        show_table(("ID", "NAME", "MAY", "BUCKETS", "CREATED"), map(_row, keys))


@app.command()
def create(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="What the key is for.")],
    read: Annotated[bool, typer.Option("--read", help="May read.")] = False,
    write: Annotated[bool, typer.Option("--write", help="May write.")] = False,
    delete: Annotated[bool, typer.Option("--delete", help="May delete.")] = False,
    admin: Annotated[bool, typer.Option("--admin", help="May do everything.")] = False,
    bucket: Annotated[
        list[str] | None, typer.Option(help="Only this bucket; may be given several times.")
    ] = None,
    identity: Annotated[
        str | None, typer.Option(help="Whose key it is, by id; yours if left out.")
    ] = None,
) -> None:
    """Make a key and show its secret, this once. Without flags it may read and write."""
    flags = (read, write, delete, admin)
    permissions = Permissions(*flags) if any(flags) else None
    with session(context).client() as client:
        created = client.create_api_key(
            name, permissions=permissions, buckets=bucket or None, identity=identity
        )
    if session(context).json:
        show_json(created)
    else:
        print(f"access key id:      {created.key.id}")
        print(f"secret (= token):   {created.secret}")
        print("The secret is not shown again.")


@app.command()
def delete(
    context: typer.Context, key_id: Annotated[str, typer.Argument(help="The key's id.")]
) -> None:
    """Revoke a key, at once."""
    with session(context).client() as client:
        client.delete_api_key(key_id)
    if not session(context).json:
        print(f"deleted {key_id}")


def _row(key: ApiKey) -> tuple[object, ...]:
    granted = [
        flag for flag in ("read", "write", "delete", "admin") if getattr(key.permissions, flag)
    ]
    return (
        key.id, key.name, ", ".join(granted),
        "all" if key.buckets is None else ", ".join(key.buckets), key.created_at,
    )  # fmt: skip
