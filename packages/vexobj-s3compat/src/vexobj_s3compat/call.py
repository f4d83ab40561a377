"""One S3 request as the parsers and shapers see it: decoded once, read many times."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes

from vexobj_s3compat.asgi import Scope
from vexobj_s3compat.content import Body
from vexobj_s3compat.errors import InvalidURI
from vexobj_s3compat.types import ANONYMOUS, Caller, Headers


@dataclass(slots=True)
class Call:
    """`bucket` and `key` are empty where the request addresses something larger.

    `parameters` is the query by name (the first of each). `document` is the XML body of an
    operation that has one, `body` the payload of one that streams. `encrypts` is the backend's.
    """

    scope: Scope
    request_id: str
    method: str
    region: str
    bucket: str
    key: bytes
    headers: Headers
    query: Sequence[tuple[str, str]]
    parameters: Mapping[str, str]
    caller: Caller = ANONYMOUS
    document: bytes = b""
    body: Body | None = None
    encrypts: bool = False

    @property
    def payload(self) -> Body:
        assert self.body is not None
        return self.body


def decode_headers(raw: Sequence[tuple[bytes, bytes]]) -> dict[str, str]:
    """Header values by name; bytes above ASCII as Latin-1, repeated ones joined by commas."""
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in raw}
    if len(headers) == len(raw):
        return headers
    headers.clear()
    for raw_name, raw_value in raw:
        name = raw_name.decode("latin-1")
        value = raw_value.decode("latin-1")
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    return headers


def decode_query(raw: bytes) -> list[tuple[str, str]]:
    """Decoded pairs in order; a name without `=` has the value "".

    Raises:
        InvalidURI: not UTF-8.
    """
    if not raw:
        return []
    try:
        return [
            (_unquote(name), _unquote(value))
            for name, _, value in (pair.partition(b"=") for pair in raw.split(b"&") if pair)
        ]
    except UnicodeDecodeError:
        raise InvalidURI from None


def first_values(query: Sequence[tuple[str, str]]) -> dict[str, str]:
    """The first value of each name."""
    values: dict[str, str] = {}
    for name, value in query:
        values.setdefault(name, value)
    return values


def _unquote(raw: bytes) -> str:
    if b"+" in raw:
        raw = raw.replace(b"+", b" ")
    return (unquote_to_bytes(raw) if b"%" in raw else raw).decode()


def state(scope: Scope, name: str) -> Any:
    """What an outer app left for us in the scope's state, None if nothing."""
    values = scope.get("state")
    return values.get(name) if values else None
