"""The FastAPI app of the native API: typed JSON, the contract, one form for every error."""

import logging
from functools import lru_cache

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from vexobj_auth import AuthError
from vexobj_server.rest import (
    admin,
    audit,
    backups,
    buckets,
    lifecycle,
    listing,
    locks,
    objects,
    pages,
    quotas,
    scrub,
    status,
    usage,
    versions,
    webhooks,
)
from vexobj_server.rest.openapi import Document, NativeApi
from vexobj_server.services.access import AccessRefused
from vexobj_server.transfer.errors import (
    RestError,
    internal_error,
    request_id_of,
    translate,
)
from vexobj_storage import StorageError

_HTTP = {
    404: RestError(404, "NotFound", "not found"),
    405: RestError(405, "MethodNotAllowed", "method not allowed"),
}

_log = logging.getLogger(__name__)


def rest_app() -> NativeApi:
    """`app.state.services` has to be set before the first request."""
    app = NativeApi()
    for module in (
        buckets,
        listing,
        objects,
        versions,
        admin,
        audit,
        backups,
        lifecycle,
        locks,
        quotas,
        scrub,
        usage,
        webhooks,
        status,
        pages,
    ):
        app.include_router(module.router)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    for condition in (AccessRefused, AuthError, RestError, StorageError):
        app.add_exception_handler(condition, _condition)
    app.add_exception_handler(Exception, _unforeseen)
    return app


@lru_cache(maxsize=1)
def openapi_document() -> Document:
    """The contract that the app's routes make."""
    return rest_app().openapi()


async def _condition(request: Request, error: Exception) -> JSONResponse:
    answer = translate(error)
    if answer.status >= 500:
        _log.error("request failed", exc_info=error, extra={"request_id": _id(request)})
    return _answer(request, answer)


async def _unforeseen(request: Request, _error: Exception) -> JSONResponse:
    """The framework raises the exception again once this was sent; then it is logged."""
    return _answer(request, internal_error())


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    known = _HTTP.get(error.status_code)
    return _answer(
        request, known or RestError(error.status_code, "BadRequest", str(error.detail).lower())
    )


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    """Says where and what, and never repeats what was sent: it may be a secret."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"] if part not in {"body", "query"})
    what = f"{where}: {first['msg']}" if where else str(first["msg"])
    return _answer(request, RestError(400, "InvalidRequest", "invalid request", what))


def _answer(request: Request, error: RestError) -> JSONResponse:
    return JSONResponse(error.body(_id(request)), error.status, dict(error.headers))


def _id(request: Request) -> str:
    return request_id_of(request.scope)
