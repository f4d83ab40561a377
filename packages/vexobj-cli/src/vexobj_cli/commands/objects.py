"""vexobjctl object: list, put, get, head, delete. Bytes are streamed."""

from pathlib import Path
from typing import Annotated

import typer

from vexobj_cli.files import source, target
from vexobj_cli.output import human_size, show_json, show_table, visible
from vexobj_cli.progress import meter
from vexobj_cli.session import session
from vexobj_sdk import ObjectMeta

app = typer.Typer(help="Objects.", no_args_is_help=True)

Bucket = Annotated[str, typer.Argument(help="The bucket.")]
Key = Annotated[str, typer.Argument(help="The object's key.")]
BypassGovernance = Annotated[
    bool, typer.Option("--bypass-governance", help="Pass over a retention in governance mode.")
]
VersionId = Annotated[str | None, typer.Option(help="This version, not the current one.")]


@app.command("list")
def list_objects(
    context: typer.Context,
    bucket: Bucket,
    prefix: Annotated[str, typer.Option(help="Only keys that begin so.")] = "",
) -> None:
    """Show the objects of a bucket, however many."""
    with session(context).client() as client:
        objects = client.iterate_objects(bucket, prefix=prefix)
        if session(context).json:
            show_json(objects)
        else:
            show_table(("KEY", "SIZE", "TYPE", "UPDATED"), map(_row, objects))


@app.command()
def put(
    context: typer.Context,
    bucket: Bucket,
    key: Key,
    file: Annotated[
        Path,
        typer.Argument(help="The file to store; - is standard input.", exists=True,
                       dir_okay=False, allow_dash=True),
    ],
    content_type: Annotated[str | None, typer.Option(help="Else the server guesses.")] = None,
) -> None:  # fmt: skip
    """Store a file."""
    with (
        session(context).client() as client,
        source(file) as (opened, size),
        meter(f"put {key}", size) as progress,
    ):
        body = progress.file(opened)
        meta = client.put_object(bucket, key, body, size=size, content_type=content_type)
    if session(context).json:
        show_json(meta)
    else:
        print(f"stored {visible(key)}: {human_size(meta.size)}, {meta.content_type}")


@app.command()
def get(
    context: typer.Context,
    bucket: Bucket,
    key: Key,
    destination: Annotated[
        Path | None, typer.Argument(help="The file to write; standard output if left out.")
    ] = None,
    version_id: VersionId = None,
) -> None:
    """Fetch an object. A file appears only when it is whole."""
    with (
        session(context).client() as client,
        client.get_object(bucket, key, version_id=version_id) as download,
        target(destination) as opened,
        meter(f"get {key}", download.size) as progress,
    ):
        opened.writelines(progress.chunks(download))


@app.command()
def head(context: typer.Context, bucket: Bucket, key: Key, version_id: VersionId = None) -> None:
    """Show an object's headers."""
    with session(context).client() as client:
        headers = client.head_object(bucket, key, version_id=version_id)
    if session(context).json:
        show_json(dict(headers))
    else:
        show_table(("HEADER", "VALUE"), headers.items())


@app.command()
def delete(
    context: typer.Context,
    bucket: Bucket,
    key: Key,
    version_id: VersionId = None,
    bypass_governance: BypassGovernance = False,
) -> None:
    """Remove an object; where versions are kept, put a delete marker over it.

    Removing a marker by its version id brings the object back.
    """
    with session(context).client() as client:
        client.delete_object(
            bucket, key, version_id=version_id, bypass_governance=bypass_governance or None
        )
    if not session(context).json:
        print(f"deleted {visible(key)}")


def _row(meta: ObjectMeta) -> tuple[object, ...]:
    return meta.key, human_size(meta.size), meta.content_type, meta.updated_at
