"""The operations, as one table of data."""

from vexobj_s3compat.operation import Operation
from vexobj_s3compat.operations import (
    acl,
    buckets,
    configuration,
    copy,
    encryption,
    lifecycle,
    listings,
    locks,
    multipart,
    objects,
    service,
    uploads,
)

OPERATIONS: tuple[Operation, ...] = (
    *service.OPERATIONS,
    *buckets.OPERATIONS,
    *configuration.OPERATIONS,
    *encryption.OPERATIONS,
    *lifecycle.OPERATIONS,
    *acl.OPERATIONS,
    *listings.OPERATIONS,
    *locks.OPERATIONS,
    *objects.OPERATIONS,
    *copy.OPERATIONS,
    *multipart.OPERATIONS,
    *uploads.OPERATIONS,
)
