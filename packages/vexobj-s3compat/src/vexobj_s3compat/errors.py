"""The S3 error table: code, HTTP status and message as AWS documents them.

S3Error is the base; each leaf is one code. Extra elements of the XML go into `fields`.
Source: AWS S3 API reference, "Error responses".
"""

from collections.abc import Mapping
from http import HTTPStatus


class S3Error(Exception):
    """An answer that is an error: `code` and `status` are the class's, the rest the instance's."""

    code = "InternalError"
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    message = "We encountered an internal error. Please try again."

    def __init__(
        self,
        message: str | None = None,
        *,
        fields: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.message = message or type(self).message
        self.fields = dict(fields or {})
        self.headers = dict(headers or {})
        super().__init__(self.message)


class NotImplementedYet(S3Error):
    code = "NotImplemented"
    status = HTTPStatus.NOT_IMPLEMENTED
    message = "A header or query you provided implies functionality that is not implemented."


class AccessDenied(S3Error):
    code = "AccessDenied"
    status = HTTPStatus.FORBIDDEN
    message = "Access Denied"


class NoSuchBucket(S3Error):
    code = "NoSuchBucket"
    status = HTTPStatus.NOT_FOUND
    message = "The specified bucket does not exist"


class NoSuchKey(S3Error):
    code = "NoSuchKey"
    status = HTTPStatus.NOT_FOUND
    message = "The specified key does not exist."
