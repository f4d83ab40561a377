"""Calls about the versions of an object and the locks that keep them."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Literal
from urllib.parse import quote

from vexobj_sdk.connection import Connection, given
from vexobj_sdk.models import (
    BucketVersioning,
    ObjectLock,
    ObjectVersion,
    PurgeResult,
    VersionList,
)


class VersionCalls(Connection):
    def get_versioning(self, bucket: str) -> BucketVersioning:
        return self._json(BucketVersioning.parse, "GET", _versioning(bucket))

    def enable_versioning(self, bucket: str, *, suspend: bool = False) -> BucketVersioning:
        """Keep what is overwritten or deleted from now on, or `suspend` that.

        Raises Conflict for suspending it in a bucket with object lock.
        """
        body = {"versioning": "suspended" if suspend else "enabled"}
        return self._json(BucketVersioning.parse, "POST", _versioning(bucket), json=body)

    def list_versions(
        self,
        bucket: str,
        key: str,
        *,
        continuation_token: str | None = None,
        max_versions: int = 1000,
    ) -> VersionList:
        """One page of a key's versions and delete markers, newest first."""
        params = given(key=key, continuation_token=continuation_token, max_versions=max_versions)
        return self._json(VersionList.parse, "GET", _versions(bucket), params=params)

    def iterate_versions(
        self, bucket: str, key: str, *, page_size: int = 1000
    ) -> Iterator[ObjectVersion]:
        """Every version of a key, asked for page by page as you go."""
        token: str | None = None
        while True:
            page = self.list_versions(bucket, key, continuation_token=token, max_versions=page_size)
            yield from page.versions
            token = page.next_continuation_token
            if token is None:
                return

    def purge_versions(
        self, bucket: str, key: str, *, bypass_governance: bool | None = None
    ) -> PurgeResult:
        """Remove an object with all its versions. Raises Conflict when one of them is locked."""
        params = given(key=key, bypass_governance=bypass_governance)
        return self._json(PurgeResult.parse, "DELETE", _versions(bucket), params=params)

    def get_lock(self, bucket: str, key: str, *, version_id: str | None = None) -> ObjectLock:
        params = given(key=key, version_id=version_id)
        return self._json(ObjectLock.parse, "GET", _lock(bucket), params=params)

    def set_lock(
        self,
        bucket: str,
        key: str,
        *,
        retain_until: datetime | None = None,
        legal_hold: bool = False,
        mode: Literal["governance", "compliance"] | None = None,
        version_id: str | None = None,
        bypass_governance: bool | None = None,
    ) -> ObjectLock:
        """Replace retention and legal hold: what is left out is cleared.

        Raises Conflict where a retention under way would end earlier.
        """
        body: dict[str, Any] = {"legal_hold": legal_hold, **given(mode=mode)}
        if retain_until is not None:
            body["retain_until"] = retain_until.isoformat()
        params = given(key=key, version_id=version_id, bypass_governance=bypass_governance)
        return self._json(ObjectLock.parse, "PUT", _lock(bucket), params=params, json=body)

    def release_legal_hold(self, bucket: str, key: str, *, version_id: str | None = None) -> None:
        """A retention stays."""
        self._request("DELETE", _lock(bucket), params=given(key=key, version_id=version_id))


def _versioning(bucket: str) -> str:
    return f"/v1/admin/versioning/{quote(bucket, safe='')}"


def _versions(bucket: str) -> str:
    return f"/v1/versions/{quote(bucket, safe='')}"


def _lock(bucket: str) -> str:
    return f"/v1/admin/lock/{quote(bucket, safe='')}"
