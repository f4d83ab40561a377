"""Child processes that decode for us: limited in memory and time, killed and replaced at need.

A thread stuck in a decoder cannot be stopped, and a decoder that is broken into has the whole
process; a child can be killed and has nothing but one picture. A call costs 0.2 to 0.4 ms.
"""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace

from vexobj_processing.budget import Budget
from vexobj_processing.errors import JobCrashed, JobTimeout
from vexobj_processing.frames import FrameConnection, Message
from vexobj_processing.lifeline import bare_environment
from vexobj_processing.limits import DEFAULT_ENCODING, DEFAULT_LIMITS, Encoding, Limits
from vexobj_processing.messages import read_error, transform_message
from vexobj_processing.negotiate import Preference
from vexobj_processing.params import Format, Transform

# What the interpreter and the codecs need beside the estimate before a child may not grow on.
_CHILD_HEADROOM_BYTES = 160 * 1024**2
_START_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Rendered:
    """A rendered image in an anonymous file; who receives it closes `fd`."""

    fd: int
    size: int
    content_type: str
    width: int
    height: int

    def read(self) -> bytes:
        return os.pread(self.fd, self.size, 0)


class ImagePool:
    """At most `size` images at once and at most `memory_bytes` of estimated memory among them.

    Children start when first needed and are replaced after `jobs_per_child` jobs. Create it on
    the event loop that uses it, in the thread that outlives it: on Linux children die with the
    thread that started them.
    """

    def __init__(
        self,
        size: int,
        *,
        limits: Limits = DEFAULT_LIMITS,
        encoding: Encoding = DEFAULT_ENCODING,
        memory_bytes: int = 1024**3,
        child_memory_bytes: int | None = None,
        job_seconds: float = 10.0,
        jobs_per_child: int = 256,
    ) -> None:
        self.limits = replace(limits, max_memory_bytes=min(limits.max_memory_bytes, memory_bytes))
        self.encoding = encoding
        self.job_seconds = job_seconds
        self._jobs_per_child = jobs_per_child
        self._child_memory = child_memory_bytes or (
            self.limits.max_memory_bytes + _CHILD_HEADROOM_BYTES
        )
        self._slots = asyncio.Semaphore(size)
        self._budget = Budget(memory_bytes)
        self._idle: list[_Child] = []
        self._busy: set[_Child] = set()
        self.children_started = 0

    async def transform(
        self, source_fd: int, transform: Transform, preference: Preference = (Format.JPEG,)
    ) -> Rendered:
        """Render the file behind `source_fd`, which stays the caller's.

        Cancelling kills the child that is at it.

        Raises:
            UnsupportedImage, ImageUnreadable, LimitExceeded: as `images.transform`.
            JobTimeout, JobCrashed: the child was killed, or died.
        """
        async with self._slots, self._child() as child:
            message = transform_message(transform, preference)
            estimate = await self._timed(child.ask(message, os.dup(source_fd)))
            async with self._budget.reserved(estimate["memory_bytes"]):
                reply = await self._timed(child.ask({"go": True}))
            return Rendered(fd=child.take_fd(), **reply)

    async def close(self) -> None:
        for child in (*self._idle, *self._busy):
            await child.kill()
        self._idle.clear()

    def pids(self) -> list[int]:
        return [child.pid for child in (*self._idle, *self._busy)]

    @asynccontextmanager
    async def _child(self) -> "AsyncIterator[_Child]":
        child = self._idle.pop() if self._idle else await self._start()
        self._busy.add(child)
        try:
            yield child
        finally:
            self._busy.discard(child)
            child.jobs += 1
            if child.at_rest and child.jobs < self._jobs_per_child:
                self._idle.append(child)
            else:
                await child.kill()

    async def _start(self) -> "_Child":
        self.children_started += 1
        child = _Child()
        config: Message = {
            "limits": asdict(self.limits),
            "encoding": asdict(self.encoding),
            "memory_bytes": self._child_memory,
            "job_seconds": self.job_seconds,
        }
        try:
            async with asyncio.timeout(_START_SECONDS):
                await child.ask(config)
        except BaseException:
            await child.kill()
            raise
        return child

    async def _timed(self, reply: "asyncio.Future[Message]") -> Message:
        try:
            async with asyncio.timeout(self.job_seconds):
                message = await reply
        except TimeoutError:
            raise JobTimeout(self.job_seconds) from None
        if "error" in message:
            raise read_error(message["error"])
        return message


class _Child:
    """One process and the one question it may be at."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            # -P: what lies in the working directory is not code.
            self._process = subprocess.Popen(  # noqa: S603 - our own module, our own interpreter
                [
                    *(sys.executable, "-P", "-m", "vexobj_processing.child"),
                    *(str(os.getpid()), str(theirs.fileno())),
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env=bare_environment() | {"MALLOC_ARENA_MAX": "1"},
            )
        self._reply: asyncio.Future[Message] | None = None
        self._fds: list[int] = []
        self._frames = FrameConnection(ours, self._received, self._lost)
        self._mid_job = False
        self.jobs = 0

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def at_rest(self) -> bool:
        """Whether it waits for its next job; not so when one was abandoned half-way."""
        return self._frames.is_open and not self._mid_job

    def ask(self, message: Message, *fds: int) -> "asyncio.Future[Message]":
        reply: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._reply, self._mid_job = reply, True
        if not self._frames.is_open:
            self._lost()
        self._frames.send(message, fds)
        return reply

    def take_fd(self) -> int:
        return self._fds.pop()

    async def kill(self) -> None:
        self._frames.close()
        self._process.kill()
        await asyncio.get_running_loop().run_in_executor(None, self._process.wait)
        while self._fds:
            os.close(self._fds.pop())

    def _received(self, message: Message, fds: list[int]) -> None:
        self._fds += fds
        self._mid_job = "memory_bytes" in message
        reply, self._reply = self._reply, None
        if reply and not reply.done():
            reply.set_result(message)

    def _lost(self) -> None:
        reply, self._reply = self._reply, None
        if reply and not reply.done():
            reply.set_exception(JobCrashed())
