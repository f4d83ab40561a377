"""What a handler of the native API is given: the server's services and a proven caller."""

from typing import Annotated

from fastapi import Depends, Path, Query, Request, Security
from fastapi.openapi.models import HTTPBearer as HTTPBearerModel
from fastapi.security.base import SecurityBase

from vexobj_auth import Principal
from vexobj_server.services.audit import NATIVE_ACTIONS, target_of
from vexobj_server.services.context import Services
from vexobj_server.transfer.callers import proven_caller
from vexobj_server.transfer.target import ObjectTarget, named_object


async def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


Context = Annotated[Services, Depends(_services)]

PathKey = Annotated[str, Path(description="Every byte counts: `//`, `..` and `+` too.")]
QueryKey = Annotated[
    str, Query(alias="key", description="The key, for clients that would tidy up a path.")
]

VersionId = Annotated[str | None, Query(description="One version rather than the latest.")]
BypassGovernance = Annotated[
    bool, Query(description="Pass over retentions in governance mode; for admin keys.")
]


def _named(request: Request, *, by_query: bool) -> ObjectTarget:
    """From the bytes that arrived: what the framework decoded may be another key's name."""
    form = request.scope["route"].path.partition("{")[0].encode()
    return named_object(request.scope, form, by_query=by_query)


def _by_path(request: Request, bucket: str, key: PathKey) -> ObjectTarget:
    del bucket, key
    return _named(request, by_query=False)


def _by_query(request: Request, bucket: str, key: QueryKey) -> ObjectTarget:
    del bucket, key
    return _named(request, by_query=True)


ByPath = Annotated[ObjectTarget, Depends(_by_path)]
ByQuery = Annotated[ObjectTarget, Depends(_by_query)]


class _ApiKey(SecurityBase):
    """Declares the scheme in the contract and proves the caller, whose writes are recorded."""

    def __init__(self) -> None:
        self.model = HTTPBearerModel(description="The secret of an API key: `Bearer vex_...`.")
        self.scheme_name = "apiKey"

    async def __call__(self, request: Request) -> Principal:
        services: Services = request.app.state.services
        authorization = request.headers.get("authorization")
        principal = await proven_caller(services.identities, authorization)
        action = NATIVE_ACTIONS.get(request.scope["route"].operation_id)
        if action is not None:
            services.audit.begin(request.scope["state"], principal, action, _target(request))
        return principal


def _target(request: Request) -> str:
    """What the URL names."""
    named = request.path_params
    key = named.get("key", request.query_params.get("key"))
    if "bucket" in named:
        return target_of(named["bucket"], None if key is None else key.encode())
    return "/".join(named.values())


api_key = _ApiKey()
Caller = Annotated[Principal, Security(api_key)]
