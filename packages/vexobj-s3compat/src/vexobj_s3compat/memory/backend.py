"""All groups of operations as one backend."""

from vexobj_s3compat.memory.buckets import BucketOperations
from vexobj_s3compat.memory.listings import ListingOperations
from vexobj_s3compat.memory.locks import LockOperations
from vexobj_s3compat.memory.multipart import MultipartOperations
from vexobj_s3compat.memory.objects import ObjectOperations


class MemoryBackend(
    BucketOperations, ListingOperations, ObjectOperations, MultipartOperations, LockOperations
):
    """Every operation, over dictionaries. Operations are atomic: none awaits midway."""
