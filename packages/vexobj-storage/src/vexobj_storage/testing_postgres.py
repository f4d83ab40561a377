"""A PostgreSQL server for a test session: private, unprivileged, on a free port, gone afterwards.

It waits for no disk unless it is asked to be durable, as tests of durability have to.
"""

import contextlib
import os
import random
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Self

_DEBIAN = Path("/usr/lib/postgresql")
_USER = "postgres"
_START_SECONDS = 60.0
_SETTINGS = ("listen_addresses=127.0.0.1", "max_connections=200")
_CARELESS = ("fsync=off", "full_page_writes=off")


def postgres_binaries() -> Path | None:
    """Where `initdb` and `postgres` are; None when this machine has none."""
    found = shutil.which("initdb")
    if found is not None and shutil.which("postgres") is not None:
        return Path(found).resolve().parent
    versions = sorted(_DEBIAN.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return versions[-1].parent if versions else None


class PostgresServer:
    """A server of its own data directory; `with PostgresServer(binaries) as server`."""

    def __init__(self, binaries: Path, *, durable: bool = False) -> None:
        self._binaries = binaries
        self._settings = _SETTINGS if durable else (*_SETTINGS, *_CARELESS)
        self._directory = Path(tempfile.mkdtemp(prefix="vexobj-postgres-"))
        self._process: subprocess.Popen[bytes] | None = None
        self.port = _free_port()

    def __enter__(self) -> Self:
        if os.geteuid() == 0:
            shutil.chown(self._directory, _USER, _USER)
        self._call("initdb", "-D", "data", "-U", _USER, "-A", "trust", "-E", "UTF8", "--no-sync")
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self._directory, ignore_errors=True)

    def start(self) -> None:
        """Run the server and wait until it answers."""
        settings = (*self._settings, f"unix_socket_directories={self._directory}")
        options = (argument for setting in settings for argument in ("-c", setting))
        with (self._directory / "log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own arguments
                self._command("postgres", "-D", "data", "-p", str(self.port), *options),
                cwd=self._directory,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + _START_SECONDS
        while self._ask("SELECT 1").returncode != 0:
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((self._directory / "log").read_text(errors="replace"))
            time.sleep(0.02)

    def stop(self) -> None:
        """End the server at once, as a crash of it would (SIGQUIT)."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait()
            self._process = None

    def url(self, database: str) -> str:
        return f"postgresql://{_USER}@127.0.0.1:{self.port}/{database}"

    def create_database(self, template: str = "template0") -> str:
        """A new database's name, its content that of `template`."""
        name = f"test_{secrets.token_hex(8)}"
        done = self._ask(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        return name

    def drop_database(self, name: str) -> None:
        self._ask(f'DROP DATABASE "{name}" WITH (FORCE)')

    def _ask(self, sql: str) -> subprocess.CompletedProcess[str]:
        arguments = ("-h", "127.0.0.1", "-p", str(self.port), "-U", _USER, "-d", "postgres")
        return subprocess.run(  # noqa: S603 - our own arguments
            self._command("psql", "-X", "-q", *arguments, "-c", sql),
            cwd=self._directory,
            capture_output=True,
            text=True,
            check=False,
        )

    def _call(self, program: str, *arguments: str) -> None:
        command = self._command(program, *arguments)
        subprocess.run(command, cwd=self._directory, check=True, capture_output=True)  # noqa: S603

    def _command(self, program: str, *arguments: str) -> list[str]:
        """PostgreSQL refuses to run as root: there it runs as Debian's user for it."""
        drop = ("setpriv", f"--reuid={_USER}", f"--regid={_USER}", "--clear-groups")
        return [
            *(drop if os.geteuid() == 0 else ()),
            str(self._binaries / program),
            *arguments,
        ]


def _free_port() -> int:
    while True:
        port = random.randrange(10_240, 32_768)  # noqa: S311 - below what outgoing connections are given
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
