"""What this server can do on this machine, as /health tells it."""

import shutil
from importlib.util import find_spec
from typing import Any

from PIL import features


def capabilities(*, sse: bool) -> dict[str, Any]:
    formats = ["jpeg", "png", "gif"]
    formats += [name for name in ("webp", "avif") if features.check(name)]
    return {
        "sse_at_rest": sse,
        "video_metadata": False,
        "video_thumbnails": False,
        "ffprobe": shutil.which("ffprobe") is not None,
        "ffmpeg": shutil.which("ffmpeg") is not None or find_spec("imageio_ffmpeg") is not None,
        "image_formats": formats,
        "transforms": True,
    }
