"""The client: one server, one key, bodies streamed both ways."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from types import TracebackType
from typing import IO, Any, Self
from urllib.parse import quote, urlencode

import httpx

from vexobj_sdk.errors import ConnectionFailed, error_from
from vexobj_sdk.models import ApiKey, Bucket, CreatedApiKey, ObjectMeta, ObjectPage, Permissions
from vexobj_sdk.models import Stats as ServerStats

_CHUNK = 256 * 1024

Body = bytes | str | IO[bytes] | Iterable[bytes]


class Download:
    """An object on its way. Iterate it, or `read()` it whole."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self.content_type: str = response.headers.get("content-type", "")
        self.etag: str = response.headers.get("etag", "")
        length = response.headers.get("content-length")
        self.size: int | None = int(length) if length is not None else None

    def __iter__(self) -> Iterator[bytes]:
        """Chunks as they arrive; raises ConnectionFailed if they end too early."""
        try:
            yield from self._response.iter_bytes(_CHUNK)
        except httpx.TransportError as error:
            raise ConnectionFailed(f"the download broke off: {error}") from error

    def read(self) -> bytes:
        return b"".join(self)


class VexObj:
    """Methods raise the errors of `vexobj_sdk.errors`. Use it as a context manager, or `close`."""

    def __init__(
        self,
        url: str = "http://127.0.0.1:8000",
        key: str | None = None,
        *,
        timeout_seconds: float = 30.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        headers = {"authorization": f"Bearer {key}"} if key else {}
        self._http = httpx.Client(
            base_url=url.rstrip("/"), headers=headers, timeout=timeout_seconds, transport=transport
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def create_bucket(self, name: str, *, public: bool = False) -> Bucket:
        return Bucket.parse(
            self._json("POST", "/v1/buckets", json={"name": name, "public": public})
        )

    def list_buckets(self) -> list[Bucket]:
        return [Bucket.parse(item) for item in self._json("GET", "/v1/buckets")["buckets"]]

    def get_bucket(self, name: str) -> Bucket:
        return Bucket.parse(self._json("GET", _bucket(name)))

    def update_bucket(self, name: str, *, public: bool) -> Bucket:
        return Bucket.parse(self._json("PATCH", _bucket(name), json={"public": public}))

    def delete_bucket(self, name: str) -> None:
        """Raises Conflict while the bucket holds anything."""
        self._request("DELETE", _bucket(name))

    def put_object(
        self,
        bucket: str,
        key: str,
        body: Body,
        *,
        content_type: str | None = None,
        cache_control: str | None = None,
    ) -> ObjectMeta:
        """Store a body; files and iterables are sent as they are read."""
        headers = {"content-type": content_type, "cache-control": cache_control}
        answer = self._request(
            "PUT",
            _object(bucket),
            params={"key": key},
            content=body,
            headers={name: value for name, value in headers.items() if value is not None},
        )
        return ObjectMeta.parse(answer.json())

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
        headers = {}
        if first or last is not None:
            headers["range"] = f"bytes={first}-{'' if last is None else last}"
        params = {"key": key} | ({"version_id": version_id} if version_id else {})
        with self._stream(_object(bucket), params, headers) as response:
            yield Download(response)

    def head_object(self, bucket: str, key: str) -> Mapping[str, str]:
        """The headers that a GET would have."""
        return self._request("HEAD", _object(bucket), params={"key": key}).headers

    def delete_object(self, bucket: str, key: str, *, version_id: str | None = None) -> None:
        params = {"key": key} | ({"version_id": version_id} if version_id else {})
        self._request("DELETE", _object(bucket), params=params)

    def list_objects(
        self,
        bucket: str,
        *,
        prefix: str = "",
        delimiter: str = "",
        continuation_token: str | None = None,
        max_keys: int = 1000,
    ) -> ObjectPage:
        """One page; `iterate_objects` walks them all."""
        params: dict[str, str | int] = {
            "prefix": prefix, "delimiter": delimiter, "max_keys": max_keys
        }  # fmt: skip
        if continuation_token is not None:
            params["continuation_token"] = continuation_token
        path = f"/v1/objects/{quote(bucket, safe='')}"
        return ObjectPage.parse(self._json("GET", path, params=params))

    def iterate_objects(self, bucket: str, *, prefix: str = "") -> Iterator[ObjectMeta]:
        token: str | None = None
        while True:
            page = self.list_objects(bucket, prefix=prefix, continuation_token=token)
            yield from page.objects
            token = page.next_token
            if token is None:
                return

    def image_url(self, bucket: str, key: str, **transform: str | int) -> str:
        """Where an image is delivered as `transform` says: w, h, format, quality, fit."""
        query = urlencode({"key": key, **transform})
        return f"{str(self._http.base_url).rstrip('/')}{_object(bucket)}?{query}"

    def create_api_key(
        self,
        name: str,
        *,
        permissions: Permissions | None = None,
        buckets: Iterable[str] | None = None,
    ) -> CreatedApiKey:
        body: dict[str, Any] = {"name": name}
        if permissions is not None:
            body["permissions"] = asdict(permissions)
        if buckets is not None:
            body["bucket_access"] = {"type": "specific", "buckets": list(buckets)}
        answer = self._json("POST", "/v1/admin/keys", json=body)
        return CreatedApiKey(ApiKey.parse(answer["key"]), answer["secret"])

    def list_api_keys(self) -> list[ApiKey]:
        return [ApiKey.parse(item) for item in self._json("GET", "/v1/admin/keys")["keys"]]

    def delete_api_key(self, key_id: str) -> None:
        """It stops working with the next request that uses it."""
        self._request("DELETE", f"/v1/admin/keys/{quote(key_id, safe='')}")

    def stats(self) -> ServerStats:
        return ServerStats.parse(self._json("GET", "/v1/stats"))

    def gc(self) -> dict[str, Any]:
        """Collect what is due; tells what was freed and what still waits."""
        return self._json("POST", "/v1/admin/gc")

    def health(self) -> dict[str, Any]:
        return self._json("GET", "/health")

    def _json(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self._request(method, path, **options).json()
        return answer

    def _request(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            response = self._http.request(method, path, **options)
        except httpx.TransportError as error:
            raise ConnectionFailed(f"no answer from {self._http.base_url}: {error}") from error
        if response.is_error:
            raise error_from(response)
        return response

    @contextmanager
    def _stream(
        self, path: str, params: Mapping[str, str], headers: Mapping[str, str]
    ) -> Iterator[httpx.Response]:
        try:
            with self._http.stream("GET", path, params=params, headers=headers) as response:
                if response.is_error:
                    response.read()
                    raise error_from(response)
                yield response
        except httpx.TransportError as error:
            raise ConnectionFailed(f"no answer from {self._http.base_url}: {error}") from error


def _bucket(name: str) -> str:
    return f"/v1/buckets/{quote(name, safe='')}"


def _object(bucket: str) -> str:
    """The form with the key in the query: no HTTP library rewrites `..` there."""
    return f"/v1/object/{quote(bucket, safe='')}"
