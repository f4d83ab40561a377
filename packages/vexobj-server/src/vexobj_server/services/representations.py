"""What a read of an object is answered with: the object, or a variant that its query asks for."""

from collections.abc import Collection, Mapping

from vexobj_processing import parse_transform
from vexobj_s3compat.conditions import check_read
from vexobj_s3compat.errors import NotModified
from vexobj_server.media.errors import MediaUnsupported
from vexobj_server.services.variants import Variant, Variants
from vexobj_storage import Bucket, StoredObject

_CONDITIONS = ("if-none-match", "if-modified-since", "if-match", "if-unmodified-since")
_VERSION_PARAMETERS = frozenset({"versionId", "version_id"})

Query = Collection[tuple[str, str]]


async def variant_of(
    variants: Variants,
    bucket: Bucket,
    stored: StoredObject,
    query: Query,
    headers: Mapping[str, str],
) -> Variant | None:
    """None where the original is the answer: nothing is asked, nothing can be, or may be.

    Where the conditions among `headers` will make it a 304, nothing is rendered and the variant
    has no bytes: `serve_content` decides by the same ETag and date, and needs none.

    Raises:
        InvalidTransform, ImageUnreadable, LimitExceeded, JobFailed.
        MediaUnavailable.
        PreconditionFailed: decided without rendering.
    """
    if bucket.settings.get("transforms", "open") == "off" or not variants.applies(stored):
        return None
    transform = parse_transform(query)
    if transform is None:
        return None
    accept = headers.get("accept")
    if any(name in headers for name in _CONDITIONS):
        etag = variants.etag(stored, transform, accept)
        try:
            check_read(headers, etag, stored.version.modified_at)
        except NotModified:
            return Variant(b"", "", etag, transform.negotiated, "hit")
    try:
        return await variants.variant(stored, transform, accept)
    except MediaUnsupported:
        return None


def variant_headers(variant: Variant) -> list[tuple[str, str]]:
    headers: list[tuple[str, str]] = [("x-vexobj-cache", variant.cache)]
    if variant.negotiated:
        headers.append(("vary", "Accept"))
    return headers


def variant_freshness(stored: StoredObject, query: Query, *, public: bool) -> dict[str, str]:
    """The original's Cache-Control and Expires; what an unnamed caller may read is `public`.

    Without them: a version that was asked for by its id stays as it is for ever, and what may be
    overwritten is asked for again: at once where somebody's rights had to be looked at.
    """
    kept = stored.version.attributes.headers
    headers = {name: kept[name] for name in ("cache-control", "expires") if name in kept}
    if headers:
        return headers
    if not public:
        return {"cache-control": "private, no-cache"}
    pinned = stored.version.version_id != "null" and any(
        name in _VERSION_PARAMETERS for name, _ in query
    )
    return {"cache-control": f"public, max-age={'31536000, immutable' if pinned else '300'}"}
