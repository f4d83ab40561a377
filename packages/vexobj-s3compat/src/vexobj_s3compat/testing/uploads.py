"""Scenarios on payloads: multipart uploads, promised digests, aws-chunked, signatures."""

import base64
import hashlib
import zlib
from xml.sax.saxutils import escape

from vexobj_s3compat.sigv4.signer import Signer, sign_chunks, streaming_payload
from vexobj_s3compat.testing.client import Answer, S3TestClient, quoted
from vexobj_s3compat.testing.suite import Conformance, Scenario
from vexobj_s3compat.xml import child_text, children

PART_BYTES = 5 * 1024 * 1024


async def _begin(s3: Conformance, bucket: str, key: bytes) -> str:
    headers = {"content-type": "video/mp4", "x-amz-meta-a": "1"}
    begun = await s3.owner.send("POST", s3.owner.path(bucket, key), "uploads", headers=headers)
    upload_id = child_text(begun.xml("InitiateMultipartUploadResult"), "UploadId")
    assert upload_id
    return quoted(upload_id)


async def _complete(
    s3: Conformance,
    bucket: str,
    key: bytes,
    upload_id: str,
    parts: list[tuple[int, str]],
    headers: dict[str, str] | None = None,
) -> Answer:
    listed = "".join(
        f"<Part><PartNumber>{n}</PartNumber><ETag>{escape(e, {chr(34): '&quot;'})}</ETag></Part>"
        for n, e in parts
    )
    document = f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>".encode()
    path = s3.owner.path(bucket, key)
    query = f"uploadId={upload_id}"
    return await s3.owner.send("POST", path, query, body=document, headers=headers)


async def multipart(s3: Conformance) -> None:
    bucket, key = await s3.bucket(), b"dir/big file.mp4"
    path = s3.owner.path(bucket, key)
    upload_id = await _begin(s3, bucket, key)
    bodies = [b"a" * PART_BYTES, b"b" * PART_BYTES, b"tail"]
    etags = []
    for number, body in enumerate(bodies, 1):
        query = f"partNumber={number}&uploadId={upload_id}"
        etags.append((await s3.owner.send("PUT", path, query, body=body)).headers["etag"])
    listed = await s3.owner.send("GET", path, f"max-parts=2&uploadId={upload_id}")
    root = listed.xml("ListPartsResult")
    assert [child_text(part, "ETag") for part in children(root, "Part")] == etags[:2]
    assert child_text(root, "NextPartNumberMarker") == "2"
    uploads = await s3.owner.send("GET", s3.owner.path(bucket), "uploads&prefix=dir%2F")
    assert len(list(children(uploads.xml("ListMultipartUploadsResult"), "Upload"))) == 1
    parts = list(enumerate(etags, 1))
    assert (await _complete(s3, bucket, key, upload_id, parts[::-1])).error == "InvalidPartOrder"
    wrong = await _complete(s3, bucket, key, upload_id, [(1, '"0"')])
    assert wrong.error == "InvalidPart"
    for size in ("1", "many"):
        headers = {"x-amz-mp-object-size": size}
        refused = await _complete(s3, bucket, key, upload_id, parts, headers)
        assert (refused.status, refused.error) == (400, "InvalidRequest")
    small = await _complete(s3, bucket, key, upload_id, [(3, etags[2]), (4, etags[2])])
    assert small.error in {"InvalidPart", "EntityTooSmall"}
    done = await _complete(s3, bucket, key, upload_id, parts)
    result = done.xml("CompleteMultipartUploadResult")
    digest = hashlib.md5(
        b"".join(bytes.fromhex(etag.strip('"')) for etag in etags), usedforsecurity=False
    ).hexdigest()
    assert child_text(result, "ETag") == f'"{digest}-3"'
    assert (child_text(result, "Bucket"), child_text(result, "Key")) == (bucket, key.decode())
    again = await _complete(s3, bucket, key, upload_id, parts)
    assert again.status == 200
    got = await s3.owner.get(bucket, key)
    assert got.body == b"".join(bodies)
    assert (got.headers["content-type"], got.headers["x-amz-meta-a"]) == ("video/mp4", "1")
    part = await s3.owner.get(bucket, key, "partNumber=3")
    assert (part.status, part.body) == (206, b"tail")
    assert part.headers["x-amz-mp-parts-count"] == "3"
    beyond = await s3.owner.get(bucket, key, "partNumber=4")
    assert beyond.status == 416


async def checksum_of_the_whole(s3: Conformance) -> None:
    """The checksum in CompleteMultipartUpload's headers is the object's, not the document's."""
    bucket = await s3.bucket()
    path = s3.owner.path(bucket, b"sum")
    kind = {"x-amz-checksum-algorithm": "CRC32", "x-amz-checksum-type": "FULL_OBJECT"}
    begun = await s3.owner.send("POST", path, "uploads", headers=kind)
    upload_id = quoted(child_text(begun.xml("InitiateMultipartUploadResult"), "UploadId") or "")
    crc = base64.b64encode(zlib.crc32(b"whole").to_bytes(4, "big")).decode()
    summed = {"x-amz-checksum-crc32": crc}
    query = f"partNumber=1&uploadId={upload_id}"
    part = await s3.owner.send("PUT", path, query, body=b"whole", headers=summed)
    assert part.headers["x-amz-checksum-crc32"] == crc
    parts = [(1, part.headers["etag"])]
    told = {**summed, "x-amz-checksum-type": "FULL_OBJECT"}
    done = await _complete(s3, bucket, b"sum", upload_id, parts, told)
    assert (done.status, (await s3.owner.get(bucket, b"sum")).body) == (200, b"whole")


async def copied_parts_and_abort(s3: Conformance) -> None:
    bucket = await s3.bucket()
    await s3.owner.put(bucket, b"src", b"0123456789")
    path = s3.owner.path(bucket, b"dst")
    upload_id = await _begin(s3, bucket, b"dst")
    headers = {"x-amz-copy-source": f"{bucket}/src", "x-amz-copy-source-range": "bytes=2-5"}
    query = f"partNumber=1&uploadId={upload_id}"
    copied = await s3.owner.send("PUT", path, query, headers=headers)
    etag = child_text(copied.xml("CopyPartResult"), "ETag") or ""
    assert (await _complete(s3, bucket, b"dst", upload_id, [(1, etag)])).status == 200
    assert (await s3.owner.get(bucket, b"dst")).body == b"2345"
    unused = await _begin(s3, bucket, b"dst")
    assert (await s3.owner.send("DELETE", path, f"uploadId={unused}")).status == 204
    assert (await s3.owner.send("GET", path, f"uploadId={unused}")).error == "NoSuchUpload"
    assert (await s3.owner.get(bucket, b"dst")).body == b"2345"


async def promised_digests(s3: Conformance) -> None:
    bucket = await s3.bucket()
    path, body = s3.owner.path(bucket, b"d"), b"digest me"
    md5 = base64.b64encode(hashlib.md5(b"other", usedforsecurity=False).digest()).decode()
    crc = base64.b64encode(zlib.crc32(b"other").to_bytes(4, "big")).decode()
    wrong: tuple[tuple[dict[str, str], str], ...] = (
        ({"content-md5": md5}, "BadDigest"),
        ({"content-md5": "not base64"}, "InvalidDigest"),
        ({"x-amz-checksum-crc32": crc}, "BadDigest"),
        ({"x-amz-checksum-crc32": "x"}, "InvalidRequest"),
    )
    for headers, code in wrong:
        answer = await s3.owner.send("PUT", path, body=body, headers=headers)
        assert (answer.status, answer.error) == (400, code), headers
    lie = hashlib.sha256(b"other").hexdigest()
    answer = await s3.owner.send("PUT", path, body=body, payload_hash=lie)
    assert (answer.status, answer.error) == (400, "XAmzContentSHA256Mismatch")
    assert (await s3.owner.get(bucket, b"d")).status == 404
    right = base64.b64encode(zlib.crc32(body).to_bytes(4, "big")).decode()
    stored = await s3.owner.put(bucket, b"d", body, {"x-amz-checksum-crc32": right})
    assert stored.headers["x-amz-checksum-crc32"] == right
    mode = {"x-amz-checksum-mode": "ENABLED"}
    assert (await s3.owner.get(bucket, b"d", headers=mode)).headers["x-amz-checksum-crc32"] == right


async def aws_chunked(s3: Conformance) -> None:
    bucket, chunks = await s3.bucket(), [b"a" * 65536, b"b" * 1000]
    whole = b"".join(chunks)
    crc = base64.b64encode(zlib.crc32(whole).to_bytes(4, "big")).decode()
    trailers = {"x-amz-checksum-crc32": crc}
    for trailing in (False, True):
        answer = await _put_signed(s3.owner, bucket, chunks, trailers if trailing else None)
        assert answer.status == 200, answer
        got = await s3.owner.get(bucket, b"c")
        assert got.body == whole
        assert "content-encoding" not in got.headers
    for good, status in ((crc, 200), ("AAAAAA==", 400)):
        assert (await _put_unsigned(s3.owner, bucket, whole, good)).status == status
    tampered = await _put_signed(s3.owner, bucket, chunks, None, flip=True)
    assert (tampered.status, tampered.error) == (403, "SignatureDoesNotMatch")


async def _put_signed(
    client: S3TestClient,
    bucket: str,
    chunks: list[bytes],
    trailers: dict[str, str] | None,
    *,
    flip: bool = False,
) -> Answer:
    assert client.signer is not None
    path = client.path(bucket, b"c")
    headers = {
        "host": client.host,
        "content-encoding": "aws-chunked",
        "x-amz-decoded-content-length": str(sum(map(len, chunks))),
    }
    if trailers:
        headers["x-amz-trailer"] = ",".join(trailers)
    signed = client.signer.sign(
        "PUT",
        path,
        b"",
        headers,
        now=client.now(),
        payload_hash=streaming_payload(trailer=bool(trailers)),
    )
    body = b"".join(sign_chunks(client.signer.seed(signed), chunks, trailers))
    if flip:
        body = body.replace(b"b" * 1000, b"b" * 999 + b"c")
    return await client.raw("PUT", path, "", body=body, headers=signed)


async def _put_unsigned(client: S3TestClient, bucket: str, whole: bytes, crc: str) -> Answer:
    headers = {
        "content-encoding": "aws-chunked",
        "x-amz-decoded-content-length": str(len(whole)),
        "x-amz-trailer": "x-amz-checksum-crc32",
    }
    body = b"%x\r\n%b\r\n0\r\nx-amz-checksum-crc32:%b\r\n\r\n" % (len(whole), whole, crc.encode())
    return await client.send(
        "PUT",
        client.path(bucket, b"c"),
        body=body,
        headers=headers,
        payload_hash="STREAMING-UNSIGNED-PAYLOAD-TRAILER",
    )


async def headers_of_presigned_urls(s3: Conformance) -> None:
    """What SDKs move into the query counts as if it were a header; what speaks of a body not."""
    bucket = await s3.bucket()
    path = s3.owner.path(bucket, b"hoisted")
    query = (
        "X-Amz-Acl=public-read&x-amz-meta-title=caf%C3%A9%20au%20lait&X-Amz-Meta-Sort=b"
        "&x-amz-checksum-crc32=AAAAAA%3D%3D&x-amz-sdk-checksum-algorithm=CRC32"
    )
    assert (await s3.owner.presigned("PUT", path, query, body=b"seen by all")).status == 200
    got = await s3.anonymous.get(bucket, b"hoisted")
    assert (got.status, got.body) == (200, b"seen by all")
    assert got.headers["x-amz-meta-title"] == "=?UTF-8?B?Y2Fmw6kgYXUgbGFpdA==?="
    assert got.headers["x-amz-meta-sort"] == "b"
    source = quoted(f"/{bucket}/hoisted")
    query = f"x-amz-copy-source={source}&x-amz-metadata-directive=REPLACE&x-amz-meta-sort=c"
    copied = await s3.owner.presigned("PUT", s3.owner.path(bucket, b"copy"), query)
    assert "CopyObjectResult" in copied.body.decode(), copied
    assert (await s3.owner.get(bucket, b"copy")).headers["x-amz-meta-sort"] == "c"
    assert (await s3.anonymous.get(bucket, b"copy")).status == 403
    for wrong in ("x-amz-meta-a=b%0D%0Ac:%20d", "x-amz-meta-a%20b=c", "x-amz-acl=unheard-of"):
        refused = await s3.owner.presigned("PUT", path, wrong, body=b"x")
        assert (refused.status, refused.error) == (400, "InvalidArgument"), wrong
    unsigned = await s3.owner.send("PUT", path, "x-amz-acl=public-read", body=b"x")
    assert unsigned.status == 200
    assert (await s3.anonymous.get(bucket, b"hoisted")).status == 403


async def signatures(s3: Conformance) -> None:
    bucket = await s3.bucket()
    await s3.owner.put(bucket, b"s", b"signed")
    path = s3.owner.path(bucket, b"s")
    assert (await s3.owner.presigned("GET", path)).body == b"signed"
    assert (await s3.owner.presigned("PUT", path, body=b"anew")).status == 200
    assert (await s3.owner.presigned("GET", path)).body == b"anew"
    too_long = await s3.owner.presigned("GET", path, expires=604801)
    assert too_long.error == "AuthorizationQueryParametersError"
    assert s3.owner.signer is not None
    access_key_id, base_url = s3.owner.signer.access_key_id, s3.owner.base_url
    async with S3TestClient(base_url, Signer(access_key_id, "wrong")) as wrong:
        assert (await wrong.get(bucket, b"s")).error == "SignatureDoesNotMatch"
    async with S3TestClient(base_url, Signer("NOBODYKNOWSME", "wrong")) as unknown:
        assert (await unknown.get(bucket, b"s")).error == "InvalidAccessKeyId"
    now = s3.owner.now()
    async with S3TestClient(base_url, s3.owner.signer, clock=lambda: now - 3600) as late:
        assert (await late.get(bucket, b"s")).error == "RequestTimeTooSkewed"
        assert (await late.presigned("GET", path)).status == 403


SCENARIOS: tuple[Scenario, ...] = (
    multipart,
    checksum_of_the_whole,
    copied_parts_and_abort,
    promised_digests,
    aws_chunked,
    headers_of_presigned_urls,
    signatures,
)
