"""The broker as the server's parent process sees it: started, watched, started again, stopped."""

import contextlib
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from vexobj_processing.lifeline import bare_environment
from vexobj_server.media.config import BrokerConfig

_BACKLOG = 128
_FIRST_PAUSE_SECONDS = 0.05
_LONGEST_PAUSE_SECONDS = 5.0
_STOP_SECONDS = 5.0
_OF_THE_GROUP = frozenset({signal.SIGINT, signal.SIGTERM})

_log = logging.getLogger("vexobj.media")


class BrokerHandle:
    """A broker that is running, or about to again, until `stop`.

    The listening socket is the parent's and outlives a broker that dies: who connects meanwhile
    waits in its backlog.
    """

    def __init__(self, config: BrokerConfig) -> None:
        self.socket_path: Path = config.socket_path
        self._config = config
        self._listener = _listen(config.socket_path)
        self._process: subprocess.Popen[str] | None = None
        self._started = threading.Event()
        self._stopping = threading.Event()
        # All brokers are started by this thread: on Linux they die with the thread that did it.
        self._watch = threading.Thread(target=self._supervise, name="media-broker", daemon=True)
        self._watch.start()
        self._started.wait()

    @property
    def pid(self) -> int | None:
        """The running broker's; None between two."""
        process = self._process
        return process.pid if process and process.returncode is None else None

    def stop(self) -> None:
        """Returns when the broker and its children are gone. Idempotent."""
        self._stopping.set()
        process = self._process
        if process:
            _tell_to_end(process)
        self._watch.join(_STOP_SECONDS)
        if self._watch.is_alive() and process:
            process.kill()
            self._watch.join()
        self._listener.close()
        self.socket_path.unlink(missing_ok=True)

    def _supervise(self) -> None:
        # What it starts inherits this, from the first instant on. See the broker's module.
        signal.pthread_sigmask(signal.SIG_BLOCK, _OF_THE_GROUP)
        pause = _FIRST_PAUSE_SECONDS
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                process = self._process = self._start()
            except OSError:
                _log.exception("the media broker cannot be started")
            else:
                self._started.set()
                if self._stopping.is_set():
                    _tell_to_end(process)
                code = process.wait()
                _tell_to_end(process)
                if self._stopping.is_set():
                    break
                _log.warning("the media broker ended with %s and is started again", code)
            self._started.set()
            if time.monotonic() - began > _LONGEST_PAUSE_SECONDS:
                pause = _FIRST_PAUSE_SECONDS
            self._stopping.wait(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)

    def _start(self) -> subprocess.Popen[str]:
        fd = self._listener.fileno()
        # -P: what lies in the working directory is not code.
        command = [sys.executable, "-P", "-m", "vexobj_server.media.broker"]
        process = subprocess.Popen(  # noqa: S603 - our own module, our own interpreter
            [*command, str(os.getpid()), str(fd)],
            stdin=subprocess.PIPE,
            pass_fds=[fd],
            env=bare_environment(),
            text=True,
        )
        assert process.stdin
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(self._config.to_json() + "\n")
            process.stdin.flush()
        return process


def _tell_to_end(process: "subprocess.Popen[str]") -> None:
    assert process.stdin
    with contextlib.suppress(BrokenPipeError):
        process.stdin.close()


def start_broker(config: BrokerConfig) -> BrokerHandle:
    """Start the broker of this server; it is reachable at once.

    Raises:
        OSError: the socket cannot be made.
    """
    return BrokerHandle(config)


def _listen(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        path.unlink(missing_ok=True)
        previous = os.umask(0o177)
        try:
            listener.bind(str(path))
        finally:
            os.umask(previous)
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener
