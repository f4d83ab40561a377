"""What S3 refuses of a lock whatever a backend keeps, as pure functions over values."""

from datetime import datetime

from vexobj_s3compat.errors import InvalidArgument
from vexobj_s3compat.types import RetentionValue

PROTECTED = "Access Denied because object protected by object lock."
NOT_ENABLED = "Bucket is missing Object Lock Configuration"


def check_future(retention: RetentionValue | None, now: datetime) -> None:
    """Raises: InvalidArgument, for a retention that would be over before it begins."""
    if retention is not None and retention.retain_until <= now:
        raise InvalidArgument("The retain until date must be in the future!")
