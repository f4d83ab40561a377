"""What the processes of one running server share: settings, secret and a private directory.

The parent makes the directory (0700, short path: Unix sockets have 107 bytes for theirs), workers
load it, and it is gone when the server stops.
"""

import os
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path

from vexobj_server.cpus import processors
from vexobj_server.settings import Settings, SseSettings, dump_settings, parse_settings

_SETTINGS = "settings.json"
_SECRET = "secret"  # noqa: S105 - a file name
_METRICS = "metrics"


@dataclass(frozen=True, slots=True)
class Runtime:
    """`directory` is private to the server: its sockets and metrics are there."""

    settings: Settings
    server_secret: bytes = field(repr=False)
    directory: Path

    @property
    def metrics_dir(self) -> Path:
        return self.directory / _METRICS

    @property
    def broker_socket(self) -> Path:
        return self.directory / "media.sock"


def create_runtime(settings: Settings, server_secret: bytes) -> Runtime:
    """The caller removes the directory when all the processes are gone.

    How many workers there are is settled here, once for all of them.
    """
    workers = settings.server.workers or len(processors())
    settings = replace(settings, server=replace(settings.server, workers=workers))
    directory = Path(tempfile.mkdtemp(prefix="vexobj-"))
    runtime = Runtime(settings, server_secret, directory)
    runtime.metrics_dir.mkdir(mode=0o700)
    write_private(directory / _SETTINGS, dump_settings(settings).encode())
    write_private(directory / _SECRET, server_secret)
    return runtime


def load_runtime(directory: Path, sse: SseSettings | None = None) -> Runtime:
    """`sse` with the master keys, which are not in the directory."""
    settings = parse_settings((directory / _SETTINGS).read_text(encoding="utf-8"))
    settings = replace(settings, sse=sse or settings.sse)
    return Runtime(settings, (directory / _SECRET).read_bytes(), directory)


def write_private(path: Path, data: bytes) -> None:
    """A new file that only its owner can read. Raises: FileExistsError."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
