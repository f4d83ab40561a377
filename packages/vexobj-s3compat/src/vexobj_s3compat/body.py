"""A request's payload: aws-chunked taken off, lengths held to, and the client's promises kept.

Source: AWS, "Signature Calculations for the Authorization Header" and "Checking object
integrity". Never holds more than one chunk, except in `read`.
"""

import base64
import binascii
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass

from vexobj_s3compat.checksums import HEADERS as CHECKSUM_HEADERS
from vexobj_s3compat.checksums import RequestChecksum, decode, encode, new_hasher, parse_request
from vexobj_s3compat.content import Hasher
from vexobj_s3compat.errors import (
    BadDigest,
    IncompleteBody,
    InvalidDigest,
    InvalidRequest,
    MissingContentLength,
    XAmzContentSHA256Mismatch,
)
from vexobj_s3compat.incoming import Incoming
from vexobj_s3compat.sigv4 import Verified
from vexobj_s3compat.sigv4.chunked import (
    SIGNED,
    SIGNED_TRAILER,
    UNSIGNED_TRAILER,
    ChunkedDecoder,
    Data,
    Event,
    Trailers,
)
from vexobj_s3compat.sigv4.fields import check_payload_hash
from vexobj_s3compat.sigv4.pending import UNSIGNED_PAYLOAD

_STREAMING = frozenset({SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER})
_LENGTH_DIGITS = 18


@dataclass(frozen=True, slots=True)
class Promise:
    """The digests that a request's headers announce for its payload."""

    md5: bytes | None
    sha256: bytes | None
    checksum: RequestChecksum | None


def parse_promise(headers: Mapping[str, str], payload_hash: str | None) -> Promise:
    """Read Content-MD5, x-amz-content-sha256 and the additional checksum.

    Raises:
        InvalidDigest: Content-MD5 is no MD5.
        InvalidRequest: the additional checksum is not one.
        InvalidArgument: x-amz-content-sha256 is none of its values.
    """
    sha256 = None
    if payload_hash is not None:
        check_payload_hash(payload_hash)
        if payload_hash not in _STREAMING and payload_hash != UNSIGNED_PAYLOAD:
            sha256 = bytes.fromhex(payload_hash)
    content_md5 = headers.get("content-md5")
    return Promise(
        None if content_md5 is None else _parse_md5(content_md5), sha256, parse_request(headers)
    )


def _parse_md5(value: str) -> bytes:
    try:
        digest = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        digest = b""
    if len(digest) != 16:
        raise InvalidDigest(fields={"Content-MD5": value})
    return digest


class RequestBody:
    """`content.Body` over what a client sends."""

    __slots__ = (
        "_decoder",
        "_incoming",
        "_promise",
        "_proved",
        "_trailers",
        "hashers",
        "size",
    )

    def __init__(
        self,
        incoming: Incoming,
        promise: Promise,
        size: int | None,
        decoder: ChunkedDecoder | None,
    ) -> None:
        self._incoming = incoming
        self._promise = promise
        self._decoder = decoder
        self._trailers: Mapping[str, str] = {}
        self._proved: tuple[str, str] | None = None
        self.size = size
        self.hashers: Mapping[str, Hasher] = {}
        checksum = promise.checksum
        if checksum is not None and checksum.algorithm != "SHA256":
            self.hashers = {checksum.algorithm: new_hasher(checksum.algorithm)}

    async def __aiter__(self) -> AsyncIterator[bytes]:
        received = 0
        while (raw := await self._incoming.chunk()) is not None:
            for data in self._decode(raw):
                received += len(data)
                if self.size is not None and received > self.size:
                    raise IncompleteBody
                yield data
        if self._decoder is not None:
            self._note(self._decoder.close())
        if self.size is not None and received != self.size:
            raise IncompleteBody

    def _decode(self, raw: bytes) -> Iterable[bytes]:
        if self._decoder is None:
            return (raw,) if raw else ()
        return self._note(self._decoder.feed(raw))

    def _note(self, events: Iterable[Event]) -> list[bytes]:
        data = []
        for event in events:
            if isinstance(event, Data):
                data.append(event.data)
            elif isinstance(event, Trailers):
                self._trailers = event.headers
        return data

    async def read(self) -> bytes:
        return b"".join([chunk async for chunk in self])

    def verify(self, *, md5: bytes | None = None, sha256: bytes | None = None) -> None:
        promise = self._promise
        if promise.sha256 is not None and _given(sha256, "SHA-256") != promise.sha256:
            raise XAmzContentSHA256Mismatch(
                fields={
                    "ClientComputedContentSHA256": promise.sha256.hex(),
                    "S3ComputedContentSHA256": _given(sha256, "SHA-256").hex(),
                }
            )
        if promise.md5 is not None and _given(md5, "MD5") != promise.md5:
            raise BadDigest(
                fields={
                    "ExpectedDigest": encode(promise.md5),
                    "CalculatedDigest": encode(_given(md5, "MD5")),
                }
            )
        if promise.checksum is not None:
            self._verify_checksum(promise.checksum, sha256)

    def _verify_checksum(self, checksum: RequestChecksum, sha256: bytes | None) -> None:
        algorithm = checksum.algorithm
        if algorithm == "SHA256":
            computed = _given(sha256, "SHA-256")
        else:
            computed = self.hashers[algorithm].digest()
        expected = checksum.digest
        if checksum.trailer is not None:
            expected = decode(algorithm, self._trailers[checksum.trailer])
        if expected is not None and expected != computed:
            raise BadDigest(f"The {algorithm} you specified did not match the calculated checksum.")
        self._proved = (algorithm, encode(computed))

    def checksum(self) -> tuple[str, str] | None:
        return self._proved


def _given(digest: bytes | None, name: str) -> bytes:
    if digest is None:
        raise ValueError(f"the client promised a {name}: verify needs it")
    return digest


def request_body(
    incoming: Incoming,
    headers: Mapping[str, str],
    payload_hash: str | None,
    seed: Verified | None,
    *,
    verify_chunks: bool = True,
) -> RequestBody:
    """The payload of a request whose headers were read and authenticated.

    Without `verify_chunks` the signatures of chunks are read over, seed or not.

    Raises:
        MissingContentLength: no length at all, neither by header nor by chunks.
        InvalidRequest: a length that is no number, or a form of signing that does not fit.
        InvalidDigest, InvalidArgument.
    """
    promise = parse_promise(headers, payload_hash)
    if payload_hash is None or payload_hash not in _STREAMING:
        if promise.checksum is not None and promise.checksum.trailer is not None:
            raise InvalidRequest("x-amz-trailer needs a streaming x-amz-content-sha256")
        return RequestBody(incoming, promise, _plain_length(headers), None)
    if payload_hash != UNSIGNED_TRAILER and seed is None and verify_chunks:
        raise InvalidRequest("A signed streaming payload needs a signed request")
    size = _length(headers, "x-amz-decoded-content-length")
    if size is None:
        _plain_length(headers)
    trailer = promise.checksum.trailer if promise.checksum is not None else None
    decoder = ChunkedDecoder(
        payload_hash,
        seed,
        trailers=() if trailer is None else (trailer,),
        decoded_length=size,
        verify=verify_chunks,
    )
    return RequestBody(incoming, promise, size, decoder)


def without_checksums(headers: Mapping[str, str]) -> Mapping[str, str]:
    """Headers of a request whose x-amz-checksum- headers do not speak of its body."""
    return {name: value for name, value in headers.items() if name not in CHECKSUM_HEADERS}


def _plain_length(headers: Mapping[str, str]) -> int | None:
    size = _length(headers, "content-length")
    if size is None and "transfer-encoding" not in headers:
        raise MissingContentLength
    return size


def _length(headers: Mapping[str, str], name: str) -> int | None:
    text = headers.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= _LENGTH_DIGITS):
        raise InvalidRequest(f"The value of {name} is not a length.")
    return int(text)
