"""The canonical request of Signature Version 4, from the bytes that arrived on the wire.

S3 does not encode the path twice: what is signed is the decoded key, encoded once in AWS's way.
Clients differ in what they leave bare on the wire, so a path or query that is not in that form
already is decoded and encoded again. Source: AWS, "Create a signed request", step 1.
"""

import re
from collections.abc import Mapping, Sequence
from urllib.parse import quote, unquote_to_bytes

UNRESERVED = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
_PATH_SAFE = UNRESERVED + b"/%"
_QUERY_SAFE = UNRESERVED + b"=&%"
# An escape that AWS's encoding would not have written: incomplete, lower case, or needless.
_ODD_ESCAPE = re.compile(
    rb"%(?:(?![0-9A-F]{2})|2[DE]|3[0-9]|4[1-9A-F]|5[0-9AF]|6[1-9A-F]|7[0-9AE])"
)
_ODD_PATH_ESCAPE = re.compile(_ODD_ESCAPE.pattern + rb"|%2F")
_SPACES = re.compile(r"[ \t]+")


def uri_encode(data: bytes, *, safe: str = "") -> str:
    """Every byte but the unreserved ones as %XX."""
    return quote(data, safe=safe)


def canonical_path(raw_path: bytes) -> str:
    """The path as AWS computes it: decoded, then encoded once, slashes kept.

    A `%2F` counts as a slash: the Java SDK writes `//` as `/%2F` and signs `//`.
    """
    if not raw_path.translate(None, _PATH_SAFE) and (
        b"%" not in raw_path or _ODD_PATH_ESCAPE.search(raw_path) is None
    ):
        return raw_path.decode("ascii") or "/"
    return uri_encode(unquote_to_bytes(raw_path), safe="/")


def canonical_query(raw_query: bytes) -> str:
    """Parameters sorted by encoded name, then value; one without `=` has an empty value.

    A bare `+` is a space, as in the forms that browsers and most HTTP libraries write.
    """
    if not raw_query:
        return ""
    if raw_query.translate(None, _QUERY_SAFE) or (
        b"%" in raw_query and _ODD_ESCAPE.search(raw_query)
    ):
        pairs = [_encoded_pair(part) for part in raw_query.split(b"&") if part]
    else:
        pairs = [_pair(part) for part in raw_query.decode("ascii").split("&") if part]
    if len(pairs) > 1:
        pairs.sort()
    return "&".join([f"{name}={value}" for name, value in pairs])


def raw_canonical_query(raw_query: bytes) -> str:
    """Parameters sorted, but otherwise as they were written."""
    parts = [part for part in raw_query.decode("latin-1").split("&") if part]
    return "&".join(f"{name}={value}" for name, value in sorted(map(_split, parts)))


def canonical_headers(headers: Mapping[str, str], names: Sequence[str]) -> str:
    """One `name:value` line for each name, in the order given, which is the client's.

    Values are trimmed and inner runs of blanks folded. A header that a proxy or server has
    taken off counts as empty.
    """
    lines = "".join([f"{name}:{headers.get(name, '')}\n" for name in names])
    if "  " in lines or "\t" in lines or ": " in lines or " \n" in lines:
        values = ((name, _SPACES.sub(" ", headers.get(name, "")).strip(" ")) for name in names)
        lines = "".join([f"{name}:{value}\n" for name, value in values])
    return lines


def _split(part: str) -> tuple[str, str]:
    name, _, value = part.partition("=")
    return name, value


def _pair(part: str) -> tuple[str, str]:
    name, _, value = part.partition("=")
    return name, value.replace("=", "%3D") if "=" in value else value


def _encoded_pair(part: bytes) -> tuple[str, str]:
    name, _, value = part.replace(b"+", b" ").partition(b"=")
    return uri_encode(unquote_to_bytes(name)), uri_encode(unquote_to_bytes(value))
