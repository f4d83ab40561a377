"""vexobjctl version: list, purge. What a key was before."""

import typer

from vexobj_cli.commands.objects import Bucket, BypassGovernance, Key
from vexobj_cli.output import human_size, show_json, show_table, visible
from vexobj_cli.session import session
from vexobj_sdk import ObjectVersion

app = typer.Typer(help="Versions of objects.", no_args_is_help=True)


@app.command("list")
def list_versions(context: typer.Context, bucket: Bucket, key: Key) -> None:
    """Show the versions and delete markers of an object, newest first."""
    with session(context).client() as client:
        versions = client.iterate_versions(bucket, key)
        if session(context).json:
            show_json(versions)
        else:
            show_table(("VERSION", "SIZE", "WRITTEN", ""), map(_row, versions))


@app.command()
def purge(
    context: typer.Context, bucket: Bucket, key: Key, bypass_governance: BypassGovernance = False
) -> None:
    """Remove an object with all its versions; none of them when one is locked."""
    with session(context).client() as client:
        done = client.purge_versions(bucket, key, bypass_governance=bypass_governance or None)
    if session(context).json:
        show_json(done)
    else:
        freed = human_size(done.bytes_removed)
        print(f"purged {visible(key)}: {done.versions_removed} versions, {freed}")


def _row(version: ObjectVersion) -> tuple[object, ...]:
    what = "delete marker" if version.is_delete_marker else "current" if version.is_latest else ""
    size = "" if version.is_delete_marker else human_size(version.size)
    return version.version_id, size, version.created_at, what
