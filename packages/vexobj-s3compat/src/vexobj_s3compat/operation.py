"""What an operation is: a row of data from which the router, the app and the docs are made."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from vexobj_s3compat.call import Call
from vexobj_s3compat.respond import Response
from vexobj_s3compat.target import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """How one request is told, read, answered by the backend, and worded.

    Selected by `method` and `target`, then by `subresource` (a query name of AWS's
    list), and where several rows share these by a `header` or a query name (`selector`) that must
    be present, the more specific row winning. `parameters` are further query names
    that it understands, `required` those without which it is refused. `parse` makes the input,
    `backend` names the method of S3Backend that answers it, `shape` makes the response.
    """

    name: str
    method: str
    target: Target
    parse: Callable[[Call], Any]
    backend: str
    shape: Callable[[Call, Any, Any], Awaitable[Response]]
    subresource: str = ""
    header: str = ""
    selector: str = ""
    parameters: frozenset[str] = field(default_factory=frozenset)
    required: tuple[str, ...] = ()
    document_limit_bytes: int = 0
    """The largest XML body; 0 for an operation without one."""
    checksum_of_object: bool = False
    """An x-amz-checksum- header speaks of the object, not of this request's body."""
    streams_body: bool = False
    slow: bool = False
    """The backend may take long: the answer is begun with whitespace that keeps clients waiting."""
