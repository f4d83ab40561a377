"""What the processes of one server use, as the kernel accounts it."""

import threading
from typing import Self

import psutil


def family(pid: int) -> list[psutil.Process]:
    """A process and all that descend from it."""
    parent = psutil.Process(pid)
    return [parent, *parent.children(recursive=True)]


def resident_bytes(pid: int) -> int:
    """Resident memory of every member of the family, added up."""
    total = 0
    for process in family(pid):
        try:
            total += process.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total


def open_descriptors(pid: int) -> int:
    """Open file descriptors of the family's living members."""
    total = 0
    for process in family(pid):
        try:
            total += process.num_fds()
        except psutil.NoSuchProcess:
            continue
    return total


def cpu_seconds(pid: int) -> float:
    """User and system time of the family's living members."""
    total = 0.0
    for process in family(pid):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total


class PeakMemory:
    """Samples a family's memory while the block runs: `growth` is the peak over the start."""

    def __init__(self, pid: int, interval_seconds: float = 0.1) -> None:
        self._pid = pid
        self._interval = interval_seconds
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._sample)
        self.start_bytes = 0
        self.peak_bytes = 0

    @property
    def growth(self) -> int:
        return self.peak_bytes - self.start_bytes

    def __enter__(self) -> Self:
        self.start_bytes = self.peak_bytes = resident_bytes(self._pid)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._done.wait(self._interval):
            self.peak_bytes = max(self.peak_bytes, resident_bytes(self._pid))
