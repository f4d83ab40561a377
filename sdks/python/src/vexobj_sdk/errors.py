"""What can go wrong, as classes.

VexObjError
├── Unauthorized (401)    Forbidden (403)    NotFound (404)    Conflict (409)
├── InvalidRequest (400, 413, 415, 416, 422)
├── ServerError (5xx)     Throttled (429, 503)
└── ConnectionFailed      no answer, or one that broke off
"""

from http import HTTPStatus

import httpx


class VexObjError(Exception):
    """An answer that is not a success: `code` is stable, the message is for people."""

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str = "unknown",
        request_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.request_id = request_id


class Unauthorized(VexObjError):
    """The key is missing, unknown, expired or revoked."""


class Forbidden(VexObjError):
    """The key may not do this, or not there."""


class NotFound(VexObjError):
    """There is no such bucket, object or key."""


class Conflict(VexObjError):
    """The name is taken, the bucket is not empty, a condition did not hold, or a lock is on."""


class InvalidRequest(VexObjError):
    """Something in the request is not as the server wants it; the message says what."""


class Throttled(VexObjError):
    """The server is busy: try again after `retry_after_seconds`."""

    retry_after_seconds: float = 1.0


class ServerError(VexObjError):
    """The server failed; its log has the `request_id`."""


class ConnectionFailed(VexObjError):
    """There was no answer, or it broke off: what was asked may or may not have happened."""


_BY_STATUS: dict[int, type[VexObjError]] = {
    HTTPStatus.UNAUTHORIZED: Unauthorized,
    HTTPStatus.FORBIDDEN: Forbidden,
    HTTPStatus.NOT_FOUND: NotFound,
    HTTPStatus.CONFLICT: Conflict,
    HTTPStatus.PRECONDITION_FAILED: Conflict,
    HTTPStatus.TOO_MANY_REQUESTS: Throttled,
    HTTPStatus.SERVICE_UNAVAILABLE: Throttled,
}


def error_from(response: httpx.Response) -> VexObjError:
    """The error that an answer stands for; its body must have been read."""
    status = response.status_code
    message, code = f"the server answered {status} {response.reason_phrase}", "unknown"
    try:
        body = response.json()
        message, code = str(body["error"]), str(body.get("code", code))
    except (ValueError, KeyError, TypeError, AttributeError):
        pass  # Not the server's own form: a proxy's, or the bodiless answer to a HEAD.
    kind = _BY_STATUS.get(status) or (
        ServerError if status >= HTTPStatus.INTERNAL_SERVER_ERROR else InvalidRequest
    )
    error = kind(message, status=status, code=code, request_id=response.headers.get("x-request-id"))
    if isinstance(error, Throttled):
        retry_after = response.headers.get("retry-after", "")
        error.retry_after_seconds = float(retry_after) if retry_after.isdecimal() else 1.0
    return error
