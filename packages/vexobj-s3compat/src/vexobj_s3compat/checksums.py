"""S3's additional checksums: computing, reading from requests, and joining those of parts.

CRCs are awscrt's, which uses the processor's own instructions. Source: AWS, "Checking object
integrity". Values travel as base64 of the big-endian digest.
"""

import base64
import binascii
import hashlib
import zlib
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from awscrt import checksums as crt

from vexobj_s3compat.content import Hasher
from vexobj_s3compat.errors import InvalidRequest

HEADER_PREFIX = "x-amz-checksum-"


class Crc:
    """A CRC with the methods of hashlib's objects."""

    __slots__ = ("_function", "_size", "_value")

    def __init__(self, function: Callable[[bytes, int], int], size: int) -> None:
        self._function = function
        self._size = size
        self._value = 0

    def update(self, data: bytes, /) -> None:
        self._value = self._function(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(self._size, "big")


class Algorithm(NamedTuple):
    """`combine` joins two CRCs, given the second's length; None where parts cannot be joined."""

    name: str
    size: int
    new: Callable[[], Hasher]
    combine: Callable[[int, int, int], int] | None = None

    @property
    def header(self) -> str:
        return HEADER_PREFIX + self.name.lower()


ALGORITHMS: Mapping[str, Algorithm] = {
    algorithm.name: algorithm
    for algorithm in (
        Algorithm("CRC32", 4, lambda: Crc(zlib.crc32, 4), crt.combine_crc32),
        Algorithm("CRC32C", 4, lambda: Crc(crt.crc32c, 4), crt.combine_crc32c),
        Algorithm("CRC64NVME", 8, lambda: Crc(crt.crc64nvme, 8), crt.combine_crc64nvme),
        Algorithm("SHA1", 20, lambda: hashlib.sha1(usedforsecurity=False)),
        Algorithm("SHA256", 32, hashlib.sha256),
    )
}
HEADERS: Mapping[str, Algorithm] = {a.header: a for a in ALGORITHMS.values()}


class RequestChecksum(NamedTuple):
    """What a request promised: `digest` is None while its value is yet to come.

    It comes in the trailer called `trailer`, or, if that is None too, was never promised: the
    client named the algorithm only, and the server computes it.
    """

    algorithm: str
    digest: bytes | None = None
    trailer: str | None = None


def new_hasher(algorithm: str) -> Hasher:
    """A fresh hasher of one of ALGORITHMS."""
    return ALGORITHMS[algorithm].new()


def encode(digest: bytes) -> str:
    return base64.b64encode(digest).decode("ascii")


def decode(algorithm: str, value: str) -> bytes:
    """The digest in a header or trailer value.

    Raises:
        InvalidRequest: it is not base64, or not of the algorithm's length.
    """
    found = ALGORITHMS[algorithm]
    try:
        digest = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        digest = b""
    if len(digest) != found.size:
        raise InvalidRequest(f"Value for {found.header} header is invalid.")
    return digest


def parse_algorithm(value: str, header: str = "x-amz-checksum-algorithm") -> str:
    """The name of an algorithm, whatever its case.

    Raises:
        InvalidRequest: there is none of that name.
    """
    name = value.upper()
    if name not in ALGORITHMS:
        raise InvalidRequest(f"Value for {header} header is invalid.")
    return name


def parse_request(headers: Mapping[str, str]) -> RequestChecksum | None:
    """The checksum that a request's headers promise for its body, if any.

    Raises:
        InvalidRequest: more than one, an unknown one, or a value that cannot be.
    """
    given = [(HEADERS[name], headers[name]) for name in HEADERS if name in headers]
    trailers = parse_trailer_names(headers.get("x-amz-trailer", ""))
    if len(given) + len(trailers) > 1:
        raise InvalidRequest(
            "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."
        )
    if given:
        algorithm, value = given[0]
        return RequestChecksum(algorithm.name, decode(algorithm.name, value))
    if trailers:
        return RequestChecksum(HEADERS[trailers[0]].name, trailer=trailers[0])
    if named := headers.get("x-amz-sdk-checksum-algorithm"):
        return RequestChecksum(parse_algorithm(named, "x-amz-sdk-checksum-algorithm"))
    return None


def parse_trailer_names(value: str) -> list[str]:
    """The names in x-amz-trailer, lower case.

    Raises:
        InvalidRequest: one of them is no checksum.
    """
    names = [name.strip().lower() for name in value.split(",") if name.strip()]
    if any(name not in HEADERS for name in names):
        raise InvalidRequest("The value specified in the x-amz-trailer header is not supported")
    return names


def composite(algorithm: str, digests: Iterable[bytes]) -> str:
    """The checksum of the parts' checksums, as `base64-N`."""
    hasher, count = new_hasher(algorithm), 0
    for digest in digests:
        hasher.update(digest)
        count += 1
    return f"{encode(hasher.digest())}-{count}"


def full_object(algorithm: str, parts: Iterable[tuple[bytes, int]]) -> bytes:
    """The CRC of the whole from (digest, size) of each part in order, in O(log size) a part.

    Raises:
        InvalidRequest: the algorithm is no CRC.
    """
    found = ALGORITHMS[algorithm]
    if found.combine is None:
        raise InvalidRequest(
            f"The FULL_OBJECT checksum type cannot be used with the {algorithm.lower()} "
            "checksum algorithm."
        )
    value = 0
    for digest, size in parts:
        value = found.combine(value, int.from_bytes(digest, "big"), size)
    return value.to_bytes(found.size, "big")
