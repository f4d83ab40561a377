"""An object on its way from the server."""

from collections.abc import Iterator, Mapping

import httpx

from vexobj_sdk.body import CHUNK_BYTES
from vexobj_sdk.errors import broke_off


class Download:
    """The stored bytes, as they are stored. Iterate it, or `read()` it whole, once.

    `size` is the number of bytes to come, None where the server does not tell.
    """

    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self.headers: Mapping[str, str] = response.headers
        self.content_type: str = response.headers.get("content-type", "")
        self.etag: str = response.headers.get("etag", "").strip('"')
        length = response.headers.get("content-length")
        self.size: int | None = int(length) if length is not None else None

    def __iter__(self) -> Iterator[bytes]:
        """Chunks of at most 256 KiB; raises ConnectionFailed if they end too early."""
        try:
            # Not iter_bytes: it would undo a Content-Encoding that the object is stored with.
            yield from self._response.iter_raw(CHUNK_BYTES)
        except httpx.RequestError as error:
            raise broke_off("the download", error) from error

    def read(self) -> bytes:
        return b"".join(self)
