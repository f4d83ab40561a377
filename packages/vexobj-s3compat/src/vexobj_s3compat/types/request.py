"""A call of an operation: who asks, and what for."""

from collections.abc import Mapping, Sequence
from typing import Any, Generic, Literal, TypeVar

from vexobj_s3compat.types._value import value

I_co = TypeVar("I_co", covariant=True)

Headers = Mapping[str, str]
"""Lower-case names; a repeated header joined with commas."""


@value
class Caller:
    """Who signed the request. `principal` is whatever the credential store put into it.

    An anonymous caller has neither. `method` says how the caller proved itself.
    """

    access_key_id: str | None = None
    principal: Any = None
    method: Literal["anonymous", "header", "query", "bearer", "form"] = "anonymous"


ANONYMOUS = Caller()


@value
class Request(Generic[I_co]):
    """One call of an operation. `query` holds decoded pairs in order, transforms included."""

    operation: str
    input: I_co
    caller: Caller
    request_id: str
    method: str
    headers: Headers
    query: Sequence[tuple[str, str]]
    scope: Mapping[str, Any]
