"""Pictures for tests: real photographs where scikit-image is installed, made ones elsewhere."""

import math
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

PHOTOS = ("astronaut.png", "coffee.png", "chelsea.png", "rocket.jpg")


def photo(name: str = "astronaut.png", size: tuple[int, int] | None = None) -> Image.Image:
    """An RGB photograph of scikit-image's data, scaled to `size` if given."""
    found = find_spec("skimage")
    if found and found.origin:
        with Image.open(Path(found.origin).parent / "data" / name) as opened:
            image = opened.convert("RGB")
        image.info.clear()
    else:
        image = scene(512, 512)
    return image.resize(size, Image.Resampling.BICUBIC) if size else image


def scene(width: int, height: int) -> Image.Image:
    """A smooth picture without any symmetry, made without a photograph."""
    across, down = Image.linear_gradient("L").rotate(90), Image.linear_gradient("L")
    circle = Image.radial_gradient("L")
    return Image.merge("RGB", (across, down, circle)).resize((width, height))


def encoded(image: Image.Image, format: str, **options: Any) -> bytes:  # noqa: A002 - Pillow's name
    output = BytesIO()
    image.save(output, format, **options)
    return output.getvalue()


def decoded(data: bytes) -> Image.Image:
    with Image.open(BytesIO(data)) as image:
        image.load()
        return image


def psnr(one: Image.Image, other: Image.Image) -> float:
    """Peak signal to noise ratio in dB over all channels; infinite when equal."""
    if one.size != other.size or one.mode != other.mode:
        raise ValueError(f"{one.mode}{one.size} is not {other.mode}{other.size}")
    first, second = one.tobytes(), other.tobytes()
    total = sum((a - b) ** 2 for a, b in zip(first, second, strict=True))
    return math.inf if total == 0 else 10 * math.log10(255**2 * len(first) / total)
