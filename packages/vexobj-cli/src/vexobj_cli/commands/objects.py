"""vexobjctl object: list, put, get, head, delete. Bytes are streamed."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated

import typer
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from vexobj_cli.output import human_size, show_json, show_table
from vexobj_cli.session import session
from vexobj_sdk import ObjectMeta

app = typer.Typer(help="Objects.", no_args_is_help=True)

Bucket = Annotated[str, typer.Argument(help="The bucket.")]
Key = Annotated[str, typer.Argument(help="The object's key.")]

_CHUNK = 256 * 1024


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
            show_json(list(objects))
        else:
            show_table(("KEY", "SIZE", "TYPE", "UPDATED"), map(_row, objects))


@app.command()
def put(
    context: typer.Context,
    bucket: Bucket,
    key: Key,
    file: Annotated[Path, typer.Argument(help="The file to store.", exists=True, dir_okay=False)],
    content_type: Annotated[str | None, typer.Option(help="Else the server guesses.")] = None,
) -> None:
    """Store a file."""
    with session(context).client() as client, file.open("rb") as source:
        size = os.fstat(source.fileno()).st_size
        with _progress(f"put {key}", size) as progress:
            meta = client.put_object(
                bucket, key, _counted(source, progress), content_type=content_type
            )
    if session(context).json:
        show_json(meta)


@app.command()
def get(
    context: typer.Context,
    bucket: Bucket,
    key: Key,
    destination: Annotated[
        Path | None, typer.Argument(help="The file to write; standard output if left out.")
    ] = None,
) -> None:
    """Fetch an object. A file appears only when it is whole."""
    with session(context).client() as client, client.get_object(bucket, key) as download:
        if destination is None:
            for chunk in download:
                sys.stdout.buffer.write(chunk)
            sys.stdout.buffer.flush()
            return
        with _whole(destination) as target, _progress(f"get {key}", download.size) as progress:
            for chunk in download:
                target.write(chunk)
                progress.advance(len(chunk))


@app.command()
def head(context: typer.Context, bucket: Bucket, key: Key) -> None:
    """Show an object's headers."""
    with session(context).client() as client:
        headers = client.head_object(bucket, key)
    if session(context).json:
        show_json(dict(headers))
    else:
        show_table(("HEADER", "VALUE"), headers.items())


@app.command()
def delete(context: typer.Context, bucket: Bucket, key: Key) -> None:
    """Remove an object."""
    with session(context).client() as client:
        client.delete_object(bucket, key)
    if not session(context).json:
        print(f"deleted {key}")


def _row(meta: ObjectMeta) -> tuple[object, ...]:
    return meta.key, human_size(meta.size), meta.content_type, meta.updated_at


class _Meter:
    def __init__(self, progress: Progress, title: str, total: int | None) -> None:
        self._progress = progress
        self._task = progress.add_task(title, total=total)

    def advance(self, count: int) -> None:
        self._progress.advance(self._task, count)


@contextmanager
def _progress(title: str, total: int | None) -> Iterator[_Meter]:
    """A bar with rate and remaining time on a terminal; nothing elsewhere."""
    columns = ("{task.description}", BarColumn(), DownloadColumn(), TransferSpeedColumn(),
               TimeRemainingColumn())  # fmt: skip
    with Progress(*columns, disable=not sys.stderr.isatty(), transient=True) as progress:
        yield _Meter(progress, title, total)


def _counted(source: IO[bytes], progress: _Meter) -> Iterator[bytes]:
    while chunk := source.read(_CHUNK):
        yield chunk
        progress.advance(len(chunk))


@contextmanager
def _whole(destination: Path) -> Iterator[IO[bytes]]:
    """A file that takes its name only when it is complete; Ctrl-C leaves nothing behind."""
    partial = tempfile.NamedTemporaryFile(  # noqa: SIM115 - closed below, kept by the rename
        dir=destination.parent, prefix=f".{destination.name}.", delete=False
    )
    try:
        with partial:
            yield partial
        Path(partial.name).replace(destination)
    except BaseException:
        Path(partial.name).unlink(missing_ok=True)
        raise
