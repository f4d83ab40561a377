"""User metadata and kept headers as header values: what text can travel, and as what. Pure."""

import re
from base64 import b64encode
from email.errors import HeaderParseError
from email.header import decode_header, make_header

_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


def decode_metadata(value: str) -> str:
    """Text of a metadata header: raw UTF-8, or RFC 2047 words, as AWS decodes it."""
    if value.isascii():
        if "=?" not in value:
            return value
        try:
            text = str(make_header(decode_header(value)))
            text.encode()
        except (HeaderParseError, LookupError, ValueError):
            return value
        return text
    try:
        return value.encode("latin-1").decode()
    except UnicodeDecodeError:
        return value


def encode_metadata(text: str) -> bytes:
    """A metadata value as a header: as it is, or as one RFC 2047 word if it is not ASCII."""
    if text.isascii() and text.isprintable():
        return text.encode()
    return b"=?UTF-8?B?" + b64encode(text.encode()) + b"?="


def header_value(text: str) -> bytes:
    """As it was sent; what no header can hold (RFC 9110 section 5.5) becomes a space."""
    if text.isascii() and text.isprintable():
        return text.encode()
    is_latin = max(text, default="") <= "\xff"
    return _CONTROL.sub(b" ", text.encode("latin-1" if is_latin else "utf-8"))
