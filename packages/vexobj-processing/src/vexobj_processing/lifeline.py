"""Processes that do not outlive the one that started them, nor inherit its secrets."""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
_INHERITED = ("LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "PYTHONHOME", "PYTHONPATH", "TMPDIR")


def die_with_parent(parent_pid: int) -> None:
    """On Linux the kernel kills this process when the thread that started it ends.

    Raises:
        SystemExit: it has ended already.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent_pid:
        raise SystemExit


def bare_environment() -> dict[str, str]:
    """What an interpreter needs to find its modules; keys and passwords are left out."""
    return {name: os.environ[name] for name in _INHERITED if name in os.environ}
