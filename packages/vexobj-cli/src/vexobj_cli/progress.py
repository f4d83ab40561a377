"""A bar with rate and remaining time while bytes are on their way."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import IO

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from vexobj_cli.output import visible


class Meter:
    """Counts bytes as they pass."""

    def __init__(self, progress: Progress, title: str, total: int | None) -> None:
        self._progress = progress
        self._task = progress.add_task(escape(visible(title)), total=total)

    def chunks(self, source: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in source:
            yield chunk
            self._progress.advance(self._task, len(chunk))

    def file(self, source: IO[bytes]) -> "MeteredFile":
        return MeteredFile(source, lambda size: self._progress.advance(self._task, size))


class MeteredFile:
    """Reads from a file, and tells how much."""

    def __init__(self, source: IO[bytes], advance: Callable[[int], None]) -> None:
        self._source = source
        self._advance = advance

    def read(self, size: int, /) -> bytes:
        chunk = self._source.read(size)
        self._advance(len(chunk))
        return chunk


@contextmanager
def meter(title: str, total: int | None) -> Iterator[Meter]:
    """On standard error if that is a terminal; nothing elsewhere."""
    columns = ("{task.description}", BarColumn(), DownloadColumn(), TransferSpeedColumn(),
               TimeRemainingColumn())  # fmt: skip
    console = Console(stderr=True)
    with Progress(
        *columns, console=console, disable=not sys.stderr.isatty(), transient=True
    ) as progress:
        yield Meter(progress, title, total)
