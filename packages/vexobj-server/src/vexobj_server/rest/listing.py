"""`GET /v1/objects/{bucket}`: a page of a bucket's objects."""

import base64
import binascii
from typing import Annotated

from fastapi import APIRouter, Query

from vexobj_auth import Action
from vexobj_server.rest.context import Caller, Context
from vexobj_server.rest.models import ObjectList
from vexobj_server.rest.problems import problems
from vexobj_server.transfer.errors import RestError
from vexobj_server.transfer.meta import listed_meta

router = APIRouter(prefix="/v1/objects", tags=["objects"])

_OPAQUE = "v1."
_KEY_LIMIT = 1024


@router.get("/{bucket}", operation_id="list_objects", responses=problems(400, 401, 403, 404))
async def list_objects(
    bucket: str,
    context: Context,
    caller: Caller,
    prefix: Annotated[str, Query(max_length=_KEY_LIMIT)] = "",
    delimiter: Annotated[str, Query(max_length=_KEY_LIMIT)] = "",
    max_keys: Annotated[int, Query(ge=1, description="At most 1000 are told.")] = 1000,
    continuation_token: Annotated[
        str | None, Query(description="From the page before, or a key to begin after.")
    ] = None,
) -> ObjectList:
    """In the byte order of keys; with a delimiter, what shares a prefix up to it is one entry."""
    found = await context.store.bucket(bucket)
    context.access.require(caller, Action.LIST_OBJECTS, found)
    page = await context.store.list_object_details(
        found,
        prefix=prefix.encode(),
        delimiter=delimiter.encode(),
        after=read_token(continuation_token),
        limit=min(max_keys, 1000),
    )
    return ObjectList(
        objects=[listed_meta(found, listed) for listed in page.objects],
        common_prefixes=[each.decode() for each in page.common_prefixes],
        is_truncated=page.next_after is not None,
        next_continuation_token=None if page.next_after is None else write_token(page.next_after),
    )


def write_token(after: bytes) -> str:
    return _OPAQUE + base64.urlsafe_b64encode(after).decode().rstrip("=")


def read_token(token: str | None) -> bytes:
    """A token of ours, or a plain key. Raises: RestError (400)."""
    if not token:
        return b""
    if not token.startswith(_OPAQUE):
        return token.encode()
    text = token.removeprefix(_OPAQUE)
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise RestError(400, "InvalidContinuationToken", "invalid continuation token") from None
