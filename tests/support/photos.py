"""Real photographs, from a published package."""

from pathlib import Path

import skimage

FOLDER = Path(skimage.__file__).parent / "data"
ROCKET = FOLDER / "rocket.jpg"
RETINA = FOLDER / "retina.jpg"
HUBBLE = FOLDER / "hubble_deep_field.jpg"
COFFEE = FOLDER / "coffee.png"
