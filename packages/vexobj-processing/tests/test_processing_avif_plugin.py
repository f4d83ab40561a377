"""The plugin path for a Pillow without AVIF, in a process of its own."""

import importlib.util
import subprocess
import sys

from support.tools import missing

# Pillow looks for its codec once, so it has to be hidden before the first import.
WITHOUT_NATIVE_AVIF = """
import sys
sys.modules["PIL._avif"] = None
import warnings
warnings.simplefilter("ignore")
from io import BytesIO
from PIL import Image, features
assert not features.check("avif")
from vexobj_processing import Format, Transform, transform
source = BytesIO()
Image.new("RGB", (40, 40), "red").save(source, "PNG")
avif = transform(source.getvalue(), Transform(20, format=Format.AVIF))
assert avif.data[4:12] == b"ftypavif", avif.data[:16]
assert transform(avif.data, Transform(10, format=Format.PNG)).width == 10
assert "pillow_avif" in sys.modules
"""

WITH_NATIVE_AVIF = """
import sys
from io import BytesIO
from PIL import Image
from vexobj_processing import Format, Transform, transform
source = BytesIO()
Image.new("RGB", (4, 4)).save(source, "PNG")
transform(source.getvalue(), Transform(format=Format.AVIF))
assert "pillow_avif" not in sys.modules
"""


def test_the_plugin_serves_where_pillow_has_no_avif() -> None:
    if importlib.util.find_spec("pillow_avif") is None:
        missing("pillow-avif-plugin")
    subprocess.run([sys.executable, "-c", WITHOUT_NATIVE_AVIF], check=True, timeout=60)


def test_the_plugin_is_left_alone_where_pillow_has_avif() -> None:
    subprocess.run([sys.executable, "-c", WITH_NATIVE_AVIF], check=True, timeout=60)
