"""Text for XML 1.0: escaping, url encoding and times. Written as strings, never as a tree."""

import re
from datetime import datetime
from urllib.parse import quote

XML = '<?xml version="1.0" encoding="UTF-8"?>\n'
NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
_PLAIN = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/"
_SPECIAL = re.compile('[&<>"\r\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]')
_NAMED = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#13;"}


def escape(text: str) -> str:
    """Safe as content and as attribute.

    What XML 1.0 cannot hold becomes a numeric reference, as AWS writes it: a strict parser
    refuses the document rather than being told another key's name; encoding-type=url avoids it.
    """
    return _SPECIAL.sub(_reference, text) if _SPECIAL.search(text) else text


def escape_key(key: bytes) -> str:
    """A key, prefix or marker as it stands in a listing without encoding-type."""
    return escape(key.decode("utf-8", "replace"))


def url_key(key: bytes) -> str:
    """The same with encoding-type=url.

    A space is %20 and never `+`: clients that undo `+` and clients that do not both read it.
    """
    if not key.translate(None, _PLAIN):
        return key.decode("ascii")
    return quote(key, safe="/")


def iso_time(moment: datetime) -> str:
    """`2026-01-01T00:00:00.000Z`; `moment` is in UTC."""
    return moment.isoformat(timespec="milliseconds")[:23] + "Z"


def element(name: str, text: str | None) -> str:
    """An element with escaped text, nothing at all for None."""
    return "" if text is None else f"<{name}>{escape(text)}</{name}>"


def document(root: str, content: str) -> bytes:
    """A whole answer in S3's namespace."""
    return f'{XML}<{root} xmlns="{NAMESPACE}">{content}</{root}>'.encode()


def _reference(match: re.Match[str]) -> str:
    char = match[0]
    return _NAMED.get(char) or f"&#x{ord(char):x};"
