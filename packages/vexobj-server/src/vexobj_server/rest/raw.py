"""Operations that the contract declares and raw ASGI endpoints serve: object bytes."""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi.routing import APIRoute
from starlette.types import Receive, Scope, Send

from vexobj_server.services.context import Services

RawEndpoint = Callable[[Services, Scope, Receive, Send], Awaitable[None]]
Declaration = Callable[..., Awaitable[Any]]

_SERVED_BY = "served_by"


def served_by(endpoint: RawEndpoint) -> Callable[[Declaration], Declaration]:
    """Mark a declaration, whose body never runs, with the endpoint that does the work."""

    def mark(declaration: Declaration) -> Declaration:
        setattr(declaration, _SERVED_BY, endpoint)
        return declaration

    return mark


class RawRoute(APIRoute):
    """Known to OpenAPI by its declaration; whoever routes a request here gets the endpoint."""

    @property
    def raw_endpoint(self) -> RawEndpoint:
        endpoint: RawEndpoint = getattr(self.endpoint, _SERVED_BY)
        return endpoint

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.raw_endpoint(scope["app"].state.services, scope, receive, send)
