"""The files that a transfer reads or writes."""

import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def source(file: Path) -> Iterator[tuple[IO[bytes], int | None]]:
    """What is to be sent, `-` is standard input, and its size where that is known."""
    if file == Path("-"):
        yield sys.stdin.buffer, None
        return
    with file.open("rb") as opened:
        status = os.fstat(opened.fileno())
        yield opened, status.st_size if stat.S_ISREG(status.st_mode) else None


@contextmanager
def target(file: Path | None) -> Iterator[IO[bytes]]:
    """Where to put what arrives: a file appears, or is replaced, only when it is whole.

    None is standard output. Devices and pipes are written as the bytes come.
    """
    if file is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    elif file.exists() and not file.is_file():
        with file.open("wb") as opened:
            yield opened
    else:
        with _whole(file.resolve()) as opened:
            yield opened


@contextmanager
def _whole(file: Path) -> Iterator[IO[bytes]]:
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name[:64]}.")
    partial = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as opened:
            yield opened
            partial.chmod(_mode(file))
        partial.replace(file)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def _mode(file: Path) -> int:
    """As a file that is replaced had it, or as any new file gets it."""
    try:
        return stat.S_IMODE(file.stat().st_mode)
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask
