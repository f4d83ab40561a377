"""A small signing client over httpx that sends exactly the path it is given."""

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import quote, urlsplit

import httpx

from vexobj_s3compat.sigv4.canonical import uri_encode
from vexobj_s3compat.sigv4.signer import Signer
from vexobj_s3compat.xml import Element, child_text, parse


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def xml(self, root: str) -> Element:
        return parse(self.body, root)

    @property
    def error(self) -> str:
        """The code of an error document."""
        return child_text(self.xml("Error"), "Code") or ""


class S3TestClient:
    """One identity at one endpoint; `signer` None is an anonymous caller."""

    def __init__(
        self,
        base_url: str,
        signer: Signer | None,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        parts = urlsplit(base_url)
        self.signer = signer
        self.host = parts.netloc
        self.root = parts.path.rstrip("/")
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self.base_url = base_url
        self.now = clock
        self._http = httpx.AsyncClient(timeout=60, trust_env=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        await self._http.aclose()

    def path(self, bucket: str = "", key: bytes | None = None) -> bytes:
        """The raw path of a bucket, or of a key whose slashes are kept."""
        path = f"{self.root}/{bucket}"
        return (path if key is None else f"{path}/{uri_encode(key, safe='/')}").encode()

    async def send(
        self,
        method: str,
        path: bytes,
        query: str = "",
        *,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        payload_hash: str | None = None,
    ) -> Answer:
        """One request, signed by header if there is a signer; `query` is sent as it is."""
        sent = {"host": self.host, **(headers or {})}
        if self.signer is not None:
            sent = self.signer.sign(
                method,
                path,
                query.encode(),
                sent,
                now=self.now(),
                payload_hash=payload_hash or hashlib.sha256(body).hexdigest(),
            )
        return await self.raw(method, path, query, body=body, headers=sent)

    async def raw(
        self, method: str, path: bytes, query: str, *, body: bytes, headers: Mapping[str, str]
    ) -> Answer:
        """A request as it stands."""
        target = path + (b"?" + query.encode() if query else b"")
        request = self._http.build_request(
            method,
            self._origin,
            headers=dict(headers),
            content=body or None,
            extensions={"target": target},
        )
        if not body and method in {"PUT", "POST"}:
            request.headers["content-length"] = "0"
        response = await self._http.send(request, stream=True)
        try:
            received = b"".join([chunk async for chunk in response.aiter_raw()])
        finally:
            await response.aclose()
        found = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, found, received)

    async def presigned(
        self, method: str, path: bytes, query: str = "", *, expires: int = 60, body: bytes = b""
    ) -> Answer:
        """One request through a URL signed by query."""
        assert self.signer is not None
        signed = self.signer.presign(
            method,
            path,
            query.encode(),
            {"host": self.host},
            now=self.now(),
            expires_seconds=expires,
        )
        return await self.raw(method, path, signed.decode(), body=body, headers={"host": self.host})

    async def bucket(self, name: str) -> str:
        """Create a bucket."""
        answer = await self.send("PUT", self.path(name))
        assert answer.status == 200, answer
        return name

    async def put(
        self, bucket: str, key: bytes, body: bytes, headers: Mapping[str, str] | None = None
    ) -> Answer:
        answer = await self.send("PUT", self.path(bucket, key), body=body, headers=headers)
        assert answer.status == 200, answer
        return answer

    async def get(
        self, bucket: str, key: bytes, query: str = "", headers: Mapping[str, str] | None = None
    ) -> Answer:
        return await self.send("GET", self.path(bucket, key), query, headers=headers)


def quoted(text: str) -> str:
    """A query value."""
    return quote(text, safe="")
