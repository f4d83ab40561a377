"""Request headers of raw endpoints by name."""

from starlette.types import Scope


def headers_of(scope: Scope) -> dict[str, str]:
    """Lower-case names; of a repeated header the values joined by commas, as RFC 9110 allows."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    return headers
