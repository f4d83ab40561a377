"""A native upload's body: plain bytes under a progress deadline, and what was promised of them."""

import base64
import binascii
from collections.abc import AsyncIterator, Mapping

from vexobj_s3compat import Hasher
from vexobj_s3compat.incoming import Incoming
from vexobj_server.transfer.errors import RestError

_NO_HASHERS: Mapping[str, Hasher] = {}


class UploadBody:
    """A `vexobj_s3compat.Body` over plain bytes."""

    def __init__(self, incoming: Incoming, headers: Mapping[str, str]) -> None:
        self.size = _size(headers)
        self.hashers = _NO_HASHERS
        self._incoming = incoming
        self._md5 = _content_md5(headers.get("content-md5"))
        self._sha256 = _hex_digest(headers.get("x-vexobj-sha256"))

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (chunk := await self._incoming.chunk()) is not None:
            if chunk:
                yield chunk

    async def read(self) -> bytes:
        chunks = [chunk async for chunk in self]
        data = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        if self.size is not None and len(data) != self.size:
            raise _mismatch("IncompleteBody", "the body is not as long as announced")
        return data

    def verify(self, *, md5: bytes | None = None, sha256: bytes | None = None) -> None:
        """Raises: RestError (400)."""
        if self._md5 is not None and self._md5 != md5:
            raise _mismatch("BadDigest", "Content-MD5 does not match the body")
        if self._sha256 is not None and self._sha256 != sha256:
            raise _mismatch("BadDigest", "x-vexobj-sha256 does not match the body")

    def checksum(self) -> tuple[str, str] | None:
        return None


def _size(headers: Mapping[str, str]) -> int | None:
    length = headers.get("content-length")
    if length is not None and length.isascii() and length.isdigit():
        return int(length)
    return None if "transfer-encoding" in headers else 0


def _content_md5(value: str | None) -> bytes | None:
    if value is None:
        return None
    try:
        digest = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        digest = b""
    if len(digest) != 16:
        raise _mismatch("InvalidDigest", "Content-MD5 is not a base64 MD5")
    return digest


def _hex_digest(value: str | None) -> bytes | None:
    if value is None:
        return None
    try:
        digest = bytes.fromhex(value)
    except ValueError:
        digest = b""
    if len(digest) != 32:
        raise _mismatch("InvalidDigest", "x-vexobj-sha256 is not a hex SHA-256")
    return digest


def _mismatch(code: str, sentence: str) -> RestError:
    return RestError(400, code, sentence)
