"""AVIF for a Pillow that was built without it."""

from functools import cache

from PIL import features


@cache
def ensure_avif() -> bool:
    """Whether AVIF can be read and written.

    Pillow's own codec is used where it has one: importing pillow_avif would replace its
    handlers. Elsewhere the plugin is taken if it is installed (the extra `avif-plugin`).
    """
    if features.check("avif"):
        return True
    try:
        import pillow_avif  # noqa: F401 - imported for what it registers
    except ImportError:
        return False
    return True
