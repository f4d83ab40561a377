"""Every colour model brought to 8-bit sRGB (or grey), with or without alpha."""

from io import BytesIO

from PIL import Image, ImageCms

# Profiles of printers take up to about 3 MB; a larger one is not worth parsing.
_MAX_PROFILE_BYTES = 4 * 1024**2
_KEEPS_MODE = {"L", "LA", "RGB", "RGBA", "CMYK"}


def has_alpha(image: Image.Image) -> bool:
    """Whether the header promises transparency: a channel, a palette entry or a colour key."""
    return image.mode in {"RGBA", "LA", "PA", "RGBa", "La"} or "transparency" in image.info


def to_channels(image: Image.Image) -> Image.Image:
    """A mode that can be resampled: palettes resolved, 16 bits reduced to 8, bits to greys."""
    if image.mode.startswith("I;16") or image.mode == "I":
        # Pillow's own conversion clips at 255 instead of scaling.
        return image.convert("I").point(lambda value: value / 257).convert("L")
    if has_alpha(image) and image.mode not in {"RGBA", "LA"}:
        return image.convert("RGBA")
    if image.mode in _KEEPS_MODE:
        return image
    return image.convert("L" if image.mode == "1" else "RGB")


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Apply the embedded profile, so that it can be dropped; alpha passes through.

    A profile that cannot be read, or is not for this colour model, is treated as absent.
    """
    alpha = image.getchannel("A") if image.mode in {"RGBA", "LA"} else None
    colours = image.convert("RGB" if image.mode == "RGBA" else "L") if alpha else image
    if profile and len(profile) <= _MAX_PROFILE_BYTES:
        colours = _apply(colours, profile)
    if colours.mode not in {"RGB", "L"}:
        colours = colours.convert("RGB")
    # A channel that hides nothing would only make the result larger, or keep it from being JPEG.
    if alpha is None or alpha.getextrema() == (255, 255):
        return colours
    result = colours.convert("RGB")
    result.putalpha(alpha)
    return result


def on_white(image: Image.Image) -> Image.Image:
    """Without alpha, as a sheet of paper would show it."""
    if image.mode != "RGBA":
        return image
    sheet = Image.new("RGB", image.size, "white")
    sheet.paste(image, mask=image.getchannel("A"))
    return sheet


def _apply(image: Image.Image, profile: bytes) -> Image.Image:
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        if image.mode == "RGB" and "srgb" in ImageCms.getProfileDescription(source).lower():
            return image
        target = ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(image, source, target, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return image
    return converted or image
