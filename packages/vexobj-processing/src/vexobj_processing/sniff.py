"""Formats told apart by their first bytes; what a sender calls them is not asked."""

HEAD_BYTES = 32


def sniff(head: bytes) -> str | None:
    """The content type of a format that can be decoded, from its first `HEAD_BYTES` bytes."""
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "image/webp"
    if head[4:12] in {b"ftypavif", b"ftypavis"}:
        return "image/avif"
    # The general brands of HEIF, which AVIF shares with HEIC: the compatible ones tell.
    if head[4:12] in {b"ftypmif1", b"ftypmsf1"} and b"avi" in head[16:]:
        return "image/avif"
    # Two letters begin many a text; the header that follows them has a known length.
    if head.startswith(b"BM") and head[14:18] in {
        b"\x0c\0\0\0",
        b"\x28\0\0\0",
        b"\x6c\0\0\0",
        b"\x7c\0\0\0",
    }:
        return "image/bmp"
    return None
