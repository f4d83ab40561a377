"""boto3 against the memory backend: what the applications of our users do with it."""

import asyncio
import contextlib
import io
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import boto3
import httpx
import pytest
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError

from vexobj_s3compat import S3App, VirtualHosts

MIB = 1024 * 1024


def client(base_url: str) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=base_url,
        region_name="us-east-1",
        aws_access_key_id="ALICE",
        aws_secret_access_key="alice-secret",
        config=Config(
            signature_version="s3v4",
            s3={"addressing_style": "path"},
            retries={"max_attempts": 0},
            proxies={},
        ),
    )


def objects(s3: Any) -> None:
    s3.create_bucket(Bucket="media", ACL="private")
    s3.put_object(
        Bucket="media",
        Key="a b/\N{GRINNING FACE}+.png",
        Body=b"png",
        ACL="public-read",
        CacheControl="public, max-age=315576000, immutable",
        Metadata={"k": "v"},
    )
    got = s3.get_object(Bucket="media", Key="a b/\N{GRINNING FACE}+.png")
    assert got["Body"].read() == b"png"
    assert got["Metadata"] == {"k": "v"}
    listed = s3.list_objects_v2(Bucket="media", Prefix="a b/")["Contents"]
    assert [item["Key"] for item in listed] == ["a b/\N{GRINNING FACE}+.png"]
    s3.put_object_acl(Bucket="media", Key="a b/\N{GRINNING FACE}+.png", ACL="private")
    got = s3.get_object(Bucket="media", Key="a b/\N{GRINNING FACE}+.png", Range="bytes=1-")
    assert got["Body"].read() == b"ng"
    assert len(s3.get_object_acl(Bucket="media", Key=listed[0]["Key"])["Grants"]) == 1
    with pytest.raises(ClientError, match="NoSuchKey"):
        s3.get_object(Bucket="media", Key="none")
    assert [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]] == ["media"]


def transfers(s3: Any) -> None:
    s3.create_bucket(Bucket="media")
    body = bytes(range(256)) * (12 * MIB // 256) + b"end"
    config = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB)
    s3.upload_fileobj(io.BytesIO(body), "media", "big", Config=config)
    head = s3.head_object(Bucket="media", Key="big")
    assert head["ETag"].endswith('-3"')
    back = io.BytesIO()
    s3.download_fileobj("media", "big", back, Config=config)
    assert back.getvalue() == body
    s3.copy({"Bucket": "media", "Key": "big"}, "media", "copy", Config=config)
    assert s3.head_object(Bucket="media", Key="copy")["ContentLength"] == len(body)
    part = s3.get_object(Bucket="media", Key="big", PartNumber=3)
    assert part["PartsCount"] == 3
    url = s3.generate_presigned_url(
        "get_object",
        Params={"Bucket": "media", "Key": "big", "ResponseContentType": "video/mp4"},
    )
    answer = httpx.get(url, headers={"range": "bytes=0-2"}, trust_env=False)
    assert answer.status_code == 206, answer.text
    assert (answer.status_code, answer.content) == (206, b"\x00\x01\x02")
    assert answer.headers["content-type"] == "video/mp4"


def deletes(s3: Any) -> None:
    s3.create_bucket(Bucket="media")
    for number in range(20):
        s3.put_object(Bucket="media", Key=f"k/{number}", Body=b"")
    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket="media", PaginationConfig={"PageSize": 7}
    )
    keys = [item["Key"] for page in pages for item in page["Contents"]]
    assert len(keys) == 20
    deleted = s3.delete_objects(
        Bucket="media", Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True}
    )
    assert "Errors" not in deleted
    s3.delete_bucket(Bucket="media")


def versions(s3: Any) -> None:
    s3.create_bucket(Bucket="media")
    s3.put_bucket_versioning(Bucket="media", VersioningConfiguration={"Status": "Enabled"})
    for number in range(3):
        s3.put_object(Bucket="media", Key="k", Body=b"%d" % number)
    s3.delete_object(Bucket="media", Key="k")
    pages = s3.get_paginator("list_object_versions").paginate(
        Bucket="media", PaginationConfig={"PageSize": 1}
    )
    found = [item for page in pages for item in page.get("Versions", [])]
    assert len(found) == 3
    old = s3.get_object(Bucket="media", Key="k", VersionId=found[-1]["VersionId"])
    assert old["Body"].read() == b"0"


def lifecycles(s3: Any) -> None:
    s3.create_bucket(Bucket="media")
    rules = [
        {
            "ID": "old",
            "Status": "Enabled",
            "Filter": {
                "And": {
                    "Prefix": "a/",
                    "Tags": [{"Key": "k", "Value": "v"}],
                    "ObjectSizeGreaterThan": 5,
                }
            },
            "Expiration": {"Days": 3},
            "NoncurrentVersionExpiration": {"NoncurrentDays": 2, "NewerNoncurrentVersions": 1},
        },
        {
            "ID": "dated",
            "Status": "Disabled",
            "Filter": {"Prefix": ""},
            "Expiration": {"Date": datetime(2031, 1, 1, tzinfo=UTC)},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
        },
    ]
    s3.put_bucket_lifecycle_configuration(Bucket="media", LifecycleConfiguration={"Rules": rules})
    assert s3.get_bucket_lifecycle_configuration(Bucket="media")["Rules"] == rules
    s3.delete_bucket_lifecycle(Bucket="media")
    with pytest.raises(ClientError, match="NoSuchLifecycleConfiguration"):
        s3.get_bucket_lifecycle_configuration(Bucket="media")


@pytest.mark.parametrize("scenario", [objects, transfers, deletes, versions, lifecycles])
async def test_boto3(scenario: Callable[[Any], None], base_url: str) -> None:
    with contextlib.closing(client(base_url)) as s3:
        await asyncio.to_thread(scenario, s3)


async def test_virtual_hosts(app: S3App) -> None:
    transport = httpx.ASGITransport(VirtualHosts(app, "s3.example.com"))
    async with httpx.AsyncClient(transport=transport) as web:
        answer = await web.get("http://media.s3.example.com/bucket/key")
        assert "<Code>AccessDenied</Code>" in answer.text or "NoSuchBucket" in answer.text
        plain = await web.get("http://s3.example.com/media/key")
        assert "NoSuchBucket" in plain.text
