"""What is asked of an image: the transform parameters of a query, parsed and in canonical form."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from vexobj_processing.errors import InvalidTransform

MAX_SIDE = 4096
"""The largest width or height that can be asked for, in pixels."""


class Fit(StrEnum):
    """How a picture meets a box of width and height.

    COVER fills the box and crops what hangs over, centred. CONTAIN shrinks until all of it is
    inside. OUTSIDE shrinks until it still covers the box and crops nothing. FILL distorts.
    """

    COVER = "cover"
    CONTAIN = "contain"
    OUTSIDE = "outside"
    FILL = "fill"


class Format(StrEnum):
    """The formats that are written."""

    JPEG = "jpeg"
    PNG = "png"
    WEBP = "webp"
    AVIF = "avif"
    GIF = "gif"

    @property
    def content_type(self) -> str:
        return f"image/{self.value}"


@dataclass(frozen=True, slots=True)
class Transform:
    """One way to render an image.

    A missing width or height follows the other; `format` None means by negotiation; `quality`
    None means the format's default. Nothing is enlarged unless `enlarge`.
    """

    width: int | None = None
    height: int | None = None
    fit: Fit = Fit.COVER
    format: Format | None = None
    quality: int | None = None
    enlarge: bool = False

    @property
    def negotiated(self) -> bool:
        """Whether the answer varies with Accept."""
        return self.format is None

    def canonical(self) -> str:
        """The same text for the same rendering, whatever the query looked like."""
        boxed = self.width is not None and self.height is not None
        sized = self.width is not None or self.height is not None
        lossy = self.format not in {Format.PNG, Format.GIF}
        fields = {
            "w": self.width,
            "h": self.height,
            "fit": self.fit.value if boxed else None,
            "format": self.format.value if self.format else "auto",
            "quality": self.quality if lossy else None,
            "enlarge": 1 if self.enlarge and sized else None,
        }
        return "&".join(f"{name}={value}" for name, value in fields.items() if value is not None)


_FITS = {fit.value: fit for fit in Fit} | {"inside": Fit.CONTAIN}
_FORMATS = {
    **{item.value: item for item in Format},
    "jpg": Format.JPEG,
    "auto": None,
}
_FLAGS = {"1": True, "true": True, "0": False, "false": False}
_TRIGGERS = {"w", "h", "format", "quality"}


def parse_transform(pairs: Iterable[tuple[str, str]]) -> Transform | None:
    """Read `w`, `h`, `fit`, `format`, `quality` and `enlarge`; other parameters pass unseen.

    None when nothing is asked: `fit` and `enlarge` say how, not what.

    Raises:
        InvalidTransform: a value out of its range, unknown, or given twice.
    """
    given: dict[str, str] = {}
    for name, value in pairs:
        if name not in _PARSERS:
            continue
        if name in given:
            raise InvalidTransform(name, "given more than once")
        given[name] = value
    parsed = {
        field: parse(given[name]) for name, (field, parse) in _PARSERS.items() if name in given
    }
    if not _TRIGGERS & given.keys():
        return None
    return Transform(**parsed)


def _integer(parameter: str, maximum: int) -> Callable[[str], Any]:
    def parse(value: str) -> int:
        # At most five digits, so that no caller makes int() work on a megabyte of them.
        if not (value.isascii() and value.isdigit() and len(value) <= 5):
            raise InvalidTransform(parameter, f"must be a whole number from 1 to {maximum}")
        number = int(value)
        if not 1 <= number <= maximum:
            raise InvalidTransform(parameter, f"must be from 1 to {maximum}")
        return number

    return parse


def _choice(parameter: str, choices: Mapping[str, object]) -> Callable[[str], Any]:
    def parse(value: str) -> object:
        try:
            return choices[value.lower()]
        except KeyError:
            raise InvalidTransform(parameter, f"must be one of {', '.join(choices)}") from None

    return parse


_PARSERS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "w": ("width", _integer("w", MAX_SIDE)),
    "h": ("height", _integer("h", MAX_SIDE)),
    "fit": ("fit", _choice("fit", _FITS)),
    "format": ("format", _choice("format", _FORMATS)),
    "quality": ("quality", _integer("quality", 100)),
    "enlarge": ("enlarge", _choice("enlarge", _FLAGS)),
}
