"""Which part of a picture is kept, and at what size. Arithmetic only."""

from dataclasses import dataclass

from vexobj_processing.params import Fit, Transform

Size = tuple[int, int]
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Geometry:
    """`box` of the source (left, upper, right, lower) is scaled to `size`."""

    box: Box
    size: Size

    def transposed(self) -> "Geometry":
        """The same for a picture with its axes swapped: the box is always centred."""
        left, upper, right, lower = self.box
        return Geometry((upper, left, lower, right), (self.size[1], self.size[0]))


def plan(source: Size, transform: Transform, max_side: int) -> Geometry:
    """Lay out `transform` over an upright picture of `source` pixels.

    A box larger than the picture shrinks, its shape kept, until the picture need not be
    enlarged. No side of the result exceeds `max_side`.
    """
    width, height = source
    if transform.width is not None and transform.height is not None:
        if transform.fit is Fit.COVER or transform.fit is Fit.FILL:
            return _boxed(source, (transform.width, transform.height), transform, max_side)
        pick = min if transform.fit is Fit.CONTAIN else max
        scale = pick(transform.width / width, transform.height / height)
    elif transform.width is not None:
        scale = transform.width / width
    elif transform.height is not None:
        scale = transform.height / height
    else:
        scale = 1.0
    if not transform.enlarge:
        scale = min(scale, 1.0)
    scale = min(scale, max_side / max(source))
    return Geometry((0, 0, width, height), _rounded(width * scale, height * scale))


def _boxed(source: Size, wanted: Size, transform: Transform, max_side: int) -> Geometry:
    width, height = source
    room = min(width / wanted[0], height / wanted[1])
    scale = min(1.0, max_side / max(wanted))
    if not transform.enlarge:
        scale = min(scale, room)
    size = _rounded(wanted[0] * scale, wanted[1] * scale)
    if transform.fit is Fit.FILL:
        return Geometry((0, 0, width, height), size)
    left = max(0.0, (width - wanted[0] * room) / 2)
    upper = max(0.0, (height - wanted[1] * room) / 2)
    return Geometry((left, upper, width - left, height - upper), size)


def _rounded(width: float, height: float) -> Size:
    return max(1, round(width)), max(1, round(height))
