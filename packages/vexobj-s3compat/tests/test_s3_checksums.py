"""Additional checksums: known values, joining, and what requests may promise."""

import pytest
from botocore.httpchecksum import CrtCrc32cChecksum, CrtCrc64NvmeChecksum
from hypothesis import given
from hypothesis import strategies as st

from vexobj_s3compat.checksums import (
    ALGORITHMS,
    RequestChecksum,
    composite,
    decode,
    encode,
    full_object,
    new_hasher,
    parse_request,
)
from vexobj_s3compat.errors import InvalidRequest

CHECK = {  # of "123456789", from the catalogue of parametrised CRCs and the SHA standards
    "CRC32": "cbf43926",
    "CRC32C": "e3069283",
    "CRC64NVME": "ae8b14860a799888",
    "SHA1": "f7c3bc1d808e04732adf679965ccc34ca7ae3441",
    "SHA256": "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225",
}


def digest(algorithm: str, *pieces: bytes) -> bytes:
    hasher = new_hasher(algorithm)
    for piece in pieces:
        hasher.update(piece)
    return hasher.digest()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_known_values(algorithm: str) -> None:
    assert digest(algorithm, b"1234", b"", b"56789").hex() == CHECK[algorithm]


@given(st.binary(max_size=200))
def test_agrees_with_botocore(data: bytes) -> None:
    assert encode(digest("CRC32C", data)) == CrtCrc32cChecksum().handle(data)
    assert encode(digest("CRC64NVME", data)) == CrtCrc64NvmeChecksum().handle(data)


@given(st.sampled_from(["CRC32", "CRC32C", "CRC64NVME"]), st.lists(st.binary(max_size=50)))
def test_full_object_is_the_crc_of_the_whole(algorithm: str, parts: list[bytes]) -> None:
    joined = full_object(algorithm, [(digest(algorithm, part), len(part)) for part in parts])
    assert joined == digest(algorithm, b"".join(parts))


def test_only_crcs_have_a_full_object_form() -> None:
    with pytest.raises(InvalidRequest):
        full_object("SHA256", [])


def test_composite_counts_its_parts() -> None:
    parts = [digest("SHA256", b"a"), digest("SHA256", b"b")]
    assert composite("SHA256", parts) == encode(digest("SHA256", *parts)) + "-2"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        (
            {"x-amz-checksum-crc32": "y/Q5Jg==", "x-amz-sdk-checksum-algorithm": "CRC32"},
            RequestChecksum("CRC32", bytes.fromhex("cbf43926")),
        ),
        (
            {"x-amz-trailer": "X-Amz-Checksum-Crc64Nvme"},
            RequestChecksum("CRC64NVME", trailer="x-amz-checksum-crc64nvme"),
        ),
        ({"x-amz-sdk-checksum-algorithm": "sha256"}, RequestChecksum("SHA256")),
        ({"x-amz-checksum-mode": "ENABLED", "x-amz-checksum-type": "COMPOSITE"}, None),
    ],
)
def test_requests(headers: dict[str, str], expected: RequestChecksum | None) -> None:
    assert parse_request(headers) == expected


@pytest.mark.parametrize(
    "headers",
    [
        {"x-amz-checksum-crc32": "y/Q5Jg==", "x-amz-checksum-crc32c": "y/Q5Jg=="},
        {"x-amz-checksum-crc32": "y/Q5Jg==", "x-amz-trailer": "x-amz-checksum-crc32"},
        {"x-amz-checksum-crc32": "y/Q5"},
        {"x-amz-checksum-crc32": "y/Q5Jg"},
        {"x-amz-checksum-sha256": "not base64!"},
        {"x-amz-checksum-crc32": "ü"},
        {"x-amz-trailer": "x-evil"},
        {"x-amz-sdk-checksum-algorithm": "MD4"},
    ],
)
def test_refused_requests(headers: dict[str, str]) -> None:
    with pytest.raises(InvalidRequest):
        parse_request(headers)


def test_decode_is_the_inverse_of_encode() -> None:
    assert decode("CRC32", encode(b"\0\1\2\3")) == b"\0\1\2\3"
