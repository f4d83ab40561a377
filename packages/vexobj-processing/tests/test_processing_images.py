"""Rendering: geometry on pixels, colour, metadata, and what is refused."""

import struct
import zlib
from io import BytesIO

import pytest
from PIL import Image, ImageCms, ImageOps, PngImagePlugin, features

from vexobj_processing import (
    Encoding,
    Fit,
    Format,
    ImageUnreadable,
    LimitExceeded,
    Limits,
    Transform,
    UnsupportedImage,
    negotiate,
    probe,
    transform,
)
from vexobj_processing.testing import PHOTOS, decoded, encoded, photo, psnr, scene

PNG = Transform(format=Format.PNG)


@pytest.mark.parametrize("name", PHOTOS)
@pytest.mark.parametrize("source_format", ["JPEG", "PNG", "WEBP", "BMP"])
def test_resampling_agrees_with_a_plain_full_decode(name: str, source_format: str) -> None:
    options = {"quality": 95} if source_format in {"JPEG", "WEBP"} else {}
    source = encoded(photo(name, (1600, 1200)), source_format, **options)
    result = transform(source, Transform(300, 200, format=Format.PNG))
    plain = ImageOps.fit(decoded(source).convert("RGB"), (300, 200), Image.Resampling.LANCZOS)
    assert psnr(decoded(result.data).convert("RGB"), plain) > 38


@pytest.mark.parametrize("target", list(Format))
def test_every_format_is_written_and_said(target: Format) -> None:
    source = encoded(photo(size=(400, 300)), "JPEG", quality=95)
    result = transform(source, Transform(200, 100, format=target))
    image = decoded(result.data)
    assert (image.format or "").lower() == target.value
    assert result.content_type == f"image/{target.value}"
    assert image.size == (result.width, result.height) == (200, 100)
    reference = ImageOps.fit(decoded(source), (200, 100), Image.Resampling.LANCZOS)
    assert psnr(image.convert("RGB"), reference) > 25


@pytest.mark.parametrize("target", [Format.JPEG, Format.WEBP, Format.AVIF])
def test_quality_is_honoured_by_each_lossy_format(target: Format) -> None:
    source = encoded(photo(), "PNG")
    sizes = [
        len(transform(source, Transform(200, format=target, quality=quality)).data)
        for quality in (10, 50, 95)
    ]
    assert sizes == sorted(set(sizes))


def test_default_qualities_are_those_of_the_encoding() -> None:
    source = encoded(photo(), "PNG")
    low = transform(source, Transform(200), encoding=Encoding(jpeg_quality=10))
    assert low == transform(source, Transform(200, quality=10))


def test_jpeg_is_progressive() -> None:
    assert decoded(transform(encoded(photo(), "PNG"), Transform(200)).data).info["progressive"]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("source_format", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_orientation_is_applied_before_cropping(orientation: int, source_format: str) -> None:
    upright = scene(256, 160)
    exif = Image.Exif()
    exif[0x0112] = orientation
    # exif_transpose is an involution for all but 6 and 8, which undo each other.
    inverse = {6: 8, 8: 6}.get(orientation, orientation)
    turning = Image.Exif()
    turning[0x0112] = inverse
    stored = upright.copy()
    stored.info["exif"] = turning.tobytes()
    stored = ImageOps.exif_transpose(stored)
    source = encoded(stored, source_format, exif=exif.tobytes(), quality=95)
    assert (probe(source).width, probe(source).height) == (256, 160)
    assert probe(source).orientation == orientation
    result = decoded(transform(source, Transform(96, 80, format=Format.PNG)).data)
    expected = ImageOps.fit(upright, (96, 80), Image.Resampling.LANCZOS)
    assert psnr(result, expected) > 32
    assert result.getexif().get(0x0112, 1) == 1


def test_nothing_is_enlarged_unless_asked() -> None:
    source = encoded(photo(size=(60, 40)), "PNG")
    assert transform(source, Transform(600)).width == 60
    assert transform(source, Transform(600, enlarge=True)).width == 600


def _swapped_profile() -> bytes:
    """An sRGB profile whose red and blue primaries are exchanged: no viewer can miss it."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = struct.unpack_from(">I", data, 128)[0]
    where = {bytes(data[132 + 12 * i : 136 + 12 * i]): 132 + 12 * i for i in range(count)}
    red, blue = where[b"rXYZ"], where[b"bXYZ"]
    data[red + 4 : red + 12], data[blue + 4 : blue + 12] = (
        data[blue + 4 : blue + 12],
        data[red + 4 : red + 12],
    )
    return bytes(data).replace("sRGB".encode("utf-16-be"), "BGRs".encode("utf-16-be"))


@pytest.mark.parametrize("target", list(Format))
def test_icc_profile_is_applied_and_dropped(target: Format) -> None:
    source = encoded(Image.new("RGB", (40, 40), (255, 0, 0)), "PNG", icc_profile=_swapped_profile())
    image = decoded(transform(source, Transform(format=target)).data)
    red, green, blue = image.convert("RGB").getpixel((20, 20))  # type: ignore[misc]
    assert blue > 240
    assert max(red, green) < 20
    assert "icc_profile" not in image.info


def test_icc_profile_keeps_alpha() -> None:
    source = encoded(
        Image.new("RGBA", (40, 40), (255, 0, 0, 128)), "PNG", icc_profile=_swapped_profile()
    )
    pixel = decoded(transform(source, PNG).data).getpixel((20, 20))
    assert pixel == pytest.approx((0, 0, 255, 128), abs=12)


def test_a_broken_profile_is_ignored() -> None:
    source = encoded(Image.new("RGB", (40, 40), (255, 0, 0)), "PNG", icc_profile=b"no profile")
    assert decoded(transform(source, PNG).data).getpixel((9, 9)) == (255, 0, 0)


def test_cmyk_becomes_rgb() -> None:
    source = encoded(photo(size=(400, 300)).convert("CMYK"), "JPEG", quality=95)
    result = decoded(transform(source, Transform(200, format=Format.PNG)).data)
    assert result.mode == "RGB"
    expected = photo(size=(400, 300)).resize((200, 150), Image.Resampling.LANCZOS)
    assert psnr(result, expected) > 30


def _png16(width: int, height: int) -> bytes:
    """A 16-bit grey ramp, made by hand because Pillow's writer is not what is tested."""
    rows = b"".join(
        b"\0" + b"".join(struct.pack(">H", x * 65535 // (width - 1)) for x in range(width))
        for _ in range(height)
    )
    return _png(struct.pack(">IIBBBBB", width, height, 16, 0, 0, 0, 0), rows)


def _png(header: bytes, rows: bytes) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    compressed = zlib.compress(rows, 9)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", compressed)
        + chunk(b"IEND", b"")
    )


def test_sixteen_bits_are_scaled_not_clipped() -> None:
    image = decoded(transform(_png16(256, 4), PNG).data)
    assert [image.getpixel((x, 0)) for x in (0, 64, 128, 255)] == [0, 64, 128, 255]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
@pytest.mark.parametrize("target", list(Format))
def test_every_mode_reaches_every_format(mode: str, target: Format) -> None:
    source = encoded(photo(size=(80, 60)).convert(mode), "PNG")
    result = decoded(transform(source, Transform(40, format=target)).data)
    expected = (
        photo(size=(80, 60)).convert(mode).convert("RGB").resize((40, 30), Image.Resampling.LANCZOS)
    )
    assert result.size == (40, 30)
    assert psnr(result.convert("RGB"), expected) > 15


def test_interlaced_and_progressive_sources() -> None:
    rows = [b"\0" + bytes([row]) for row in range(1)]
    interlaced = _png(struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 1), b"".join(rows))
    assert transform(interlaced, PNG).width == 1
    progressive = encoded(photo(), "JPEG", progressive=True, quality=95)
    baseline = encoded(photo(), "JPEG", quality=95)
    one, other = (
        decoded(transform(data, Transform(99, format=Format.PNG)).data)
        for data in (progressive, baseline)
    )
    assert psnr(one, other) > 50


def _transparent() -> dict[str, bytes]:
    image = photo(size=(64, 64))
    mask = Image.linear_gradient("L").resize((64, 64))
    image.putalpha(mask)
    palette = Image.new("P", (64, 64), 1)
    palette.putpalette([255, 0, 0, 0, 255, 0])
    palette.paste(0, (0, 0, 64, 32))
    return {
        "rgba": encoded(image, "PNG"),
        "la": encoded(image.convert("LA"), "PNG"),
        "webp": encoded(image, "WEBP"),
        "avif": encoded(image, "AVIF"),
        "palette": encoded(palette, "PNG", transparency=0),
        "gif": encoded(palette, "GIF", transparency=0),
        "colour key": encoded(palette.convert("RGB"), "PNG", transparency=(255, 0, 0)),
    }


@pytest.mark.parametrize("name", list(_transparent()))
@pytest.mark.parametrize("accept", ["*/*", "image/jpeg", "image/webp", "image/avif", "image/png"])
def test_alpha_is_never_lost_by_negotiation(name: str, accept: str) -> None:
    source = _transparent()[name]
    assert probe(source).has_alpha
    result = transform(source, Transform(32), negotiate(accept))
    assert result.content_type != "image/jpeg"
    alpha = decoded(result.data).convert("RGBA").getchannel("A")
    assert min(alpha.tobytes()) < 40


def test_an_alpha_channel_that_hides_nothing_is_no_alpha() -> None:
    image = photo(size=(64, 64))
    image.putalpha(255)
    assert transform(encoded(image, "PNG"), Transform(32)).content_type == "image/jpeg"


def test_jpeg_by_name_puts_transparency_on_white() -> None:
    source = encoded(Image.new("RGBA", (32, 32), (255, 0, 0, 0)), "PNG")
    image = decoded(transform(source, Transform(format=Format.JPEG)).data)
    assert min(image.getpixel((16, 16))) > 250  # type: ignore[arg-type]


def test_transparent_edges_do_not_bleed() -> None:
    image = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    image.paste((255, 255, 255, 255), (0, 0, 33, 64))
    result = decoded(transform(encoded(image, "PNG"), Transform(16, format=Format.PNG)).data)
    seen = [result.getpixel((x, 8)) for x in range(16)]
    assert all(min(pixel[:3]) > 250 for pixel in seen if pixel[3] > 8)  # type: ignore[index]


def test_large_avif_becomes_the_next_acceptable_format() -> None:
    source = encoded(photo(size=(64, 64)), "PNG")
    encoding = Encoding(avif_max_pixels=1000)

    def answer(accept: str, asked: Transform) -> str:
        return transform(source, asked, negotiate(accept), encoding=encoding).content_type

    assert answer("image/avif", Transform(30)) == "image/avif"
    assert answer("image/avif,image/webp,*/*", Transform(60)) == "image/webp"
    assert answer("image/avif,*/*;q=0.1", Transform(60)) == "image/jpeg"
    assert answer("*/*", Transform(60, format=Format.AVIF)) == "image/avif"


SECRET = b"secret-51.5007N"


def _with_metadata(source_format: str) -> bytes:
    image = photo(size=(64, 48))
    exif = Image.Exif()
    exif[0x010E] = SECRET.decode()
    exif.get_ifd(0x8825)[1] = SECRET.decode()
    xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>" + SECRET + b"</x:xmpmeta>"
    match source_format:
        case "JPEG":
            return encoded(
                image, "JPEG", exif=exif.tobytes(), xmp=xmp, comment=SECRET, dpi=(72, 72)
            )
        case "PNG":
            text = PngImagePlugin.PngInfo()
            text.add_text("Comment", SECRET.decode())
            text.add_itxt("XML:com.adobe.xmp", xmp.decode())
            return encoded(image, "PNG", exif=exif.tobytes(), pnginfo=text)
        case "GIF":
            return encoded(image, "GIF", comment=SECRET)
    return encoded(image, source_format, exif=exif.tobytes(), xmp=xmp)


@pytest.mark.parametrize("source_format", ["JPEG", "PNG", "GIF", "WEBP", "AVIF"])
@pytest.mark.parametrize("target", list(Format))
def test_metadata_is_gone(source_format: str, target: Format) -> None:
    source = _with_metadata(source_format)
    assert SECRET in source
    for asked in (Transform(format=target), Transform(32, format=target)):
        data = transform(source, asked).data
        assert SECRET not in data
        assert (
            not {"exif", "xmp", "comment", "icc_profile", "XML:com.adobe.xmp"}
            & decoded(data).info.keys()
        )


def test_animations_give_their_first_frame() -> None:
    frames = [Image.new("RGB", (32, 32), colour) for colour in ("red", "blue")]
    for source_format in ("GIF", "WEBP", "PNG", "AVIF"):
        source = encoded(frames[0], source_format, save_all=True, append_images=frames[1:])
        image = decoded(transform(source, PNG).data)
        assert image.convert("RGB").getpixel((9, 9)) == pytest.approx((255, 0, 0), abs=6)
        assert getattr(image, "n_frames", 1) == 1


def test_several_pictures_in_one_jpeg() -> None:
    source = encoded(photo(size=(800, 600)), "MPO", save_all=True, append_images=[scene(64, 64)])
    assert transform(source, Transform(100)).width == 100
    assert probe(source).format == "jpeg"


def _flat_png(side: int) -> bytes:
    return _png(struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0), b"\0" * (side * (3 * side + 1)))


def _lying_jpeg(side: int) -> bytes:
    data = bytearray(encoded(Image.new("RGB", (16, 16)), "JPEG"))
    start = data.index(b"\xff\xc0")
    data[start + 5 : start + 9] = struct.pack(">HH", side, side)
    return bytes(data)


def _many_scans(count: int) -> bytes:
    """Each makes the decoder go over all of the picture again."""
    data = encoded(Image.new("RGB", (800, 600)), "JPEG", progressive=True)
    scan = data[data.rindex(b"\xff\xda") : -2]
    return data[:-2] + scan * count + data[-2:]


def _flat_webp(side: int) -> bytes:
    return encoded(Image.new("RGB", (side, side)), "WEBP", lossless=True, method=0)


@pytest.mark.parametrize(
    ("bomb", "limit"),
    [
        pytest.param(
            lambda: _png(struct.pack(">IIBBBBB", 9400, 9400, 8, 2, 0, 0, 0), b""),
            "max_source_pixels",
            id="png 9400",
        ),
        pytest.param(
            lambda: _png(struct.pack(">IIBBBBB", 13000, 13000, 8, 2, 0, 0, 0), b""),
            "max_source_pixels",
            id="png 13000",
        ),
        pytest.param(lambda: _lying_jpeg(13000), "max_source_pixels", id="jpeg lie 13000"),
        pytest.param(lambda: _lying_jpeg(64250), "max_source_pixels", id="jpeg lie 64250"),
        pytest.param(lambda: _many_scans(800), "max_scans", id="jpeg of 800 scans"),
        pytest.param(lambda: _flat_webp(7000), "max_memory_bytes", id="webp 7000"),
        pytest.param(lambda: b"\xff" * (50 * 1024**2 + 1), "max_source_bytes", id="bytes"),
    ],
)
def test_bombs_are_refused_by_their_header(bomb: object, limit: str) -> None:
    with pytest.raises(LimitExceeded) as caught:
        transform(bomb(), Transform(300, 200))  # type: ignore[operator]
    assert caught.value.limit == limit


def test_a_bomb_within_limits_is_only_a_large_picture() -> None:
    assert transform(_flat_png(3000), Transform(300, 200)).width == 300
    flat = encoded(Image.new("RGB", (4000, 750)), "AVIF", speed=10)
    assert len(flat) < 2000
    assert transform(flat, Transform(300, 200)).width == 300
    with pytest.raises(LimitExceeded):
        transform(flat, Transform(300), limits=Limits(max_memory_bytes=20_000_000))


@pytest.mark.parametrize("source_format", ["JPEG", "PNG", "WEBP", "GIF", "AVIF", "BMP"])
def test_truncated_and_corrupt_files_are_unreadable(source_format: str) -> None:
    source = encoded(photo(size=(300, 200)), source_format)
    with pytest.raises(ImageUnreadable):
        transform(source[: len(source) // 2], Transform(100))


def test_a_jpeg_that_ends_early_but_properly_is_grey_there() -> None:
    assert transform(_lying_jpeg(6000), Transform(300)).width == 300


def _other_formats() -> dict[str, bytes]:
    image = photo(size=(64, 48))
    made = {
        name: encoded(image, name)
        for name in ("TIFF", "ICO", "PPM", "TGA", "EPS", "PDF", "DDS", "SGI")
    }
    if features.check("jpg_2000"):
        made["JPEG2000"] = encoded(image, "JPEG2000")
    return made | {
        "svg": b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
        "html": b"<!doctype html><p>hello",
        "fits": b"SIMPLE  =                    T" + b" " * 5000,
        "psd": b"8BPS\0\1" + b"\0" * 100,
        "empty": b"",
        "zeros": b"\0" * 5000,
    }


@pytest.mark.parametrize("name", list(_other_formats()))
def test_other_formats_are_not_decoded(name: str) -> None:
    with pytest.raises(UnsupportedImage):
        transform(_other_formats()[name], Transform(10))


def test_avif_under_the_general_brand_of_heif() -> None:
    source = bytearray(encoded(photo(size=(64, 48)), "AVIF"))
    source[8:12] = b"mif1"
    assert transform(bytes(source), Transform(32)).width == 32
    heic = b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic" + bytes(100)
    with pytest.raises(UnsupportedImage):
        transform(heic, Transform(32))


def test_streams_are_read_from_their_beginning() -> None:
    stream = BytesIO(encoded(photo(), "PNG"))
    stream.seek(0, 2)
    assert transform(stream, Transform(20, 20, Fit.CONTAIN)).width == 20
    assert not stream.closed
