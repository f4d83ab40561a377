"""What workers and the broker say to each other: frames of JSON, files beside them.

The broker greets a connection with `hello`. A worker numbers its questions; answers carry the
number and come in any order. A question of `variant` has the source's file with it, its answer
the rendering's. `cancel` has no answer.
"""

import os
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO

from vexobj_processing import Preference, ProcessingError, Transform
from vexobj_processing.messages import (
    error_message,
    read_error,
    read_transform,
    transform_message,
)
from vexobj_server.media.errors import MediaBusy, MediaUnavailable

Message = dict[str, Any]

HELLO: Message = {"hello": 1}
_CHUNK_BYTES = 256 * 1024


class MediaFile:
    """`size` bytes from `offset` of an open file.

    It is closed by `close`, or when nobody holds this any more: a rendering goes to many.
    """

    def __init__(self, fd: int, offset: int, size: int) -> None:
        self.offset = offset
        self.size = size
        self._fd = fd

    def __del__(self) -> None:
        self.close()

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def fileno(self) -> int:
        return self._fd

    def duplicate(self) -> int:
        return os.dup(self._fd)

    def copy(self) -> "MediaFile":
        return MediaFile(self.duplicate(), self.offset, self.size)

    def read(self, start: int = 0, length: int | None = None) -> bytes:
        length = self.size - start if length is None else length
        return os.pread(self._fd, length, self.offset + start)

    def chunks(self, start: int, length: int) -> Iterator[bytes]:
        end = start + length
        for position in range(start, end, _CHUNK_BYTES):
            yield self.read(position, min(_CHUNK_BYTES, end - position))


def anonymous_file(name: str) -> BinaryIO:
    """In memory where the system can, else on a disk without a name."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create(name), "w+b")
    return tempfile.TemporaryFile()


@dataclass(frozen=True, slots=True)
class Rendering:
    """A variant's bytes, and whether they were in the broker's cache."""

    file: MediaFile
    content_type: str
    cached: bool


@dataclass(slots=True)
class BrokerStats:
    """Counters since the broker started; `queue_length` and `running` are of this moment.

    `joined` counts questions answered by the computation of another one, `failures` those of the
    image rather than of time.
    """

    computations: int = 0
    joined: int = 0
    hits: int = 0
    misses: int = 0
    rejections: int = 0
    timeouts: int = 0
    failures: int = 0
    children_started: int = 0
    queue_length: int = 0
    running: int = 0
    cache_bytes: int = 0
    cache_entries: int = 0
    cache_evictions: int = 0


def variant_question(
    number: int, key: str, transform: Transform, preference: Preference
) -> Message:
    return {"id": number, "variant": key, **transform_message(transform, preference)}


def read_variant_question(message: Message) -> tuple[str, Transform, Preference]:
    return message["variant"], *read_transform(message)


def rendering_answer(rendering: Rendering) -> Message:
    return {
        "content_type": rendering.content_type,
        "offset": rendering.file.offset,
        "size": rendering.file.size,
        "cached": rendering.cached,
    }


def failure_answer(error: ProcessingError | MediaUnavailable) -> Message:
    if isinstance(error, ProcessingError):
        return {"error": error_message(error)}
    return {"busy": error.retry_after_seconds}


def read_rendering(message: Message, fds: list[int]) -> Rendering:
    """Raises: what the broker's side raised."""
    if "error" in message:
        raise read_error(message["error"])
    if "busy" in message:
        raise MediaBusy(message["busy"])
    file = MediaFile(fds[0], message["offset"], message["size"])
    return Rendering(file, message["content_type"], message["cached"])


def stats_answer(stats: BrokerStats) -> Message:
    return {"stats": asdict(stats)}
