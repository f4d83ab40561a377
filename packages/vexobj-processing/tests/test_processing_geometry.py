"""Sizes and crops."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vexobj_processing import Fit, Transform
from vexobj_processing.geometry import plan


@pytest.mark.parametrize(
    ("source", "transform", "size", "box"),
    [
        ((400, 300), Transform(), (400, 300), (0, 0, 400, 300)),
        ((400, 300), Transform(200), (200, 150), (0, 0, 400, 300)),
        ((400, 300), Transform(None, 100), (133, 100), (0, 0, 400, 300)),
        ((400, 300), Transform(100, 100), (100, 100), (50, 0, 350, 300)),
        ((300, 400), Transform(100, 100), (100, 100), (0, 50, 300, 350)),
        ((400, 300), Transform(100, 100, Fit.CONTAIN), (100, 75), (0, 0, 400, 300)),
        ((400, 300), Transform(100, 100, Fit.OUTSIDE), (133, 100), (0, 0, 400, 300)),
        ((400, 300), Transform(100, 100, Fit.FILL), (100, 100), (0, 0, 400, 300)),
        ((100, 100), Transform(300, 200), (100, 67), (0, 16.67, 100, 83.33)),
        ((100, 100), Transform(300, 200, enlarge=True), (300, 200), (0, 16.67, 100, 83.33)),
        ((100, 100), Transform(300, 200, Fit.FILL), (100, 67), (0, 0, 100, 100)),
        ((100, 100), Transform(300, 200, Fit.CONTAIN), (100, 100), (0, 0, 100, 100)),
        ((100, 100), Transform(300, 200, Fit.CONTAIN, enlarge=True), (200, 200), (0, 0, 100, 100)),
        ((100, 100), Transform(4096, enlarge=True), (4096, 4096), (0, 0, 100, 100)),
        ((10, 10_000), Transform(4096, enlarge=True), (4, 4096), (0, 0, 10, 10_000)),
        ((8000, 6000), Transform(), (4096, 3072), (0, 0, 8000, 6000)),
        ((10_000, 1), Transform(10), (10, 1), (0, 0, 10_000, 1)),
    ],
)
def test_plan(
    source: tuple[int, int],
    transform: Transform,
    size: tuple[int, int],
    box: tuple[float, float, float, float],
) -> None:
    planned = plan(source, transform, 4096)
    assert planned.size == size
    assert planned.box == pytest.approx(box, abs=0.01)


sides = st.integers(1, 50_000)
asked = st.none() | st.integers(1, 4096)


transforms = st.builds(
    Transform, width=asked, height=asked, fit=st.sampled_from(Fit), enlarge=st.booleans()
)


@given(st.tuples(sides, sides), transforms, st.integers(1, 4096))
def test_results_stay_within_bounds(source: tuple[int, int], asked: Transform, cap: int) -> None:
    width, height = source
    planned = plan(source, asked, cap)
    left, upper, right, lower = planned.box
    assert 0 <= left < right <= width
    assert 0 <= upper < lower <= height
    assert all(1 <= side <= cap for side in planned.size)
    if not asked.enlarge:
        assert planned.size[0] <= max(1, width)
        assert planned.size[1] <= max(1, height)
