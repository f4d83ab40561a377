"""JSON answers and errors of the raw endpoints."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel
from starlette.types import Receive, Scope, Send

from vexobj_s3compat import respond
from vexobj_server.transfer.errors import RestError, request_id_of

_JSON = (b"content-type", b"application/json")


async def send_json(
    scope: Scope,
    receive: Receive,
    send: Send,
    status: int,
    body: BaseModel | Mapping[str, Any],
    headers: Iterable[tuple[bytes, bytes]] = (),
) -> None:
    text = body.model_dump_json() if isinstance(body, BaseModel) else json.dumps(body)
    data = text.encode()
    await respond(scope, receive, send, status, [_JSON, *headers], data, len(data))


async def send_error(scope: Scope, receive: Receive, send: Send, error: RestError) -> None:
    headers = [(name.encode(), value.encode()) for name, value in error.headers.items()]
    await send_json(scope, receive, send, error.status, error.body(request_id_of(scope)), headers)
