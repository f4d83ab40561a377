"""The native API as one ASGI app: object bytes go straight to their endpoints, JSON to FastAPI."""

import logging

from fastapi import FastAPI

from vexobj_server.asgi import Exchange, Receive, Scope, header
from vexobj_server.rest import objects
from vexobj_server.rest.document import bounded
from vexobj_server.rest.raw import RawEndpoint, RawRoute
from vexobj_server.services.context import Services
from vexobj_server.transfer.answer import send_error
from vexobj_server.transfer.errors import RestError, request_id_of, translate
from vexobj_server.transfer.target import PATH_FORMS, QUERY_FORM
from vexobj_storage import recording

_PRIVATE = ("/v1/admin/", "/v1/stats")
_ANY_ORIGIN = (b"access-control-allow-origin", b"*")
_PREFLIGHT = [
    _ANY_ORIGIN,
    (b"access-control-allow-methods", b"GET, HEAD, PUT, POST, PATCH, DELETE"),
    (b"access-control-allow-headers", b"*, authorization"),
    (b"access-control-max-age", b"3600"),
    (b"content-length", b"0"),
]

_log = logging.getLogger(__name__)


class NativeApp:
    """Requests that FastAPI would route to a raw endpoint get there without it."""

    def __init__(self, rest: FastAPI, services: Services) -> None:
        rest.state.services = services
        self._rest = rest
        self._services = services
        self._raw = {
            (route.path.partition("{")[0].encode(), method): route.raw_endpoint
            for route in objects.router.routes
            if isinstance(route, RawRoute)
            for method in route.methods or ()
        }

    def raw_endpoint(self, method: str, raw_path: bytes) -> RawEndpoint | None:
        """The endpoint of a request for an object's bytes, None for everything else."""
        for form in PATH_FORMS:
            if raw_path.startswith(form):
                _, slash, key = raw_path[len(form) :].partition(b"/")
                return self._raw.get((form, method)) if slash and key else None
        if raw_path.startswith(QUERY_FORM):
            return self._raw.get((QUERY_FORM, method))
        return None

    async def __call__(self, scope: Scope, receive: Receive, send: Exchange) -> None:
        if header(scope, b"origin") is not None and not scope["path"].startswith(_PRIVATE):
            if scope["method"] == "OPTIONS":
                await send({"type": "http.response.start", "status": 204, "headers": _PREFLIGHT})
                await send({"type": "http.response.body", "body": b""})
                return
            send.added.append(_ANY_ORIGIN)
        endpoint = self.raw_endpoint(scope["method"], scope["raw_path"])
        try:
            if endpoint is None:
                await self._document(scope, receive, send)
            else:
                send.native = False
                scope["state"]["operation"] = endpoint.__name__
                await endpoint(self._services, scope, receive, send)
        except Exception as error:
            begun = bool(send.status)
            await _tell(error, scope, receive, send)
            if begun and endpoint is not None:
                raise  # bytes were under way: only a broken connection tells the truth

    async def _document(self, scope: Scope, receive: Receive, send: Exchange) -> None:
        if b"%00" in scope["raw_path"] or b"%00" in scope["query_string"]:
            raise RestError(400, "InvalidUrl", "invalid url: it holds NUL")
        ready = await bounded(scope, receive, self._services.upload_timeout_seconds)
        with recording(None):
            await self._rest(scope, ready, send)


async def _tell(error: Exception, scope: Scope, receive: Receive, send: Exchange) -> None:
    """Log what is our fault, and answer where no answer has begun.

    A function of its own, because a frame that the error has passed must not hold it: the two
    would keep each other, and `receive`, until garbage is collected, and so long would a connection
    stay open whose body was given up.
    """
    answer = translate(error)
    if answer.status >= 500:
        _log.exception("request failed", extra={"request_id": request_id_of(scope)})
    if not send.status:
        await send_error(scope, receive, send, answer)
