"""`/docs`, `/openapi.yaml`, `/openapi.json` and `/metrics`."""

import base64
import hashlib
import hmac
import re
from functools import lru_cache
from importlib.resources import files
from typing import Annotated

from fastapi import APIRouter, Header, Request, Response

from vexobj_server.rest.context import Context
from vexobj_server.rest.openapi import openapi_json, openapi_yaml
from vexobj_server.transfer.errors import invalid_key

router = APIRouter(tags=["pages"])

_INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def _text(media_type: str) -> dict[int | str, dict[str, object]]:
    return {200: {"description": "Text.", "content": {media_type: {"schema": {"type": "string"}}}}}


@router.get(
    "/openapi.yaml",
    operation_id="openapi_yaml",
    response_class=Response,
    responses=_text("application/yaml"),
)
async def contract_yaml(request: Request) -> Response:
    """This contract."""
    return Response(openapi_yaml(request.app.openapi()), media_type="application/yaml")


@router.get("/openapi.json", operation_id="openapi_json")
async def contract_json(request: Request) -> dict[str, object]:
    """This contract."""
    text = openapi_json(request.app.openapi())
    return Response(text, media_type="application/json")  # type: ignore[return-value]


@router.get(
    "/metrics", operation_id="metrics", response_class=Response, responses=_text("text/plain")
)
async def metrics(
    context: Context,
    authorization: Annotated[str | None, Header(include_in_schema=False)] = None,
    accept: Annotated[str, Header(include_in_schema=False)] = "",
) -> Response:
    """Counters and gauges for Prometheus; behind a token of its own, if one is set."""
    token = context.metrics_token
    if token is not None and not hmac.compare_digest(
        (authorization or "").encode(), f"Bearer {token}".encode()
    ):
        raise invalid_key()
    text, content_type = await context.metrics(accept)
    return Response(text, headers={"content-type": content_type})


@router.get("/docs", operation_id="docs", response_class=Response, responses=_text("text/html"))
async def docs() -> Response:
    """The contract as a page."""
    page, policy = _docs_page()
    return Response(page, media_type="text/html", headers={"content-security-policy": policy})


@lru_cache(maxsize=1)
def _docs_page() -> tuple[str, str]:
    """The page, and a policy that lets run exactly the script in it."""
    page = files("vexobj_server.rest").joinpath("docs.html").read_text(encoding="utf-8")
    script = _INLINE.search(page)
    assert script is not None
    digest = base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode()
    policy = (
        f"default-src 'none'; connect-src 'self'; script-src 'sha256-{digest}';"
        " style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return page, policy
