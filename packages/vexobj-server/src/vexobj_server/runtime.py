"""What the processes of one running server share: settings, secret and a private directory.

The parent makes the directory (0700, short path: Unix sockets have 107 bytes for theirs), and it is
gone when the server stops. No file of it holds a setting or the secret: a killed server leaves it.
"""

import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path

from vexobj_server.cpus import processors
from vexobj_server.settings import Settings

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
    return runtime
