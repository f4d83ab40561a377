"""What clients are told of when an object expires, as the header `x-amz-expiration` has it."""

from collections.abc import Mapping, Sequence
from email.utils import format_datetime
from typing import Any
from urllib.parse import quote

from vexobj_storage import Bucket, LifecycleRule, ObjectVersion, expiration, lifecycle_of

_CACHED = 1000


class Expirations:
    """Rules are parsed once for as long as the bucket stays as it is."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Mapping[str, Any], Sequence[LifecycleRule]]] = {}

    def of(self, bucket: Bucket, version: ObjectVersion) -> str | None:
        """None when nothing makes it expire; always so in a bucket without rules, for a look-up."""
        settings = bucket.settings
        if "lifecycle" not in settings or not version.is_latest:
            return None
        known = self._known.get(bucket.id)
        if known is None or known[0] is not settings:
            if len(self._known) >= _CACHED:
                self._known.clear()
            known = self._known[bucket.id] = (settings, lifecycle_of(bucket))
        told = expiration(known[1], version)
        if told is None:
            return None
        at, rule_id = told
        return f'expiry-date="{format_datetime(at, usegmt=True)}", rule-id="{quote(rule_id)}"'
