"""The least that an answer can cost, for other figures to be held to: 4 KiB from bare ASGI."""

from typing import Any

_HEADERS = [(b"content-length", b"4096")]
_BODY = bytes(4096)


async def app(scope: dict[str, Any], _receive: Any, send: Any) -> None:
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        await send({"type": "http.response.body", "body": _BODY})
