"""From an Accept header to the few things it can mean for an image.

Only the meaning goes into cache keys, so a client cannot fill a cache by rewording its header.
"""

from functools import lru_cache

from vexobj_processing.params import Format

Preference = tuple[Format, ...]
"""Formats to try in turn. The last one is the classic: JPEG here also stands for PNG where there
is alpha to keep, PNG for PNG alone (the client refuses JPEG)."""

_MODERN = (Format.AVIF, Format.WEBP)


@lru_cache(maxsize=256)
def negotiate(accept: str | None) -> Preference:
    """One of seven preferences, by q-values (RFC 9110 section 12.5.1).

    AVIF and WebP count only where they are named: a wildcard is what clients send that know
    neither. Of equal q-values the smaller format wins. A header that refuses every image gets
    the classic formats, as the RFC allows, rather than an error.
    """
    weights = _weights(accept or "*/*")
    wildcard = weights.get("image/*", weights.get("*/*", 0.0))
    jpeg = weights.get("image/jpeg", wildcard)
    png = weights.get("image/png", wildcard)
    classic = Format.JPEG if jpeg or not png else Format.PNG
    floor = max(jpeg, png)
    ranked = sorted(
        ((weights.get(item.content_type, 0.0), item) for item in _MODERN),
        key=lambda pair: -pair[0],
    )
    chosen = [item for weight, item in ranked if weight and weight >= floor]
    if chosen[:1] == [Format.WEBP]:
        # WebP carries every picture, so whatever stands behind it is never tried.
        return (Format.WEBP,)
    return (*chosen, classic)


def _weights(accept: str) -> dict[str, float]:
    weights: dict[str, float] = {}
    for item in accept.lower().split(","):
        media_type, *parameters = (part.strip() for part in item.split(";"))
        weights[media_type] = _quality(parameters)
    return weights


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return min(max(float(value), 0.0), 1.0)
            except ValueError:
                return 0.0
    return 1.0
