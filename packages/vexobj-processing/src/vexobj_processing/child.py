"""The process in which untrusted images are decoded: `python -m vexobj_processing.child`.

It has one socket, takes one job at a time, opens no file, and dies with its parent.
"""

import math
import os
import resource
import signal
import socket
import sys
import tempfile
import time
from pathlib import Path
from typing import BinaryIO

from vexobj_processing.errors import ProcessingError
from vexobj_processing.frames import BlockingFrames, Message
from vexobj_processing.images import Image, open_image
from vexobj_processing.lifeline import die_with_parent
from vexobj_processing.limits import Encoding, Limits
from vexobj_processing.messages import error_message, read_transform
from vexobj_processing.sources import buffered


def main() -> None:
    parent_pid, fd = (int(argument) for argument in sys.argv[1:])
    die_with_parent(parent_pid)
    # A terminal's Ctrl-C reaches the whole group; the parent decides when this process ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    frames = BlockingFrames(socket.socket(fileno=fd))
    try:
        config, _ = frames.receive()
        limits, encoding = Limits(**config["limits"]), Encoding(**config["encoding"])
        _warm()
        _limit(config["memory_bytes"])
        frames.send({"ready": True})
        while True:
            message, (source_fd,) = frames.receive()
            resource.setrlimit(resource.RLIMIT_CPU, _cpu_limit(config["job_seconds"]))
            try:
                _answer(frames, message, buffered(source_fd), limits, encoding)
            finally:
                os.close(source_fd)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return


def _answer(
    frames: BlockingFrames, message: Message, source: BinaryIO, limits: Limits, encoding: Encoding
) -> None:
    transform, preference = read_transform(message)
    try:
        with open_image(source, limits) as opened:
            plan = opened.plan(transform)
            _await_memory(frames, plan.memory_bytes)
            image = opened.render(plan, preference, encoding)
    except ProcessingError as error:
        frames.send({"error": error_message(error)})
        return
    _deliver(frames, image)


def _await_memory(frames: BlockingFrames, memory_bytes: int) -> None:
    frames.send({"memory_bytes": memory_bytes})
    try:
        frames.receive()
    except (EOFError, ConnectionResetError):
        # Not an error of the image: past everything that catches exceptions.
        raise SystemExit from None


def _deliver(frames: BlockingFrames, image: Image) -> None:
    with _anonymous_file() as output:
        output.write(image.data)
        output.flush()
        frames.send(
            {
                "content_type": image.content_type,
                "size": len(image.data),
                "width": image.width,
                "height": image.height,
            },
            [output.fileno()],
        )


def _anonymous_file() -> BinaryIO:
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("variant"), "w+b")
    return tempfile.TemporaryFile()


def _warm() -> None:
    """Load the codecs before memory is limited, and keep AVIF decoding to one thread."""
    from PIL import AvifImagePlugin, ImageCms
    from PIL import Image as Pillow

    Pillow.init()
    ImageCms.createProfile("sRGB")
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1


def _limit(memory_bytes: int) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        mapped = pages * resource.getpagesize()
        ceiling = mapped + memory_bytes
        resource.setrlimit(resource.RLIMIT_AS, (ceiling, ceiling))


def _cpu_limit(job_seconds: float) -> tuple[int, int]:
    """A net for a parent that cannot kill any more; the wall clock is the parent's."""
    return math.ceil(time.process_time() + job_seconds) + 1, resource.RLIM_INFINITY


if __name__ == "__main__":
    main()
