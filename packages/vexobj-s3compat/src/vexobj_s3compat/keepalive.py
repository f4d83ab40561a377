"""Answers that take long: whitespace before the XML keeps the client's read timeout away.

AWS does so for CompleteMultipartUpload, CopyObject and UploadPartCopy: once a 200 has begun, an
error can only stand in its body, and clients look there.
"""

import asyncio
from collections.abc import Callable, Coroutine

from vexobj_s3compat.asgi import RawHeaders, Send
from vexobj_s3compat.respond import Response
from vexobj_s3compat.xml import DECLARATION

_DECLARATION = DECLARATION.encode()


async def respond_slowly(
    send: Send,
    pending: asyncio.Task[Response],
    *,
    headers: RawHeaders,
    interval_seconds: float,
    word_error: Callable[[BaseException], bytes],
) -> None:
    """Begin a 200, send whitespace until `pending` is done, then its document or its error.

    The headers of the pending response are lost: they would have stood before the body.
    """
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": _DECLARATION, "more_body": True})
    while not (await asyncio.wait({pending}, timeout=interval_seconds))[0]:
        await send({"type": "http.response.body", "body": b" ", "more_body": True})
    error = pending.exception()
    body = pending.result().payload if error is None else word_error(error)
    assert isinstance(body, bytes)
    await send({"type": "http.response.body", "body": body.removeprefix(_DECLARATION)})


async def settle(
    answer: Coroutine[None, None, Response], wait_seconds: float
) -> Response | asyncio.Task[Response]:
    """The response if it comes in time (or its error, raised), else the task that makes it."""
    task = asyncio.create_task(answer)
    done, _ = await asyncio.wait({task}, timeout=wait_seconds)
    return task.result() if done else task
