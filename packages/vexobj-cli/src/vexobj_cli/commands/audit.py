"""vexobjctl audit: who wrote what."""

from typing import Annotated

import typer

from vexobj_cli.output import show_json, show_table
from vexobj_cli.session import session


def audit(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")] = 50,
    action: Annotated[
        str | None, typer.Option(help="Like `object.delete`; `object.` means all that begin so.")
    ] = None,
    resource: Annotated[
        str | None, typer.Option(help="A bucket, or bucket/key, and all that is below it.")
    ] = None,
    key: Annotated[str | None, typer.Option(help="Written with this key, by id.")] = None,
    request_id: Annotated[str | None, typer.Option(help="Of one request.")] = None,
) -> None:
    """Show what was written and by whom, the newest first."""
    with session(context).client() as client:
        entries = client.list_audit_entries(
            limit=limit,
            action=action,
            resource=resource,
            access_key_id=key,
            request_id=request_id,
        )
    if session(context).json:
        show_json(entries)
        return
    show_table(
        ("WHEN", "ACTION", "RESOURCE", "KEY", "ADDRESS"),
        [
            (e.timestamp, e.action, e.resource, e.actor or "anonymous", e.ip_address)
            for e in entries
        ],
    )
