"""What a read of an object is answered with: the object, or a variant that its query asks for."""

from collections.abc import Iterable, Mapping

from vexobj_processing import parse_transform
from vexobj_s3compat.conditions import check_read
from vexobj_s3compat.errors import NotModified
from vexobj_server.media.errors import MediaUnsupported
from vexobj_server.services.variants import Variant, Variants
from vexobj_storage import Bucket, StoredObject


async def variant_of(
    variants: Variants,
    bucket: Bucket,
    stored: StoredObject,
    query: Iterable[tuple[str, str]],
    headers: Mapping[str, str],
) -> Variant | None:
    """None where the original is the answer: nothing is asked, nothing can be, or may be.

    Raises:
        InvalidTransform, ImageUnreadable, LimitExceeded, JobFailed.
        MediaUnavailable.
        NotModified, PreconditionFailed: decided without rendering.
    """
    if bucket.settings.get("transforms", "open") == "off" or not variants.applies(stored):
        return None
    transform = parse_transform(query)
    if transform is None:
        return None
    accept = headers.get("accept")
    if "if-none-match" in headers or "if-match" in headers:
        etag = variants.etag(stored, transform, accept)
        try:
            check_read(headers, etag, stored.version.modified_at)
        except NotModified as unchanged:
            unchanged.headers |= {"etag": f'"{etag}"'}
            if transform.negotiated:
                unchanged.headers["vary"] = "Accept"
            raise
    try:
        return await variants.variant(stored, transform, accept)
    except MediaUnsupported:
        return None


def variant_headers(variant: Variant) -> list[tuple[str, str]]:
    headers: list[tuple[str, str]] = [("x-vexobj-cache", variant.cache)]
    if variant.negotiated:
        headers.append(("vary", "Accept"))
    return headers
