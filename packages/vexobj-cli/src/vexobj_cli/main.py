"""The command: its global options, and the groups below it."""

from importlib.metadata import version
from typing import Annotated

import typer

from vexobj_cli.commands import (
    audit,
    backups,
    buckets,
    identities,
    keys,
    lifecycle,
    locks,
    objects,
    quotas,
    scrub,
    server,
    versions,
    webhooks,
)
from vexobj_cli.session import Session

app = typer.Typer(
    name="vexobjctl",
    help="Talk to a VexObj server.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(buckets.app, name="bucket")
app.add_typer(objects.app, name="object")
app.add_typer(versions.app, name="version")
app.add_typer(locks.app, name="lock")
app.add_typer(keys.app, name="key")
app.add_typer(identities.app, name="identity")
app.add_typer(lifecycle.app, name="lifecycle")
app.add_typer(lifecycle.clock_app, name="clock")
app.add_typer(quotas.app, name="quota")
app.add_typer(webhooks.app, name="webhooks")
app.add_typer(scrub.app, name="scrub")
server.register(app)
backups.register(app)
app.command()(audit.audit)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"vexobjctl {version('vexobj-cli')}")
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    url: Annotated[
        str, typer.Option(envvar="VEXOBJ_URL", help="Where the server is.")
    ] = "http://localhost:8000",
    key: Annotated[
        str | None,
        typer.Option(envvar="VEXOBJ_KEY", help="The API key.", show_envvar=True),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Answer as JSON, for scripts.")] = False,
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print it.")
    ] = False,
) -> None:
    context.obj = Session(url, key or None, json)


def main() -> None:
    app()
