"""XML of S3: written as escaped strings, read from strangers with DTDs and entities refused.

Operations put the elements together; nothing here knows one document from another but the error.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from xml.parsers import expat

from vexobj_s3compat.errors import MalformedXML, S3Error

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
MAX_BYTES = 4 * 1024 * 1024
MAX_DEPTH = 16
MAX_ELEMENTS = 120_000

_SPECIAL = re.compile('[&<>"\r\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]')
_NAMED = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#13;"}
_ERROR_ELEMENTS = frozenset({"Code", "Message", "Resource", "RequestId", "HostId"})


def escape(text: str) -> str:
    """Safe as content and as an attribute's value.

    What XML 1.0 cannot hold becomes a numeric reference, as AWS writes it: a strict parser
    refuses the document rather than being told another key's name; encoding-type=url avoids it.
    """
    return _SPECIAL.sub(_reference, text) if _SPECIAL.search(text) else text


def escape_all(texts: list[str]) -> list[str]:
    """Each of them escaped; the usual ones, with nothing to escape, for the price of one look."""
    return [escape(text) for text in texts] if _SPECIAL.search("".join(texts)) else texts


def element(name: str, text: str) -> str:
    """An element holding `text`, escaped."""
    return f"<{name}>{escape(text)}</{name}>"


def timestamp(moment: datetime) -> str:
    """`2026-01-01T00:00:00.000Z`; `moment` is in UTC. A third of what `isoformat` costs."""
    return (
        f"{_date(moment.year, moment.month, moment.day)}"
        f"{_MINUTES[moment.hour * 60 + moment.minute]}"
        f"{_SECONDS[moment.second]}{_MILLISECONDS[moment.microsecond // 1000]}"
    )


@lru_cache(maxsize=4096)
def _date(year: int, month: int, day: int) -> str:
    return f"{year:04}-{month:02}-{day:02}T"


_MINUTES = [f"{hour:02}:{minute:02}:" for hour in range(24) for minute in range(60)]
_SECONDS = [f"{second:02}." for second in range(60)]
_MILLISECONDS = [f"{millisecond:03}Z" for millisecond in range(1000)]


def document(root: str, *content: str) -> bytes:
    """A whole answer in S3's namespace; `content` is XML already."""
    opening = f'{DECLARATION}<{root} xmlns="{NAMESPACE}">'
    return "".join((opening, *content, f"</{root}>")).encode()


def error_document(error: S3Error, *, resource: str, request_id: str, host_id: str) -> bytes:
    """The body of an error; `error.fields` stand after the message."""
    return (
        f"{DECLARATION}<Error>{element('Code', error.code)}{element('Message', error.message)}"
        f"{_fields(error.fields)}{element('Resource', resource)}"
        f"{element('RequestId', request_id)}{element('HostId', host_id)}</Error>"
    ).encode()


def _fields(fields: Mapping[str, str]) -> str:
    return "".join(
        element(name, text) for name, text in fields.items() if name not in _ERROR_ELEMENTS
    )


def _reference(match: re.Match[str]) -> str:
    char = match[0]
    return _NAMED.get(char) or f"&#x{ord(char):x};"


@dataclass(slots=True)
class Element:
    """What was read: names without namespace or prefix, text with its whitespace."""

    name: str
    children: list["Element"] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(self.pieces)


def children(parent: Element, name: str) -> Iterator[Element]:
    """The children of that name, in order."""
    return (child for child in parent.children if child.name == name)


def child_text(parent: Element, name: str) -> str | None:
    """The text of the first child of that name, None if there is none."""
    for child in parent.children:
        if child.name == name:
            return child.text
    return None


def parse(body: bytes, root: str, *, max_bytes: int = MAX_BYTES) -> Element:
    """The root element of a document, which must be called `root`.

    Raises:
        MalformedXML: too long, too deep, too full, with a DTD, or not well-formed.
    """
    if len(body) > max_bytes:
        raise MalformedXML
    builder = _Builder()
    try:
        builder.parser().Parse(body, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise MalformedXML from error
    found = builder.top.children[0]
    if found.name != root:
        raise MalformedXML
    return found


class _Builder:
    """Expat's handlers. Without a DTD there are no entities but XML's own five."""

    def __init__(self) -> None:
        self.top = Element("")
        self._open = [self.top]
        self._elements = 0

    def parser(self) -> expat.XMLParserType:
        """Not kept here: parser and builder would hold each other, and the tree, until a GC."""
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = self._refuse
        return parser

    def _start(self, name: str, _attributes: dict[str, str]) -> None:
        self._elements += 1
        if len(self._open) > MAX_DEPTH or self._elements > MAX_ELEMENTS:
            raise MalformedXML
        opened = Element(name.rpartition(":")[2])
        self._open[-1].children.append(opened)
        self._open.append(opened)

    def _end(self, _name: str) -> None:
        self._open.pop()

    def _text(self, data: str) -> None:
        self._open[-1].pieces.append(data)

    def _refuse(self, *_declaration: object) -> None:
        raise MalformedXML
