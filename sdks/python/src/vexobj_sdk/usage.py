"""Calls about what buckets may hold, and about what takes room on the disk."""

from urllib.parse import quote

from vexobj_sdk.connection import Connection
from vexobj_sdk.models import BucketQuota, Usage


class UsageCalls(Connection):
    def usage(self) -> Usage:
        """What takes room on the disk, and what of it will be free when."""
        return self._json(Usage.parse, "GET", "/v1/admin/usage")

    def get_quota(self, bucket: str) -> BucketQuota:
        return self._json(BucketQuota.parse, "GET", _quota(bucket))

    def set_quota(
        self, bucket: str, *, max_bytes: int | None = None, max_objects: int | None = None
    ) -> BucketQuota:
        """None is no limit. A bucket that holds more keeps it, and does not grow."""
        body = {"max_bytes": max_bytes, "max_objects": max_objects}
        return self._json(BucketQuota.parse, "PUT", _quota(bucket), json=body)

    def reset_quota(self, bucket: str) -> BucketQuota:
        """Hold the bucket to the server's default again, if there is one."""
        return self._json(BucketQuota.parse, "DELETE", _quota(bucket))


def _quota(bucket: str) -> str:
    return f"/v1/admin/quota/{quote(bucket, safe='')}"
