"""What an image's header says, without decoding it."""

from dataclasses import dataclass
from typing import BinaryIO

from vexobj_processing.colour import has_alpha
from vexobj_processing.images import open_image
from vexobj_processing.limits import DEFAULT_LIMITS, Limits


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """`width` and `height` are those of the upright picture; `format` is lower-case."""

    format: str
    width: int
    height: int
    has_alpha: bool
    orientation: int


def probe(source: bytes | BinaryIO, limits: Limits = DEFAULT_LIMITS) -> ImageInfo:
    """Raises: UnsupportedImage, ImageUnreadable, LimitExceeded."""
    with open_image(source, limits) as opened:
        width, height = opened.upright_size
        return ImageInfo(
            format=opened.format.lower(),
            width=width,
            height=height,
            has_alpha=has_alpha(opened.image),
            orientation=opened.orientation,
        )
