"""The JSON body of a request, read within bounds before the framework reads it without any."""

from starlette.types import Message, Receive, Scope

from vexobj_s3compat.incoming import Incoming
from vexobj_server.transfer.errors import RestError
from vexobj_server.transfer.headers import headers_of

LIMIT_BYTES = 1024 * 1024
_WITHOUT = frozenset({"GET", "HEAD", "OPTIONS"})


async def bounded(scope: Scope, receive: Receive, timeout_seconds: float) -> Receive:
    """A `receive` that has the whole body ready.

    Raises:
        RestError (413): it is larger than LIMIT_BYTES.
        IncompleteBody, RequestTimeout.
    """
    if scope["method"] in _WITHOUT:
        return receive
    headers = headers_of(scope)
    if "content-length" not in headers and "transfer-encoding" not in headers:
        return receive
    if int(headers.get("content-length", "0")) > LIMIT_BYTES:
        raise _too_large()
    incoming = Incoming(receive, timeout_seconds)
    body = b""
    while (chunk := await incoming.chunk()) is not None:
        body += chunk
        if len(body) > LIMIT_BYTES:
            raise _too_large()
    ready: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        return ready.pop() if ready else await receive()

    return replayed


def _too_large() -> RestError:
    return RestError(413, "TooLarge", f"the request is larger than {LIMIT_BYTES} bytes")
