"""What browsers may read: anonymous reads from anywhere, and nothing that writes."""

from collections.abc import Mapping

from vexobj_s3compat.errors import CORSForbidden, InvalidRequest
from vexobj_s3compat.respond import Response

_READS = frozenset({"GET", "HEAD"})


def preflight(headers: Mapping[str, str]) -> Response:
    """The answer to OPTIONS.

    Raises:
        InvalidRequest: it is no preflight.
        CORSForbidden: for a method that needs a bucket's own CORS rules.
    """
    method = headers.get("access-control-request-method")
    if "origin" not in headers or method is None:
        raise InvalidRequest("Insufficient information. Origin request header needed.")
    if method not in _READS:
        raise CORSForbidden
    allowed = headers.get("access-control-request-headers", "")
    answer = [
        (b"access-control-allow-origin", b"*"),
        (b"access-control-allow-methods", b"GET, HEAD"),
        (b"access-control-max-age", b"3600"),
        (b"vary", b"access-control-request-headers, access-control-request-method"),
    ]
    if allowed:
        answer.append((b"access-control-allow-headers", allowed.encode("latin-1")))
    return Response(200, answer, b"", 0)
