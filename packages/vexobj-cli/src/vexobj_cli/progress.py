"""A bar with rate and remaining time while bytes are on their way."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import IO

from vexobj_cli.output import visible


class Meter:
    """Counts bytes as they pass."""

    def __init__(self, advance: Callable[[int], None]) -> None:
        self._advance = advance

    def chunks(self, source: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in source:
            yield chunk
            self._advance(len(chunk))

    def file(self, source: IO[bytes]) -> "MeteredFile":
        return MeteredFile(source, self._advance)


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
    if sys.stderr.isatty():
        with _bar(title, total) as advance:
            yield Meter(advance)
    else:
        yield Meter(lambda _: None)


@contextmanager
def _bar(title: str, total: int | None) -> Iterator[Callable[[int], None]]:
    from rich import progress
    from rich.console import Console
    from rich.markup import escape

    with progress.Progress(
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.DownloadColumn(),
        progress.TransferSpeedColumn(),
        progress.TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as bar:
        task = bar.add_task(escape(visible(title)), total=total)
        yield partial(bar.advance, task)
