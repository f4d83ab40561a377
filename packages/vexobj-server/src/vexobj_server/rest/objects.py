"""Object bytes in the contract: declared here, served by the raw endpoints of `transfer`."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Query, Security
from pydantic import BaseModel, Field

from vexobj_server.rest.context import PathKey, api_key
from vexobj_server.rest.problems import problems
from vexobj_server.rest.raw import RawRoute, served_by
from vexobj_server.transfer.download import download
from vexobj_server.transfer.meta import ObjectMeta
from vexobj_server.transfer.removal import remove
from vexobj_server.transfer.upload import upload

router = APIRouter(prefix="/v1", route_class=RawRoute, tags=["objects"])

PATH_FORM = "/objects/{bucket}/{key:path}"
STREAM_FORM = "/stream/{bucket}/{key:path}"
QUERY_FORM = "/object/{bucket}"

_BYTES = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
_READ: dict[str, Any] = {
    "response_model": None,
    "responses": {
        200: {"description": "The whole object, or a variant of it.", "content": _BYTES},
        206: {"description": "The range asked for.", "content": _BYTES},
        304: {"description": "Nothing new."},
        **problems(400, 401, 403, 404, 412, 416, 422, 503),
    },
    # Objects of a public bucket, and those with a public ACL, need no key.
    "openapi_extra": {"security": [{"apiKey": []}, {}]},
}
_WRITE: dict[str, Any] = {
    "status_code": 201,
    "response_model": ObjectMeta,
    "responses": problems(400, 401, 403, 404, 408, 409, 412, 413, 507),
    "dependencies": [Security(api_key)],
    "openapi_extra": {"requestBody": {"required": True, "content": _BYTES}},
}
_REMOVE: dict[str, Any] = {
    "status_code": 204,
    "responses": problems(400, 401, 403, 404, 409),
    "dependencies": [Security(api_key)],
}


class _Version(BaseModel):
    version_id: str | None = Field(None, description="One version rather than the latest.")


class _Removal(_Version):
    bypass_governance: bool = Field(
        False, description="Pass over a retention in governance mode; for admin keys."
    )


class _Read(_Version):
    w: int | None = Field(None, ge=1, description="Width in pixels (images).")
    h: int | None = Field(None, ge=1, description="Height in pixels (images).")
    format: Literal["auto", "jpeg", "jpg", "png", "webp", "avif", "gif"] | None = Field(
        None, description="Of a variant; `auto` chooses by Accept (images)."
    )
    quality: int | None = Field(None, ge=1, le=100)
    fit: Literal["cover", "contain", "fill"] | None = None


class _ByKey(BaseModel):
    key: str = Field(description="The key, for clients that would tidy up a path.")


class _ReadByKey(_Read, _ByKey): ...


class _RemovalByKey(_Removal, _ByKey): ...


class _ReadHeaders(BaseModel):
    range: str | None = None
    if_match: str | None = None
    if_none_match: str | None = None
    if_modified_since: str | None = None
    if_unmodified_since: str | None = None


class _WriteHeaders(BaseModel):
    content_md5: str | None = None
    x_vexobj_sha256: str | None = Field(None, description="Hex; refused if it does not match.")
    if_match: str | None = None
    if_none_match: Literal["*"] | None = None
    cache_control: str | None = None
    content_disposition: str | None = None
    content_encoding: str | None = None
    content_language: str | None = None


_Reading = Annotated[_ReadHeaders, Header()]
_Writing = Annotated[_WriteHeaders, Header()]


@router.get(PATH_FORM, operation_id="get_object", **_READ)
@served_by(download)
async def get_object(
    bucket: str, key: PathKey, query: Annotated[_Read, Query()], headers: _Reading
) -> None:
    """The object's bytes, a range of them, or an image derived from them."""


@router.head(PATH_FORM, operation_id="head_object", **_READ)
@served_by(download)
async def head_object(
    bucket: str, key: PathKey, query: Annotated[_Read, Query()], headers: _Reading
) -> None:
    """The headers that a GET would have."""


@router.put(PATH_FORM, operation_id="put_object", **_WRITE)
@served_by(upload)
async def put_object(bucket: str, key: PathKey, headers: _Writing) -> None:
    """Store the request's body. `x-amz-meta-*` headers are kept as metadata.

    Without a Content-Type the type is guessed from the key.
    """


@router.delete(PATH_FORM, operation_id="delete_object", **_REMOVE)
@served_by(remove)
async def delete_object(bucket: str, key: PathKey, query: Annotated[_Removal, Query()]) -> None:
    """Delete the object, or one version of it. A locked one stays: 409."""


@router.get(QUERY_FORM, operation_id="get_object_by_key", **_READ)
@served_by(download)
async def get_object_by_key(
    bucket: str, query: Annotated[_ReadByKey, Query()], headers: _Reading
) -> None:
    """As get_object, with the key in the query."""


@router.head(QUERY_FORM, operation_id="head_object_by_key", **_READ)
@served_by(download)
async def head_object_by_key(
    bucket: str, query: Annotated[_ReadByKey, Query()], headers: _Reading
) -> None:
    """As head_object, with the key in the query."""


@router.put(QUERY_FORM, operation_id="put_object_by_key", **_WRITE)
@served_by(upload)
async def put_object_by_key(
    bucket: str, query: Annotated[_ByKey, Query()], headers: _Writing
) -> None:
    """As put_object, with the key in the query."""


@router.delete(QUERY_FORM, operation_id="delete_object_by_key", **_REMOVE)
@served_by(remove)
async def delete_object_by_key(bucket: str, query: Annotated[_RemovalByKey, Query()]) -> None:
    """As delete_object, with the key in the query."""


@router.get(STREAM_FORM, operation_id="stream_download", **_READ)
@served_by(download)
async def stream_download(
    bucket: str, key: PathKey, query: Annotated[_Read, Query()], headers: _Reading
) -> None:
    """The same as get_object: every download streams."""


@router.put(STREAM_FORM, operation_id="stream_upload", **_WRITE)
@served_by(upload)
async def stream_upload(bucket: str, key: PathKey, headers: _Writing) -> None:
    """The same as put_object: every upload streams."""
