"""Images transformed: decoded within limits, scaled, turned upright, brought to sRGB, encoded.

Only the first frame of an animation is used. Metadata never reaches the result.
"""

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO

from PIL import Image as Pillow
from PIL import UnidentifiedImageError

from vexobj_processing import colour, encode, geometry
from vexobj_processing.errors import (
    ImageUnreadable,
    LimitExceeded,
    ProcessingError,
    UnsupportedImage,
)
from vexobj_processing.limits import (
    DEFAULT_ENCODING,
    DEFAULT_LIMITS,
    Encoding,
    Limits,
    memory_estimate,
)
from vexobj_processing.negotiate import Preference
from vexobj_processing.params import Format, Transform
from vexobj_processing.plugins import ensure_avif
from vexobj_processing.sniff import HEAD_BYTES, sniff

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "AVIF", "BMP")
"""What is decoded, by content; Pillow's other decoders are never reached."""

_START_OF_SCAN = b"\xff\xda"
_CHUNK_BYTES = 256 * 1024
_ORIENTATION_TAG = 0x0112
_UPRIGHT = {
    2: Pillow.Transpose.FLIP_LEFT_RIGHT,
    3: Pillow.Transpose.ROTATE_180,
    4: Pillow.Transpose.FLIP_TOP_BOTTOM,
    5: Pillow.Transpose.TRANSPOSE,
    6: Pillow.Transpose.ROTATE_270,
    7: Pillow.Transpose.TRANSVERSE,
    8: Pillow.Transpose.ROTATE_90,
}
_TURNED = {5, 6, 7, 8}


@dataclass(frozen=True, slots=True)
class Image:
    """A rendered picture, ready to be sent."""

    data: bytes
    content_type: str
    width: int
    height: int


def transform(
    source: bytes | BinaryIO,
    transform: Transform,
    preference: Preference = (Format.JPEG,),
    *,
    limits: Limits = DEFAULT_LIMITS,
    encoding: Encoding = DEFAULT_ENCODING,
) -> Image:
    """Render `source`; `preference` decides the format where the transform does not.

    Raises:
        UnsupportedImage: not one of `FORMATS`.
        ImageUnreadable: truncated or corrupt.
        LimitExceeded: by its header the image would need more than `limits` allow.
    """
    with open_image(source, limits) as opened:
        return opened.render(opened.plan(transform), preference, encoding)


@contextmanager
def open_image(source: bytes | BinaryIO, limits: Limits) -> "Iterator[OpenedImage]":
    """Read the header only. Raises: as `transform`."""
    ensure_avif()
    with reading_errors(limits), warnings.catch_warnings():
        warnings.simplefilter("error", Pillow.DecompressionBombWarning)
        stream = BytesIO(source) if isinstance(source, bytes) else source
        limits.check("max_source_bytes", stream.seek(0, 2))
        stream.seek(0)
        # Pillow says only that it cannot open a file, be it foreign or broken.
        if sniff(stream.read(HEAD_BYTES)) is None:
            raise UnsupportedImage
        stream.seek(0)
        with Pillow.open(stream, formats=FORMATS) as image:
            limits.check("max_source_pixels", image.width * image.height)
            if image.format in {"JPEG", "MPO"}:
                limits.check("max_scans", _scans(stream))
            yield OpenedImage(image, limits)


def _scans(stream: BinaryIO) -> int:
    """Of a JPEG, those of its thumbnails included. The position in the stream stays."""
    position, count, last = stream.tell(), 0, b""
    stream.seek(0)
    while chunk := stream.read(_CHUNK_BYTES):
        # Within coded data, 0xFF is followed by 0: this is the marker and nothing else.
        count += (last + chunk).count(_START_OF_SCAN)
        last = chunk[-1:]
    stream.seek(position)
    return count


@contextmanager
def reading_errors(limits: Limits) -> Iterator[None]:
    """Pillow's many ways of failing on bad input as this package's conditions."""
    try:
        yield
    except ProcessingError:
        raise
    except UnidentifiedImageError as error:
        raise ImageUnreadable("the header is broken") from error
    except (Pillow.DecompressionBombError, Pillow.DecompressionBombWarning) as error:
        raise LimitExceeded("max_source_pixels", limits.max_source_pixels) from error
    except MemoryError as error:
        raise LimitExceeded("max_memory_bytes", limits.max_memory_bytes) from error
    except Exception as error:
        # Decoders raise OSError, SyntaxError, ValueError, struct.error, IndexError and more.
        raise ImageUnreadable(f"{type(error).__name__}: {error}"[:200]) from error


@dataclass(frozen=True, slots=True)
class Plan:
    """A transform laid out over one image; `memory_bytes` is what rendering it may need."""

    transform: Transform
    geometry: geometry.Geometry
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class OpenedImage:
    """An image whose header has been read and whose pixels have not."""

    image: Pillow.Image
    limits: Limits

    @property
    def format(self) -> str:
        # Cameras put several pictures into one JPEG and Pillow gives that a name of its own.
        return "JPEG" if self.image.format == "MPO" else self.image.format or ""

    @property
    def orientation(self) -> int:
        """EXIF orientation, 1 to 8; 1 where there is none that can be read."""
        try:
            value = self.image.getexif().get(_ORIENTATION_TAG, 1)
        except Exception:  # noqa: BLE001 - broken EXIF is no reason to refuse a picture
            return 1
        return value if value in _UPRIGHT else 1

    @property
    def upright_size(self) -> tuple[int, int]:
        width, height = self.image.size
        return (height, width) if self.orientation in _TURNED else (width, height)

    def plan(self, transform: Transform) -> Plan:
        """Raises: LimitExceeded."""
        laid_out = geometry.plan(self.upright_size, transform, self.limits.max_result_side)
        progressive = "progressive" in self.image.info
        pixels = self.image.width * self.image.height
        if self.format == "JPEG" and not progressive:
            stored = laid_out.transposed() if self.orientation in _TURNED else laid_out
            pixels //= _draft_scale(self.image.size, stored) ** 2
        needed = memory_estimate(
            self.format, pixels, math.prod(laid_out.size), progressive=progressive
        )
        self.limits.check("max_memory_bytes", needed)
        return Plan(transform, laid_out, needed)

    def render(self, plan: Plan, preference: Preference, encoding: Encoding) -> Image:
        """Decode, scale and encode. Raises: ImageUnreadable, LimitExceeded."""
        orientation, profile = self.orientation, self.image.info.get("icc_profile")
        stored = plan.geometry.transposed() if orientation in _TURNED else plan.geometry
        image = _scaled(self.image, stored, draft=self.format == "JPEG")
        image = colour.to_srgb(image, profile)
        if orientation != 1:
            image = image.transpose(_UPRIGHT[orientation])
        asked = plan.transform
        target = asked.format or encode.choose(preference, image, encoding)
        data = encode.encode(image, target, asked.quality, encoding)
        return Image(data, target.content_type, image.width, image.height)


def _draft_scale(size: tuple[int, int], wanted: geometry.Geometry) -> int:
    """By how much the JPEG decoder scales down itself, as `draft` will choose it."""
    width, height = _draft_size(size, wanted)
    scale = min(size[0] // width, size[1] // height)
    return next((step for step in (8, 4, 2) if scale >= step), 1)


def _draft_size(size: tuple[int, int], wanted: geometry.Geometry) -> tuple[int, int]:
    left, upper, right, lower = wanted.box
    shrink = min((right - left) / wanted.size[0], (lower - upper) / wanted.size[1])
    # From 8 on, decoding at twice the size costs 4 ms more and gains 9 dB; below, it costs half.
    margin = 2 if shrink >= 8 else 1
    return (
        min(size[0], math.ceil(size[0] / shrink * margin)),
        min(size[1], math.ceil(size[1] / shrink * margin)),
    )


def _scaled(image: Pillow.Image, wanted: geometry.Geometry, *, draft: bool) -> Pillow.Image:
    box, full = wanted.box, image.size
    if draft:
        image.draft(None, _draft_size(full, wanted))
        ratio = next(step for step in (1, 2, 4, 8) if _reduced(full, step) == image.size)
        left, upper, right, lower = (side / ratio for side in box)
        box = (left, upper, min(right, image.width), min(lower, image.height))
    image.load()
    image = colour.to_channels(image)
    return image.resize(wanted.size, Pillow.Resampling.LANCZOS, box=box, reducing_gap=2.0)


def _reduced(size: tuple[int, int], step: int) -> tuple[int, int]:
    return -(-size[0] // step), -(-size[1] // step)
