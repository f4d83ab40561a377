"""An admin's main job with real clients against the real server, on one port."""

import hashlib
import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from botocore.exceptions import ClientError

from support.endpoint import Endpoint
from support.photos import HUBBLE, RETINA, ROCKET
from support.tools import need

pytestmark = pytest.mark.parametrize(
    "server", ["one-worker", "two-workers", "postgresql"], indirect=True, scope="session"
)

HOSTILE = (
    "plain.jpg",
    "with space.jpg",
    "plus+sign.jpg",
    "double//slash.jpg",
    "up/../dots.jpg",
    "./here.jpg",
    "emoji-\N{FOX FACE}.jpg",
    "percent%2Fencoded.jpg",
    "ünïcode/日本.jpg",
    "quote'\"&<>.jpg",
    "trailing/",
    "tilde~star*paren().jpg",
)


def run(*command: str | Path, env: Mapping[str, str], cwd: Path | None = None) -> str:
    done = subprocess.run(
        [str(part) for part in command],
        env=dict(env),
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def code_of(failure: pytest.ExceptionInfo[ClientError]) -> str:
    return str(failure.value.response["Error"]["Code"])


@pytest.mark.parametrize("base", ["", "/s3"], ids=["root", "s3-prefix"])
def test_boto3(endpoint: Endpoint, base: str, bucket_name: str) -> None:
    s3 = Endpoint(endpoint.url + base, endpoint.access_key_id, endpoint.secret_access_key).boto3()
    s3.create_bucket(Bucket=bucket_name)
    assert bucket_name in [b["Name"] for b in s3.list_buckets()["Buckets"]]
    assert s3.get_bucket_location(Bucket=bucket_name)["LocationConstraint"] is None
    photo = ROCKET.read_bytes()
    etag = f'"{hashlib.md5(photo).hexdigest()}"'
    for key in HOSTILE:
        put = s3.put_object(
            Bucket=bucket_name,
            Key=key,
            Body=photo,
            ContentType="image/jpeg",
            CacheControl="public, max-age=315576000, immutable",
            Metadata={"origin": "camera"},
        )
        assert put["ETag"] == etag
        got = s3.get_object(Bucket=bucket_name, Key=key)
        assert got["Body"].read() == photo
        assert got["Metadata"] == {"origin": "camera"}
        assert got["CacheControl"] == "public, max-age=315576000, immutable"
    listed = s3.list_objects_v2(Bucket=bucket_name)
    assert [o["Key"] for o in listed["Contents"]] == sorted(HOSTILE, key=str.encode)
    one_by_one = s3.get_paginator("list_objects_v2").paginate(
        Bucket=bucket_name, PaginationConfig={"PageSize": 1}
    )
    assert [o["Key"] for page in one_by_one for o in page["Contents"]] == sorted(
        HOSTILE, key=str.encode
    )
    folders = s3.list_objects(Bucket=bucket_name, Delimiter="/")["CommonPrefixes"]
    assert [f["Prefix"] for f in folders] == ["./", "double/", "trailing/", "up/", "ünïcode/"]
    part = s3.get_object(Bucket=bucket_name, Key=HOSTILE[0], Range="bytes=10-19")
    assert (part["Body"].read(), part["ContentRange"]) == (
        photo[10:20],
        f"bytes 10-19/{len(photo)}",
    )
    with pytest.raises(ClientError) as failure:
        s3.get_object(Bucket=bucket_name, Key=HOSTILE[0], IfNoneMatch=part["ETag"])
    assert code_of(failure) == "304"
    s3.copy_object(
        Bucket=bucket_name, Key="copy", CopySource={"Bucket": bucket_name, "Key": HOSTILE[6]}
    )
    assert s3.get_object(Bucket=bucket_name, Key="copy")["Body"].read() == photo
    with pytest.raises(ClientError) as failure:
        s3.put_object(Bucket=bucket_name, Key="copy", Body=b"x", IfNoneMatch="*")
    assert code_of(failure) == "PreconditionFailed"
    with pytest.raises(ClientError) as failure:
        s3.delete_bucket(Bucket=bucket_name)
    assert code_of(failure) == "BucketNotEmpty"
    gone = s3.delete_objects(
        Bucket=bucket_name, Delete={"Objects": [{"Key": k} for k in (*HOSTILE, "copy")]}
    )
    assert len(gone["Deleted"]) == len(HOSTILE) + 1
    s3.delete_bucket(Bucket=bucket_name)
    with pytest.raises(ClientError) as failure:
        s3.list_objects_v2(Bucket=bucket_name)
    assert code_of(failure) == "NoSuchBucket"


def test_boto3_multipart(endpoint: Endpoint, bucket: str, tmp_path: Path) -> None:
    s3 = endpoint.boto3()
    large = tmp_path / "large.bin"
    block = HUBBLE.read_bytes()
    large.write_bytes(block * 40)
    s3.upload_file(str(large), bucket, "large.bin")
    head = s3.head_object(Bucket=bucket, Key="large.bin")
    assert head["ETag"].endswith('-3"')
    back = tmp_path / "back.bin"
    s3.download_file(bucket, "large.bin", str(back))
    assert back.read_bytes() == large.read_bytes()
    part = s3.get_object(Bucket=bucket, Key="large.bin", PartNumber=2)
    assert part["PartsCount"] == 3
    assert part["Body"].read() == large.read_bytes()[8 * 1024**2 : 16 * 1024**2]
    s3.copy({"Bucket": bucket, "Key": "large.bin"}, bucket, "again.bin")
    assert s3.get_object(Bucket=bucket, Key="again.bin")["Body"].read() == large.read_bytes()
    upload = s3.create_multipart_upload(Bucket=bucket, Key="pieces")["UploadId"]
    copied = s3.upload_part_copy(
        Bucket=bucket,
        Key="pieces",
        UploadId=upload,
        PartNumber=1,
        CopySource={"Bucket": bucket, "Key": "large.bin"},
        CopySourceRange="bytes=5-7340036",
    )["CopyPartResult"]["ETag"]
    last = s3.upload_part(Bucket=bucket, Key="pieces", UploadId=upload, PartNumber=2, Body=b"end")
    assert [
        p["PartNumber"]
        for p in s3.list_parts(Bucket=bucket, Key="pieces", UploadId=upload)["Parts"]
    ] == [1, 2]
    assert [u["Key"] for u in s3.list_multipart_uploads(Bucket=bucket)["Uploads"]] == ["pieces"]
    s3.complete_multipart_upload(
        Bucket=bucket,
        Key="pieces",
        UploadId=upload,
        MultipartUpload={
            "Parts": [
                {"PartNumber": 1, "ETag": copied},
                {"PartNumber": 2, "ETag": last["ETag"]},
            ]
        },
    )
    pieces = s3.get_object(Bucket=bucket, Key="pieces")["Body"].read()
    assert pieces == large.read_bytes()[5:7340037] + b"end"


def test_boto3_virtual_host(endpoint: Endpoint, bucket: str) -> None:
    """The client asks the bucket's own host; a proxy event puts the connection through."""
    address = endpoint.url.replace("127.0.0.1", "localhost")
    signed = Endpoint(address, endpoint.access_key_id, endpoint.secret_access_key).boto3(
        s3={"addressing_style": "virtual"}
    )
    url = signed.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "a b"})
    host = url.split("/")[2]
    assert host.startswith(f"{bucket}.localhost:")
    with httpx.Client() as http:
        path = url.split(host, 1)[1]
        put = http.put(endpoint.url + path, headers={"host": host}, content=b"virtual")
        assert put.status_code == 200, put.text
    assert endpoint.boto3().get_object(Bucket=bucket, Key="a b")["Body"].read() == b"virtual"


def test_aws_cli(endpoint: Endpoint, bucket: str, tmp_path: Path) -> None:
    aws = need("aws")
    env = endpoint.aws_environment()

    def s3(*words: str | Path) -> str:
        return run(aws, "s3", *words, env=env)

    def api(*words: str) -> Any:
        return json.loads(run(aws, "s3api", *words, "--output", "json", env=env) or "null")

    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("with space.jpg", "plus+sign.jpg", "emoji-\N{FOX FACE}.jpg"):
        (folder / name).write_bytes(ROCKET.read_bytes())
    (folder / "large.bin").write_bytes(HUBBLE.read_bytes() * 20)
    s3("sync", folder, f"s3://{bucket}/in/", "--only-show-errors")
    assert s3("ls", f"s3://{bucket}/in/").count("\n") == 4
    s3("cp", f"s3://{bucket}/in/with space.jpg", f"s3://{bucket}/copy.jpg", "--only-show-errors")
    back = tmp_path / "back"
    s3("sync", f"s3://{bucket}/in/", back, "--only-show-errors")
    for path in folder.iterdir():
        assert (back / path.name).read_bytes() == path.read_bytes()
    assert s3("sync", f"s3://{bucket}/in/", back) == ""
    acl = api("get-object-acl", "--bucket", bucket, "--key", "copy.jpg")
    assert [g["Permission"] for g in acl["Grants"]] == ["FULL_CONTROL"]
    run(aws, "s3api", "put-object-acl", "--bucket", bucket, "--key", "copy.jpg",
        "--acl", "public-read", env=env)  # fmt: skip
    public = httpx.get(f"{endpoint.url}/{bucket}/copy.jpg")
    assert public.content == ROCKET.read_bytes()
    link = s3("presign", f"s3://{bucket}/in/plus+sign.jpg").strip()
    assert httpx.get(link).content == ROCKET.read_bytes()
    s3("rm", f"s3://{bucket}/", "--recursive", "--only-show-errors")
    assert s3("ls", f"s3://{bucket}/") == ""


def test_minio_go(endpoint: Endpoint, bucket_name: str, minio_go: Path) -> None:
    out = run(
        minio_go,
        endpoint.host,
        endpoint.access_key_id,
        endpoint.secret_access_key,
        bucket_name,
        RETINA,
        env={},
    )
    assert out == "ok\n"


def test_rclone(endpoint: Endpoint, bucket: str, tmp_path: Path) -> None:
    rclone = need("rclone")
    env = endpoint.rclone_environment()
    folder = tmp_path / "media"
    (folder / "deep er/still").mkdir(parents=True)
    for name in ("a+b.jpg", "deep er/é \N{FOX FACE}.jpg", "deep er/still/%2F.jpg"):
        (folder / name).write_bytes(RETINA.read_bytes())
    (folder / "large.bin").write_bytes(HUBBLE.read_bytes() * 20)
    large = ("--s3-upload-cutoff", "5M", "--s3-chunk-size", "5M")
    run(rclone, "sync", *large, folder, f"store:{bucket}", env=env)
    run(rclone, "check", folder, f"store:{bucket}", env=env)
    run(rclone, "check", "--download", folder, f"store:{bucket}", env=env)
    names = run(rclone, "lsf", "-R", "--files-only", f"store:{bucket}", env=env).splitlines()
    assert sorted(names) == sorted(
        str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()
    )
    run(rclone, "copy", f"store:{bucket}", f"store:{bucket}/copied", env=env)
    run(rclone, "check", folder, f"store:{bucket}/copied", env=env)
    run(rclone, "purge", f"store:{bucket}/copied", env=env)
    (folder / "a+b.jpg").unlink()
    run(rclone, "sync", folder, f"store:{bucket}", env=env)
    assert "a+b.jpg" not in run(rclone, "lsf", f"store:{bucket}", env=env)


def test_curl(endpoint: Endpoint, bucket_name: str, tmp_path: Path) -> None:
    curl = need("curl")
    token = f"Authorization: Bearer {endpoint.secret_access_key}"
    native = f"{endpoint.url}/v1"

    def ask(*words: str | Path) -> str:
        return run(curl, "-sS", "--fail-with-body", "--path-as-is", "-H", token, *words, env={})

    made = json.loads(
        ask("-X", "POST", f"{native}/buckets", "-H", "content-type: application/json",
            "-d", json.dumps({"name": bucket_name, "public": True}))
    )  # fmt: skip
    assert (made["name"], made["public"]) == (bucket_name, True)
    photo = ROCKET.read_bytes()
    for key in HOSTILE:
        path = f"{native}/objects/{bucket_name}/{quote(key, safe='/.')}"
        meta = json.loads(
            ask("-X", "PUT", "--data-binary", f"@{ROCKET}", "-H", "content-type: image/jpeg", path)
        )
        assert (meta["key"], meta["size"]) == (key, len(photo))
        assert meta["sha256"] == hashlib.sha256(photo).hexdigest()
    got = tmp_path / "got"
    run(curl, "-sS", "-f", "-o", got, f"{endpoint.url}/{bucket_name}/plain.jpg", env={})
    assert got.read_bytes() == photo
    signed = tmp_path / "signed"
    pair = f"{endpoint.access_key_id}:{endpoint.secret_access_key}"
    run(curl, "-sS", "-f", "--aws-sigv4", "aws:amz:us-east-1:s3", "-u", pair, "-o", signed,
        "-H", "x-amz-content-sha256: UNSIGNED-PAYLOAD",
        f"{endpoint.url}/{bucket_name}/plus%2Bsign.jpg", env={})  # fmt: skip
    assert signed.read_bytes() == photo
    listed = json.loads(ask(f"{native}/objects/{bucket_name}?delimiter=/"))
    assert listed["common_prefixes"] == ["./", "double/", "trailing/", "up/", "ünïcode/"]
    for key in HOSTILE:
        ask("-X", "DELETE", f"{native}/object/{bucket_name}?key={quote(key, safe='')}")
    ask("-X", "DELETE", f"{native}/buckets/{bucket_name}")
