"""The source of a copy: found, allowed, and as its conditions want it."""

from vexobj_auth import Principal
from vexobj_s3compat.conditions import check_copy_source
from vexobj_s3compat.errors import InvalidRequest
from vexobj_s3compat.types import CopySource
from vexobj_server.services.access import Access
from vexobj_storage import Bucket, ObjectStore, StoredObject


async def readable_source(
    store: ObjectStore, access: Access, principal: Principal | None, source: CopySource
) -> tuple[Bucket, StoredObject]:
    """Raises: AccessRefused, NoSuchBucket, NoSuchKey, NoSuchVersion, PreconditionFailed."""
    bucket = await store.bucket(source.bucket)
    stored = await access.readable(store, principal, bucket, source.key, source.version_id)
    version = stored.version
    if version.is_delete_marker:
        raise InvalidRequest(
            "The source of a copy request may not specifically refer to a delete marker by "
            "version id."
        )
    check_copy_source(source, version.etag, version.modified_at)
    return bucket, stored
