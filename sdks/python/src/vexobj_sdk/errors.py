"""What can go wrong, as classes.

VexObjError
├── Unauthorized (401)    Forbidden (403)    NotFound (404)    Conflict (409, 412)
├── InvalidRequest (every other 4xx)
├── ServerError (5xx)     Throttled (429, 503)
├── UnexpectedAnswer      an answer that is not VexObj's
└── ConnectionFailed      no answer, or one that broke off
"""

from http import HTTPStatus

import httpx


class VexObjError(Exception):
    """Something that did not succeed.

    The message is for people. `status`, `code`, `reason` and `request_id` are the answer's, as
    far as it had them: the answer to `head_object` has no code.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str = "unknown",
        reason: str | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.reason = reason
        self.request_id = request_id


class Unauthorized(VexObjError):
    """The key is missing, unknown, expired or revoked."""


class Forbidden(VexObjError):
    """The key may not do this, or not there."""


class NotFound(VexObjError):
    """There is no such bucket, object, version or key."""


class Conflict(VexObjError):
    """The name is taken, the bucket is not empty, or a condition did not hold."""


class InvalidRequest(VexObjError):
    """Something in the request is not as the server wants it; the message says what."""


class Throttled(VexObjError):
    """The server is busy: try again after `retry_after_seconds`."""

    retry_after_seconds: float = 1.0


class ServerError(VexObjError):
    """The server failed; its log has the `request_id`."""


class UnexpectedAnswer(VexObjError):
    """The answer is not VexObj's: perhaps something else answers at this address."""


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
    message, code, reason = (
        f"the server answered {status} {response.reason_phrase}",
        "unknown",
        None,
    )
    try:
        body = response.json()
        message, code, reason = str(body["error"]), str(body.get("code", code)), body.get("reason")
    except (ValueError, KeyError, TypeError, AttributeError):
        pass  # Not the server's own form: a proxy's, or the bodiless answer to a HEAD.
    error = _kind(status)(
        message if reason is None else f"{message}: {reason}",
        status=status,
        code=code,
        reason=reason,
        request_id=response.headers.get("x-request-id"),
    )
    if isinstance(error, Throttled):
        retry_after = response.headers.get("retry-after", "")
        error.retry_after_seconds = float(retry_after) if retry_after.isdecimal() else 1.0
    return error


def broke_off(what: str, error: httpx.RequestError) -> ConnectionFailed:
    return ConnectionFailed(f"{what} broke off: {_sentence(error)}")


def no_answer(address: object, error: httpx.RequestError) -> ConnectionFailed:
    return ConnectionFailed(f"no answer from {address}: {_sentence(error)}")


def _sentence(error: httpx.RequestError) -> str:
    return str(error) or type(error).__name__


def _kind(status: int) -> type[VexObjError]:
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return ServerError
    return InvalidRequest if status >= HTTPStatus.BAD_REQUEST else UnexpectedAnswer
