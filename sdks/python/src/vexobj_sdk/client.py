"""The client: one server, one key, bodies streamed both ways."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from typing import Any, TypeVar, Unpack
from urllib.parse import quote, urlencode

from vexobj_sdk.audit import AuditCalls
from vexobj_sdk.backups import BackupCalls
from vexobj_sdk.body import Body, content_of
from vexobj_sdk.connection import Connection, each, given
from vexobj_sdk.download import Download
from vexobj_sdk.lifecycle import LifecycleCalls
from vexobj_sdk.models import (
    ApiKey,
    Bucket,
    BucketObjectLock,
    BucketSettings,
    CreatedApiKey,
    GcResult,
    Health,
    Identity,
    ObjectList,
    ObjectMeta,
    Permissions,
    Transform,
)
from vexobj_sdk.models import Stats as ServerStats
from vexobj_sdk.scrub import ScrubCalls
from vexobj_sdk.usage import UsageCalls
from vexobj_sdk.versions import VersionCalls
from vexobj_sdk.webhooks import WebhookCalls

T = TypeVar("T")


class VexObj(
    VersionCalls,
    LifecycleCalls,
    UsageCalls,
    ScrubCalls,
    AuditCalls,
    WebhookCalls,
    BackupCalls,
    Connection,
):
    """Methods raise the errors of `vexobj_sdk.errors`. Use it as a context manager, or `close`.

    Threads may share it. Raises ValueError for a `url` or `key` that cannot be one.
    """

    def create_bucket(
        self, name: str, *, public: bool = False, object_lock: bool = False
    ) -> Bucket:
        """With `object_lock` it keeps versions, for good. Raises Conflict for a taken name."""
        new = {"name": name, "public": public, "object_lock": object_lock}
        return self._json(Bucket.parse, "POST", "/v1/buckets", json=new)

    def list_buckets(self) -> list[Bucket]:
        """Those that the key may see."""
        return self._json(each("buckets", Bucket.parse), "GET", "/v1/buckets")

    def get_bucket(self, name: str) -> Bucket:
        return self._json(Bucket.parse, "GET", _bucket(name))

    def update_bucket(
        self,
        name: str,
        *,
        public: bool | None = None,
        settings: BucketSettings | None = None,
        object_lock: BucketObjectLock | None = None,
    ) -> Bucket:
        """What is None stays as it is. Raises Conflict for object lock without versioning."""
        change: dict[str, Any] = given(public=public)
        if settings is not None:
            change["settings"] = asdict(settings)
        if object_lock is not None:
            change["object_lock"] = asdict(object_lock)
        return self._json(Bucket.parse, "PATCH", _bucket(name), json=change)

    def delete_bucket(self, name: str) -> None:
        """Raises Conflict while the bucket holds anything."""
        self._request("DELETE", _bucket(name))

    def put_object(
        self,
        bucket: str,
        key: str,
        body: Body,
        *,
        size: int | None = None,
        content_type: str | None = None,
        cache_control: str | None = None,
        content_disposition: str | None = None,
        content_encoding: str | None = None,
        metadata: Mapping[str, str] | None = None,
        sha256: str | None = None,
        if_match: str | None = None,
        if_none_match: str | None = None,
    ) -> ObjectMeta:
        """Store a body; files (from where they stand) and iterables are sent as they are read.

        It is on the server's disk when this returns. What breaks off stores nothing, an exception
        of the iterable included. `size` is the length of an iterable, if it is known. The server
        compares `sha256` (hex) with what arrives. `if_match` is the ETag to overwrite,
        `if_none_match="*"` refuses to overwrite: Conflict.
        """
        content, framing = content_of(body, size)
        headers = given(
            content_type=content_type,
            cache_control=cache_control,
            content_disposition=content_disposition,
            content_encoding=content_encoding,
            x_vexobj_sha256=sha256,
            if_match=if_match,
            if_none_match=if_none_match,
        )
        return self._json(
            ObjectMeta.parse,
            "PUT",
            _object(bucket),
            params={"key": key},
            content=content,
            headers={name.replace("_", "-"): value for name, value in headers.items()}
            | {f"x-amz-meta-{name}": value for name, value in (metadata or {}).items()}
            | dict(framing),
        )

    stream_upload = put_object

    @contextmanager
    def get_object(
        self,
        bucket: str,
        key: str,
        *,
        first: int = 0,
        last: int | None = None,
        version_id: str | None = None,
    ) -> Iterator[Download]:
        """Open an object, or its bytes from `first` to `last` (both included)."""
        if first < 0 or (last is not None and last < first):
            raise ValueError(f"no range: from byte {first} to {last}")
        headers = {}
        if first or last is not None:
            headers["range"] = f"bytes={first}-{'' if last is None else last}"
        params = given(key=key, version_id=version_id)
        with self._stream(_object(bucket), params, headers) as download:
            yield download

    stream_download = get_object

    def head_object(
        self, bucket: str, key: str, *, version_id: str | None = None
    ) -> Mapping[str, str]:
        """The headers that a GET would have; names in any case."""
        params = given(key=key, version_id=version_id)
        return self._request("HEAD", _object(bucket), params=params).headers

    def delete_object(
        self,
        bucket: str,
        key: str,
        *,
        version_id: str | None = None,
        bypass_governance: bool | None = None,
    ) -> None:
        """Raises NotFound when there is none, Conflict when it is locked.

        With an admin key `bypass_governance` passes over a retention in governance mode.
        """
        params = given(key=key, version_id=version_id, bypass_governance=bypass_governance)
        self._request("DELETE", _object(bucket), params=params)

    def list_objects(
        self,
        bucket: str,
        *,
        prefix: str = "",
        delimiter: str = "",
        continuation_token: str | None = None,
        max_keys: int = 1000,
    ) -> ObjectList:
        """One page of at most 1000, in the byte order of keys; `iterate_objects` walks them all."""
        params = given(
            prefix=prefix,
            delimiter=delimiter,
            max_keys=max_keys,
            continuation_token=continuation_token,
        )
        path = f"/v1/objects/{quote(bucket, safe='')}"
        return self._json(ObjectList.parse, "GET", path, params=params)

    def iterate_objects(
        self, bucket: str, *, prefix: str = "", page_size: int = 1000
    ) -> Iterator[ObjectMeta]:
        """Every object, asked for page by page as you go."""
        token: str | None = None
        while True:
            page = self.list_objects(
                bucket, prefix=prefix, continuation_token=token, max_keys=page_size
            )
            yield from page.objects
            token = page.next_continuation_token
            if token is None:
                return

    @contextmanager
    def get_image(
        self, bucket: str, key: str, **transform: Unpack[Transform]
    ) -> Iterator[Download]:
        """Open an image as `transform` says."""
        with self._stream(_object(bucket), {"key": key, **transform}, {}) as download:
            yield download

    def image_url(self, bucket: str, key: str, **transform: Unpack[Transform]) -> str:
        """Where an image is delivered as `transform` says; public buckets need no key there."""
        query = urlencode({"key": key, **transform})
        return f"{str(self._http.base_url).rstrip('/')}{_object(bucket)}?{query}"

    def create_identity(self, display_name: str, *, email: str | None = None) -> Identity:
        body = given(display_name=display_name, email=email)
        return self._json(Identity.parse, "POST", "/v1/admin/identities", json=body)

    def list_identities(self) -> list[Identity]:
        return self._json(each("identities", Identity.parse), "GET", "/v1/admin/identities")

    def create_api_key(
        self,
        name: str,
        *,
        permissions: Permissions | None = None,
        buckets: Iterable[str] | None = None,
        identity: str | None = None,
        expires_at: datetime | None = None,
        access_key_id: str | None = None,
        secret_access_key: str | None = None,
    ) -> CreatedApiKey:
        """Without `permissions` it may read and write, without `buckets` in all of them.

        It is for the caller's own identity unless `identity` names one by its id. An existing
        `access_key_id` and `secret_access_key` may be brought along, both together.
        """
        body: dict[str, Any] = given(
            name=name,
            identity=identity,
            access_key_id=access_key_id,
            secret_access_key=secret_access_key,
        )
        if permissions is not None:
            body["permissions"] = asdict(permissions)
        if buckets is not None:
            body["bucket_access"] = {"type": "specific", "buckets": list(buckets)}
        if expires_at is not None:
            body["expires_at"] = expires_at.isoformat()
        return self._json(CreatedApiKey.parse, "POST", "/v1/admin/keys", json=body)

    def list_api_keys(self) -> list[ApiKey]:
        return self._json(each("keys", ApiKey.parse), "GET", "/v1/admin/keys")

    def delete_api_key(self, key_id: str) -> None:
        """It stops working with the next request that uses it. The last admin key stays."""
        self._request("DELETE", f"/v1/admin/keys/{quote(key_id, safe='')}")

    def stats(self) -> ServerStats:
        return self._json(ServerStats.parse, "GET", "/v1/stats")

    def gc(self) -> GcResult:
        """Collect what is due; tells what was freed and what still waits."""
        return self._json(GcResult.parse, "POST", "/v1/admin/gc")

    def health(self) -> Health:
        """Raises Throttled (503) when the server is not well."""
        return self._json(Health.parse, "GET", "/health")


def _bucket(name: str) -> str:
    return f"/v1/buckets/{quote(name, safe='')}"


def _object(bucket: str) -> str:
    """The form with the key in the query: no HTTP library rewrites `..` there."""
    return f"/v1/object/{quote(bucket, safe='')}"
