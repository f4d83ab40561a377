"""What boto3 is told of encryption at rest, with it on, and switched off and on."""

from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from support.endpoint import Endpoint
from vexobj_server.testing import running_server

KEY = {"VEXOBJ_SSE_MASTER_KEY": "5e" * 32}
ON = KEY | {"VEXOBJ_SSE_ENABLED": "true"}
AES256 = {"ServerSideEncryption": "AES256"}
DEFAULT = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
RULES = {"Rules": [DEFAULT]}


def told(answer: Any) -> str | None:
    algorithm: str | None = answer.get("ServerSideEncryption")
    return algorithm


def test_what_is_encrypted_says_so(tmp_path: Path) -> None:
    with running_server(tmp_path, environment=ON) as server:
        s3 = Endpoint.of(server).boto3()
        s3.create_bucket(Bucket="sealed")
        name = {"Bucket": "sealed", "Key": "one"}
        assert told(s3.put_object(**name, Body=b"x", **AES256)) == "AES256"
        assert told(s3.put_object(**name, Body=b"x" * 50_000)) == "AES256"
        for read in (s3.head_object, s3.get_object):
            assert told(read(**name)) == "AES256"
        copied = s3.copy_object(Bucket="sealed", Key="two", CopySource="sealed/one", **AES256)
        assert told(copied) == "AES256"
        itself = s3.copy_object(**name, CopySource="sealed/one", **AES256)
        assert itself["CopyObjectResult"]["ETag"]
        parts = {"Bucket": "sealed", "Key": "parts"}
        upload = s3.create_multipart_upload(**parts, **AES256)
        named = parts | {"UploadId": upload["UploadId"]}
        part = s3.upload_part(**named, PartNumber=1, Body=b"x" * 70_000)
        done = s3.complete_multipart_upload(
            **named, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
        )
        answers = (upload, part, done, s3.head_object(**parts))
        assert [told(answer) for answer in answers] == ["AES256"] * 4


def test_the_configuration_of_a_bucket(tmp_path: Path) -> None:
    with running_server(tmp_path, environment=ON) as server:
        s3 = Endpoint.of(server).boto3()
        s3.create_bucket(Bucket="sealed")
        for _ in range(2):
            found = s3.get_bucket_encryption(Bucket="sealed")
            (rule,) = found["ServerSideEncryptionConfiguration"]["Rules"]
            assert rule == DEFAULT | {"BucketKeyEnabled": False}
            s3.put_bucket_encryption(Bucket="sealed", ServerSideEncryptionConfiguration=RULES)
            s3.delete_bucket_encryption(Bucket="sealed")
        managed = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}
        with pytest.raises(ClientError, match="NotImplemented"):
            s3.put_bucket_encryption(
                Bucket="sealed", ServerSideEncryptionConfiguration={"Rules": [managed]}
            )


def test_nothing_is_promised_where_it_is_off(tmp_path: Path) -> None:
    """And what was written while it was on or off goes on saying what it is."""
    with running_server(tmp_path, environment=ON) as server:
        s3 = Endpoint.of(server).boto3()
        s3.create_bucket(Bucket="mixed")
        s3.put_object(Bucket="mixed", Key="sealed", Body=b"sealed")
    with running_server(tmp_path, environment=KEY) as server:
        s3 = Endpoint.of(server).boto3()
        plain = {"Bucket": "mixed", "Key": "plain"}
        with pytest.raises(ClientError, match="NotImplemented"):
            s3.put_object(**plain, Body=b"x", **AES256)
        with pytest.raises(ClientError, match="NotImplemented"):
            s3.put_bucket_encryption(Bucket="mixed", ServerSideEncryptionConfiguration=RULES)
        with pytest.raises(ClientError, match="ServerSideEncryptionConfigurationNotFoundError"):
            s3.get_bucket_encryption(Bucket="mixed")
        assert told(s3.put_object(**plain, Body=b"plain")) is None
        assert told(s3.head_object(Bucket="mixed", Key="sealed")) == "AES256"
    with running_server(tmp_path, environment=ON) as server:
        s3 = Endpoint.of(server).boto3()
        assert told(s3.head_object(**plain)) is None
