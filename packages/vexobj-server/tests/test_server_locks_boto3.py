"""Versions and object lock as boto3 sends and understands them, against the real server."""

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from support.endpoint import Endpoint
from vexobj_server.testing import RunningServer

_UNTIL = (datetime.now(UTC) + timedelta(days=1)).replace(microsecond=0)


@pytest.fixture
def s3(server: RunningServer) -> Any:
    return Endpoint.of(server).boto3()


@pytest.fixture
def locked(s3: Any) -> str:
    name = f"locked-{secrets.token_hex(6)}"
    s3.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    return name


def _code(error: pytest.ExceptionInfo[ClientError]) -> str:
    code: str = error.value.response["Error"]["Code"]
    return code


def test_locks_on_writes_and_reads(s3: Any, locked: str) -> None:
    lock = {
        "ObjectLockMode": "COMPLIANCE",
        "ObjectLockRetainUntilDate": _UNTIL,
        "ObjectLockLegalHoldStatus": "ON",
    }
    name = {"Bucket": locked, "Key": "k"}
    put = s3.put_object(**name, Body=b"kept", **lock)
    head = s3.head_object(**name)
    assert {field: head[field] for field in lock} == lock
    assert s3.get_object_retention(**name)["Retention"] == {
        "Mode": "COMPLIANCE",
        "RetainUntilDate": _UNTIL,
    }
    version = {**name, "VersionId": put["VersionId"]}
    assert s3.get_object_legal_hold(**version)["LegalHold"] == {"Status": "ON"}
    s3.put_object_legal_hold(**version, LegalHold={"Status": "OFF"})
    with pytest.raises(ClientError) as kept:
        s3.delete_object(**version, BypassGovernanceRetention=True)
    assert _code(kept) == "AccessDenied"
    copied = s3.copy_object(Bucket=locked, Key="copy", CopySource=version, **lock)
    assert copied["CopySourceVersionId"] == put["VersionId"]
    assert s3.head_object(Bucket=locked, Key="copy")["ObjectLockMode"] == "COMPLIANCE"
    upload = s3.create_multipart_upload(Bucket=locked, Key="parts", **lock)
    part = {"Bucket": locked, "Key": "parts", "UploadId": upload["UploadId"]}
    etag = s3.upload_part(**part, PartNumber=1, Body=b"part")["ETag"]
    parts = {"Parts": [{"PartNumber": 1, "ETag": etag}]}
    done = s3.complete_multipart_upload(**part, MultipartUpload=parts)
    assert done["VersionId"]
    assert s3.head_object(Bucket=locked, Key="parts")["ObjectLockLegalHoldStatus"] == "ON"


def test_default_retention_and_batches(s3: Any, locked: str) -> None:
    rule = {"DefaultRetention": {"Mode": "GOVERNANCE", "Years": 1}}
    configuration = {"ObjectLockEnabled": "Enabled", "Rule": rule}
    s3.put_object_lock_configuration(Bucket=locked, ObjectLockConfiguration=configuration)
    told = s3.get_object_lock_configuration(Bucket=locked)
    assert told["ObjectLockConfiguration"] == configuration
    ids = [s3.put_object(Bucket=locked, Key=key, Body=b"x")["VersionId"] for key in "ab"]
    named = [{"Key": key, "VersionId": id_} for key, id_ in zip("ab", ids, strict=True)]
    kept = s3.delete_objects(Bucket=locked, Delete={"Objects": named})
    assert [error["Code"] for error in kept["Errors"]] == ["AccessDenied"] * 2
    assert "Deleted" not in kept
    gone = s3.delete_objects(
        Bucket=locked, Delete={"Objects": named}, BypassGovernanceRetention=True
    )
    assert [each["VersionId"] for each in gone["Deleted"]] == ids
    assert "Versions" not in s3.list_object_versions(Bucket=locked)


def test_versions(s3: Any, locked: str) -> None:
    with pytest.raises(ClientError) as refused:
        s3.put_bucket_versioning(Bucket=locked, VersioningConfiguration={"Status": "Suspended"})
    assert _code(refused) == "InvalidBucketState"
    assert s3.get_bucket_versioning(Bucket=locked)["Status"] == "Enabled"
    ids = [
        s3.put_object(Bucket=locked, Key="k", Body=b"%d" % number)["VersionId"]
        for number in range(3)
    ]
    deleted = s3.delete_object(Bucket=locked, Key="k")
    assert deleted["DeleteMarker"]
    pages = s3.get_paginator("list_object_versions").paginate(
        Bucket=locked, PaginationConfig={"PageSize": 1}
    )
    found = [each for page in pages for each in page.get("Versions", [])]
    assert [each["VersionId"] for each in found] == ids[::-1]
    assert not any(each["IsLatest"] for each in found)
    with pytest.raises(ClientError) as marker:
        s3.head_object(Bucket=locked, Key="k", VersionId=deleted["VersionId"])
    answer = marker.value.response["ResponseMetadata"]
    assert (answer["HTTPStatusCode"], answer["HTTPHeaders"]["x-amz-delete-marker"]) == (405, "true")
    s3.delete_object(Bucket=locked, Key="k", VersionId=deleted["VersionId"])
    assert s3.get_object(Bucket=locked, Key="k")["Body"].read() == b"2"
