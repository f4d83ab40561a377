"""How much a source may cost, how large a result may be, and how results are encoded."""

from dataclasses import dataclass

from vexobj_processing.errors import LimitExceeded

# Peak bytes per source pixel while the format is decoded, rounded up from what 25 MP files of each
# colour model took with Pillow 13: WebP decodes into a canvas of its own, AVIF keeps its planes.
# JPEG is what it costs after `draft` has scaled it; a progressive one also keeps coefficients.
_BYTES_PER_PIXEL = {"JPEG": 4, "PNG": 10, "WEBP": 16, "AVIF": 14, "GIF": 10, "BMP": 8}
_PROGRESSIVE_BYTES_PER_PIXEL = 6
_RESULT_BYTES_PER_PIXEL = 12
_BASE_BYTES = 4 * 1024**2


@dataclass(frozen=True, slots=True)
class Limits:
    """What an image may need at most; a source above it is refused by its header alone.

    `max_scans` is of a JPEG, whose cost is pixels times scans: encoders write one, or about 10.
    """

    max_source_bytes: int = 50 * 1024**2
    max_source_pixels: int = 50_000_000
    max_scans: int = 64
    max_result_side: int = 4096
    max_memory_bytes: int = 640 * 1024**2

    def check(self, limit: str, value: int) -> None:
        """Raises: LimitExceeded when `value` is above the field named `limit`."""
        maximum: int = getattr(self, limit)
        if value > maximum:
            raise LimitExceeded(limit, maximum, value)


@dataclass(frozen=True, slots=True)
class Encoding:
    """How results are encoded where the caller does not say.

    AVIF above `avif_max_pixels` becomes the next acceptable format, unless it was asked for by
    name: encoding it takes about 0.15 s of CPU for each megapixel.
    """

    jpeg_quality: int = 85
    webp_quality: int = 79
    avif_quality: int = 63
    avif_speed: int = 9
    avif_max_pixels: int = 2_000_000


DEFAULT_LIMITS = Limits()
DEFAULT_ENCODING = Encoding()


def memory_estimate(
    source_format: str, source_pixels: int, result_pixels: int, *, progressive: bool = False
) -> int:
    """Bytes of memory that rendering will need at its peak; an upper bound in practice."""
    per_pixel = _BYTES_PER_PIXEL.get(source_format, max(_BYTES_PER_PIXEL.values()))
    if progressive:
        per_pixel += _PROGRESSIVE_BYTES_PER_PIXEL
    return _BASE_BYTES + source_pixels * per_pixel + result_pixels * _RESULT_BYTES_PER_PIXEL
