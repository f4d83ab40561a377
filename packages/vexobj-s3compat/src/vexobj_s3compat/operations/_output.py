"""Writers of headers and XML that several operations share."""

from collections.abc import Sequence
from string import ascii_letters, digits
from urllib.parse import quote

from vexobj_s3compat.asgi import RawHeaders
from vexobj_s3compat.call import Call
from vexobj_s3compat.respond import Response, full
from vexobj_s3compat.types import ChecksumValue, Owner
from vexobj_s3compat.xml import document, element, escape_all

_UNRESERVED = f"{ascii_letters}{digits}_.~-/".encode()
_PLAIN = bytes(byte for byte in range(0x20, 0x7F) if byte not in b'&<>"')
_XML_TYPE = (b"content-type", b"application/xml")


def xml_response(root: str, *parts: str, headers: RawHeaders | None = None) -> Response:
    """200 with a document of the S3 namespace; `parts` are elements already rendered."""
    return full(200, document(root, *parts), [_XML_TYPE, *(headers or ())])


def no_content(headers: RawHeaders | None = None) -> Response:
    return Response(204, headers or [])


def empty(headers: RawHeaders | None = None) -> Response:
    """200 without a body."""
    return Response(200, headers or [], b"", 0)


async def shape_empty(_: Call, __: object, ___: None) -> Response:
    return empty()


async def shape_no_content(_: Call, __: object, ___: None) -> Response:
    return no_content()


def optional(name: str, text: str | None) -> str:
    """The element, or nothing."""
    return "" if text is None else element(name, text)


def boolean(name: str, value: bool) -> str:
    return f"<{name}>true</{name}>" if value else f"<{name}>false</{name}>"


def owner_element(owner: Owner, name: str = "Owner") -> str:
    return f"<{name}>{element('ID', owner.id)}{element('DisplayName', owner.display_name)}</{name}>"


def key_text(key: bytes, *, url: bool) -> str:
    """A key, prefix or delimiter as an answer shows it."""
    return quote(key, safe="/") if url else key.decode()


def key_elements(keys: Sequence[bytes], *, url: bool) -> list[str]:
    """A page of keys or prefixes, each as its element holds it.

    One look at all of them tells whether any needs quoting or escaping; hardly a page has one.
    """
    if b"".join(keys).translate(None, _UNRESERVED if url else _PLAIN):
        return escape_all([key_text(key, url=url) for key in keys])
    return [key.decode() for key in keys]


def common_prefix_elements(prefixes: Sequence[bytes], *, url: bool) -> list[str]:
    return [
        f"<CommonPrefixes><Prefix>{prefix}</Prefix></CommonPrefixes>"
        for prefix in key_elements(prefixes, url=url)
    ]


def delimiter_element(delimiter: bytes, *, url: bool) -> str:
    """Delimiter, where there is one, and how the keys of the answer are encoded."""
    shown = element("Delimiter", key_text(delimiter, url=url)) if delimiter else ""
    return shown + ("<EncodingType>url</EncodingType>" if url else "")


def marker_elements(
    name: str,
    asked: tuple[bytes, str | None],
    following: tuple[bytes | None, str | None],
    *,
    url: bool,
) -> str:
    """Where a page of keys and `name`s begins, and where the next one does."""
    key, identifier = asked
    next_key, next_identifier = following
    return (
        element("KeyMarker", key_text(key, url=url))
        + element(f"{name}Marker", identifier or "")
        + ("" if next_key is None else element("NextKeyMarker", key_text(next_key, url=url)))
        + optional(f"Next{name}Marker", next_identifier)
    )


def quoted_etag(etag: str) -> str:
    return f'"{etag}"'


def checksum_element(checksum: ChecksumValue | None) -> str:
    """Checksum<ALGORITHM> and ChecksumType."""
    if checksum is None:
        return ""
    kind = "COMPOSITE" if checksum.composite else "FULL_OBJECT"
    return element(f"Checksum{checksum.algorithm}", checksum.value) + element("ChecksumType", kind)


def checksum_headers(checksum: ChecksumValue | None) -> RawHeaders:
    if checksum is None:
        return []
    kind = b"COMPOSITE" if checksum.composite else b"FULL_OBJECT"
    name = f"x-amz-checksum-{checksum.algorithm.lower()}"
    return [(name.encode(), checksum.value.encode()), (b"x-amz-checksum-type", kind)]


def encryption_header(*, encrypted: bool) -> RawHeaders:
    return [(b"x-amz-server-side-encryption", b"AES256")] if encrypted else []


def expiration_header(expiration: str | None) -> RawHeaders:
    return [] if expiration is None else [(b"x-amz-expiration", expiration.encode())]


def version_header(version_id: str | None) -> RawHeaders:
    return [] if version_id is None else [(b"x-amz-version-id", version_id.encode())]
