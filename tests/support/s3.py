"""A thin asynchronous S3 client: signed requests over httpx, no retries, nothing hidden."""

import hashlib
from collections.abc import Mapping
from types import TracebackType
from typing import Self
from urllib.parse import quote, urlencode

import httpx
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from support.endpoint import Endpoint


def signed_headers(
    endpoint: Endpoint,
    method: str,
    url: str,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """What has to be sent for `url`, which is percent-encoded already."""
    request = AWSRequest(method=method, url=url, data=body, headers=dict(headers or {}))
    request.headers["x-amz-content-sha256"] = hashlib.sha256(body).hexdigest()
    S3SigV4Auth(
        Credentials(endpoint.access_key_id, endpoint.secret_access_key), "s3", endpoint.region
    ).add_auth(request)
    return dict(request.headers.items())


class S3:
    """Bound to one endpoint; `request` returns whatever came, errors of the wire pass through."""

    def __init__(self, endpoint: Endpoint, *, timeout: float = 30) -> None:
        self.endpoint = endpoint
        self._http = httpx.AsyncClient(timeout=timeout)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._http.aclose()

    async def request(
        self,
        method: str,
        bucket: str,
        key: str = "",
        body: bytes = b"",
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        url = f"{self.endpoint.url}/{bucket}/{quote(key)}"
        if query:
            url += "?" + urlencode(query)
        sent = signed_headers(self.endpoint, method, url, body, headers)
        return await self._http.request(method, url, content=body, headers=sent)
