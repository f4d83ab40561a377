"""A thin asynchronous S3 client: signed requests over httpx, no retries, nothing hidden."""

import hashlib
import ssl
import time
from collections.abc import Mapping
from typing import Self
from urllib.parse import quote, urlencode, urlsplit

import httpx

from support.endpoint import Endpoint
from vexobj_s3compat.sigv4.signer import Signer


def signed_headers(
    endpoint: Endpoint,
    method: str,
    url: str,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    *,
    payload: str | None = None,
) -> dict[str, str]:
    """What has to be sent for `url`, which is percent-encoded already.

    `payload` stands in for the hash of the body.
    """
    parts = urlsplit(url)
    return Signer(endpoint.access_key_id, endpoint.secret_access_key, endpoint.region).sign(
        method,
        parts.path.encode(),
        parts.query.encode(),
        {"host": parts.netloc, **(headers or {})},
        now=time.time(),
        payload_hash=payload or hashlib.sha256(body).hexdigest(),
    )


_TLS = ssl.create_default_context()
"""Made once: it costs more than a hundred requests."""


class S3:
    """Bound to one endpoint; `request` returns whatever came, errors of the wire pass through."""

    def __init__(self, endpoint: Endpoint, *, timeout: float = 30) -> None:
        self.endpoint = endpoint
        self.http = httpx.AsyncClient(timeout=timeout, verify=_TLS, trust_env=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.aclose()

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
        return await self.http.request(method, url, content=body, headers=sent)
