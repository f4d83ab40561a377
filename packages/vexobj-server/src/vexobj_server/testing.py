"""A real server for tests: `vexobj serve` in processes of its own, on a free port of 127.0.0.1."""

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

ACCESS_KEY_ID = "ROOTKEY0123456789AB"
SECRET_ACCESS_KEY = "root-secret-0123456789-0123456789"  # noqa: S105 - of servers that last seconds

_PORTS = (10_240, 32_768)
_START_SECONDS = 60
_STOP_SECONDS = 60
_POLL_SECONDS = 0.02


@dataclass(frozen=True)
class RunningServer:
    """A server that answers; `pid` is the parent of its processes and leads their group."""

    url: str
    data_dir: Path
    process: subprocess.Popen[bytes]
    log_path: Path
    access_key_id: str = ACCESS_KEY_ID
    secret_access_key: str = SECRET_ACCESS_KEY

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    def stop(self) -> int:
        """Ask it to end as an operator would; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(_STOP_SECONDS)

    def kill(self) -> None:
        """`kill -9` for every process of it at once."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.process.wait(_STOP_SECONDS)


def free_port() -> int:
    """A port that nobody listens on, and that no outgoing connection is given meanwhile."""
    while True:
        port = random.randrange(*_PORTS)  # noqa: S311 - to be unlike a neighbour's
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def start_server(
    data_dir: Path, *, workers: int = 1, environment: Mapping[str, str] | None = None
) -> RunningServer:
    """Start, and wait until it answers. Nothing of the caller's own VEXOBJ_* gets in.

    Raises: RuntimeError with the log, if it ends or does not answer.
    """
    port = free_port()
    inherited = {name: value for name, value in os.environ.items() if "VEXOBJ" not in name}
    settings = {
        "VEXOBJ_BIND": f"127.0.0.1:{port}",
        "VEXOBJ_DATA_DIR": str(data_dir),
        "VEXOBJ_SERVER_WORKERS": str(workers),
        "VEXOBJ_AUTH_ROOT_ACCESS_KEY_ID": ACCESS_KEY_ID,
        "VEXOBJ_AUTH_ROOT_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
    }
    data_dir.mkdir(parents=True, exist_ok=True)
    log_path = data_dir.parent / f"{data_dir.name}.log"
    with log_path.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "vexobj_server", "serve"],
            env={**inherited, **settings, **(environment or {})},
            cwd=data_dir.parent,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    scheme = "https" if (environment or {}).get("VEXOBJ_TLS_ENABLED") == "true" else "http"
    server = RunningServer(f"{scheme}://127.0.0.1:{port}", data_dir, process, log_path)
    try:
        _wait_until_ready(server)
    except BaseException:
        server.kill()
        raise
    return server


@contextlib.contextmanager
def running_server(
    data_dir: Path, *, workers: int = 1, environment: Mapping[str, str] | None = None
) -> Iterator[RunningServer]:
    """A server for the length of a block, stopped or at worst killed at its end."""
    server = start_server(data_dir, workers=workers, environment=environment)
    try:
        yield server
    finally:
        try:
            server.stop()
        finally:
            server.kill()


def _wait_until_ready(server: RunningServer) -> None:
    deadline = time.monotonic() + _START_SECONDS
    with httpx.Client(verify=False) as http:  # noqa: S501 - a certificate of the test's own
        while time.monotonic() < deadline:
            if server.process.poll() is not None:
                raise RuntimeError(
                    f"the server ended with {server.process.returncode}:\n{server.log}"
                )
            with contextlib.suppress(httpx.TransportError):
                if http.get(f"{server.url}/readyz").status_code == httpx.codes.OK:
                    return
            time.sleep(_POLL_SECONDS)
    raise RuntimeError(f"the server did not answer:\n{server.log}")
