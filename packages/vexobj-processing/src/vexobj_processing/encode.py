"""Pictures into bytes of a format, carrying nothing but pixels."""

from functools import cache
from io import BytesIO
from typing import Any

from PIL import Image, features

from vexobj_processing.colour import on_white
from vexobj_processing.limits import Encoding
from vexobj_processing.negotiate import Preference
from vexobj_processing.params import Format

# Raised when the same source and transform would come out with other bytes.
_PIPELINE = 1
_WEBP_SLOW_METHOD_MAX_PIXELS = 1_000_000


@cache
def encoder_version() -> str:
    """What must be part of a cache key beside source and transform."""
    libraries = (features.version(name) for name in ("pil", "libjpeg_turbo", "webp", "avif"))
    return ".".join(map(str, (_PIPELINE, *libraries)))


def choose(preference: Preference, image: Image.Image, encoding: Encoding) -> Format:
    """The first format of the preference that can carry the picture; alpha is never lost."""
    pixels = image.width * image.height
    for item in preference:
        if item is Format.AVIF and pixels > encoding.avif_max_pixels:
            continue
        if item is Format.JPEG and image.mode == "RGBA":
            continue
        return item
    return Format.PNG if image.mode == "RGBA" else Format.JPEG


def encode(image: Image.Image, target: Format, quality: int | None, encoding: Encoding) -> bytes:
    """`image` is RGB, RGBA or L; JPEG puts transparent parts on white."""
    image = image.copy() if image.info else image
    # Pillow writes comments, profiles and EXIF that it finds here, each format its own choice.
    image.info.clear()
    if target is Format.JPEG:
        image = on_white(image)
    output = BytesIO()
    image.save(output, target.value.upper(), **_options(target, image, quality, encoding))
    return output.getvalue()


def _options(
    target: Format, image: Image.Image, quality: int | None, encoding: Encoding
) -> dict[str, Any]:
    match target:
        case Format.JPEG:
            return {"quality": quality or encoding.jpeg_quality, "progressive": True}
        case Format.WEBP:
            large = image.width * image.height > _WEBP_SLOW_METHOD_MAX_PIXELS
            return {"quality": quality or encoding.webp_quality, "method": 2 if large else 4}
        case Format.AVIF:
            # One thread: parallelism comes from jobs, and two threads for one gain less.
            return {
                "quality": quality or encoding.avif_quality,
                "speed": encoding.avif_speed,
                "max_threads": 1,
            }
        case Format.PNG | Format.GIF:
            return {}
