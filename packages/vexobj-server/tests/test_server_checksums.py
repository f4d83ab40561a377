"""The checksum of a multipart object: joined from its parts', and nobody's claim."""

import base64
import zlib
from typing import Any

import pytest
from botocore.exceptions import ClientError

from support.endpoint import Endpoint
from vexobj_server.testing import RunningServer

PARTS = (b"a" * 5 * 1024**2, b"b")


def crc32(data: bytes) -> str:
    return base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode()


COMPOSITE = crc32(b"".join(base64.b64decode(crc32(part)) for part in PARTS)) + "-2"
WHOLE = crc32(b"".join(PARTS))


@pytest.fixture
def s3(server: RunningServer) -> Any:
    return Endpoint.of(server).boto3(request_checksum_calculation="when_required")


def complete(s3: Any, bucket: str, kind: str | None, promised: dict[str, str]) -> Any:
    asked = {} if kind is None else {"ChecksumAlgorithm": "CRC32", "ChecksumType": kind}
    target = {"Bucket": bucket, "Key": "k"}
    upload = {
        **target,
        "UploadId": s3.create_multipart_upload(**target, **asked)["UploadId"],
    }
    parts = []
    for number, body in enumerate(PARTS, 1):
        checksum = {} if kind is None else {"ChecksumCRC32": crc32(body)}
        made = s3.upload_part(**upload, PartNumber=number, Body=body, **checksum)
        parts.append({"PartNumber": number, "ETag": made["ETag"], **checksum})
    return s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts}, **promised)


@pytest.mark.parametrize(
    ("kind", "promised", "checksum"),
    [
        (None, {}, None),
        ("COMPOSITE", {}, COMPOSITE),
        ("FULL_OBJECT", {}, WHOLE),
        ("FULL_OBJECT", {"ChecksumCRC32": WHOLE, "ChecksumType": "FULL_OBJECT"}, WHOLE),
        ("COMPOSITE", {"ChecksumCRC32": COMPOSITE}, COMPOSITE),
    ],
)
def test_joined(
    s3: Any, bucket: str, kind: str | None, promised: dict[str, str], checksum: str | None
) -> None:
    assert complete(s3, bucket, kind, promised).get("ChecksumCRC32") == checksum
    head = s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert head.get("ChecksumCRC32") == checksum
    assert head.get("ChecksumType") == (None if checksum is None else kind)


@pytest.mark.parametrize(
    ("kind", "promised", "code"),
    [
        ("FULL_OBJECT", {"ChecksumCRC32": crc32(b"else")}, "BadDigest"),
        ("COMPOSITE", {"ChecksumCRC32": crc32(b"else") + "-2"}, "BadDigest"),
        ("FULL_OBJECT", {"ChecksumSHA1": "x"}, "InvalidRequest"),
        (None, {"ChecksumCRC32": WHOLE}, "InvalidRequest"),
    ],
)
def test_a_false_promise(
    s3: Any, bucket: str, kind: str | None, promised: dict[str, str], code: str
) -> None:
    with pytest.raises(ClientError) as refused:
        complete(s3, bucket, kind, promised)
    assert refused.value.response["Error"]["Code"] == code
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
