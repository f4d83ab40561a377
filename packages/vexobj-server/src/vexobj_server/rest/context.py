"""What a handler of the native API is given: the server's services and a proven caller."""

from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.openapi.models import HTTPBearer as HTTPBearerModel
from fastapi.security.base import SecurityBase

from vexobj_auth import Principal
from vexobj_server.services.context import Services
from vexobj_server.transfer.callers import proven_caller


async def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


Context = Annotated[Services, Depends(_services)]


class _ApiKey(SecurityBase):
    """Declares the scheme in the contract and proves the caller."""

    def __init__(self) -> None:
        self.model = HTTPBearerModel(description="The secret of an API key: `Bearer vex_...`.")
        self.scheme_name = "apiKey"

    async def __call__(self, request: Request) -> Principal:
        services: Services = request.app.state.services
        return await proven_caller(services.identities, request.headers.get("authorization"))


api_key = _ApiKey()
Caller = Annotated[Principal, Security(api_key)]
