"""Reading XML of strangers: no DTD, no entities of their own, bounded in size and depth.

Names are compared without namespace or prefix; text keeps its whitespace.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

from vexobj_s3compat.errors import MalformedXML

MAX_DEPTH = 16
MAX_ELEMENTS = 120_000


@dataclass(slots=True)
class Node:
    """An element: `text` is all of its own character data."""

    name: str
    attributes: dict[str, str]
    children: list["Node"] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(self.pieces)

    def all(self, name: str) -> Iterator["Node"]:
        return (child for child in self.children if child.name == name)

    def find(self, name: str) -> "Node | None":
        return next(self.all(name), None)

    def get(self, name: str) -> str | None:
        """The text of the first child of that name."""
        child = self.find(name)
        return None if child is None else child.text


def parse(body: bytes, root: str, *, max_size: int) -> Node:
    """The tree of a document whose root element is `root`.

    Raises:
        MalformedXML: it is too long, too deep or too full, has a DTD, or is not well-formed.
    """
    if len(body) > max_size:
        raise MalformedXML
    builder = _Builder()
    try:
        builder.parser.Parse(body, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise MalformedXML from error
    node = builder.root.children[0]
    if node.name != root:
        raise MalformedXML
    return node


class _Builder:
    def __init__(self) -> None:
        self.root = Node("", {})
        self._open = [self.root]
        self._elements = 0
        self.parser = parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = self._refuse

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        if len(self._open) > MAX_DEPTH or self._elements > MAX_ELEMENTS:
            raise MalformedXML
        node = Node(_local(name), attributes)
        self._open[-1].children.append(node)
        self._open.append(node)

    def _end(self, _name: str) -> None:
        self._open.pop()

    def _text(self, data: str) -> None:
        self._open[-1].pieces.append(data)

    def _refuse(self, *_declaration: object) -> None:
        raise MalformedXML


def _local(name: str) -> str:
    return name.rpartition(":")[2]
