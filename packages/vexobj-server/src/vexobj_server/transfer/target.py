"""Which object a native request means: both URL forms, read from the exact bytes that arrived."""

import re
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from starlette.types import Scope

from vexobj_server.transfer.errors import RestError
from vexobj_storage import InvalidKey
from vexobj_storage.names import check_key

PATH_FORMS = (b"/v1/objects/", b"/v1/stream/")
QUERY_FORM = b"/v1/object/"
_BROKEN_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")

Parameters = dict[str, str]


@dataclass(frozen=True, slots=True)
class ObjectTarget:
    """`parameters` is the rest of the query by name; the first of a repeated one counts."""

    bucket: str
    key: bytes
    parameters: Parameters


def object_target(scope: Scope) -> ObjectTarget:
    """Raises: RestError (400) for what is not percent-encoded, InvalidKey."""
    raw: bytes = scope["raw_path"]
    form = next((form for form in (*PATH_FORMS, QUERY_FORM) if raw.startswith(form)), b"")
    if not form:
        raise RestError(404, "NotFound", "not found")
    return named_object(scope, form, by_query=form == QUERY_FORM)


def named_object(scope: Scope, form: bytes, *, by_query: bool) -> ObjectTarget:
    """What follows `form` in the path: a bucket, and a key unless that stands in the query.

    Raises: RestError (400) for what is not percent-encoded, InvalidKey.
    """
    parameters = query_parameters(scope["query_string"])
    rest: bytes = scope["raw_path"][len(form) :]
    if by_query:
        bucket, key = rest, parameters.pop("key", "").encode()
    else:
        bucket, _, quoted = rest.partition(b"/")
        key = _unquote(quoted)
    if not key:
        raise InvalidKey("the key is missing")
    check_key(key)
    name = _text(_unquote(bucket))
    if "\0" in name:
        raise RestError(400, "InvalidUrl", "invalid url: it holds NUL")
    return ObjectTarget(name, key, parameters)


def query_parameters(raw: bytes) -> Parameters:
    """Raises: RestError (400)."""
    found: Parameters = {}
    for pair in raw.split(b"&") if raw else ():
        name, _, value = pair.partition(b"=")
        if name:
            decoded = _text(_unquote(name.replace(b"+", b" ")))
            found.setdefault(decoded, _text(_unquote(value.replace(b"+", b" "))))
    return found


def _unquote(raw: bytes) -> bytes:
    if b"%" not in raw:
        return raw
    if _BROKEN_ESCAPE.search(raw):
        raise RestError(400, "InvalidUrl", "invalid url: broken percent-encoding")
    return unquote_to_bytes(raw)


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise RestError(400, "InvalidUrl", "invalid url: not UTF-8") from None
