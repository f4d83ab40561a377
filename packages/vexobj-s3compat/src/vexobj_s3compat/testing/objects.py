"""Scenarios on single objects: bytes, headers, ranges, conditions, copies, ACLs."""

import hashlib

from vexobj_s3compat.testing.client import quoted
from vexobj_s3compat.testing.suite import Conformance, Scenario
from vexobj_s3compat.xml import child_text, children

ODD_KEYS = (
    b"plain.txt",
    b"with space.txt",
    b"plus+plus",
    b"percent%25%2B",
    b"a//b",
    b"/leading",
    b"trailing/",
    b"dots/./../..",
    "snow\N{SNOWMAN}/\N{GRINNING FACE}.jpg".encode(),
    b"tab\tand\"quote'<&>",
    b"q?x=1#frag",
    b"~-._!*()$,;:@=",
    b"k" * 1024,
)


async def round_trip(s3: Conformance) -> None:
    bucket = await s3.bucket()
    body = bytes(range(256)) * 64
    headers = {
        "content-type": "image/png",
        "cache-control": "public, max-age=315576000, immutable",
        "content-disposition": 'inline; filename="a b.png"',
        "content-encoding": "gzip,aws-chunked",
        "x-amz-meta-colour": "blue",
        "x-amz-storage-class": "STANDARD",
        "x-amz-tagging": "",
        "x-amz-unheard-of": "ignored",
    }
    put = await s3.owner.put(bucket, b"a.png", body, headers)
    etag = f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'
    assert put.headers["etag"] == etag
    assert put.headers["x-amz-request-id"]
    assert put.headers["x-amz-id-2"]
    got = await s3.owner.get(bucket, b"a.png", headers={"accept-encoding": "identity"})
    head = await s3.owner.send("HEAD", s3.owner.path(bucket, b"a.png"))
    for answer in (got, head):
        assert answer.status == 200
        assert answer.headers["etag"] == etag
        assert answer.headers["content-length"] == str(len(body))
        assert answer.headers["content-type"] == "image/png"
        assert answer.headers["content-encoding"] == "gzip"
        assert answer.headers["cache-control"] == headers["cache-control"]
        assert answer.headers["content-disposition"] == headers["content-disposition"]
        assert answer.headers["x-amz-meta-colour"] == "blue"
        assert answer.headers["accept-ranges"] == "bytes"
        assert answer.headers["last-modified"].endswith(" GMT")
    assert head.body == b""
    deleted = await s3.owner.send("DELETE", s3.owner.path(bucket, b"a.png"))
    assert (deleted.status, deleted.body) == (204, b"")
    gone = await s3.owner.get(bucket, b"a.png")
    assert (gone.status, gone.error) == (404, "NoSuchKey")
    assert child_text(gone.xml("Error"), "Key") == "a.png"
    again = await s3.owner.send("DELETE", s3.owner.path(bucket, b"a.png"))
    assert again.status == 204
    assert (await s3.owner.send("HEAD", s3.owner.path(bucket, b"a.png"))).body == b""


async def keys_are_exact(s3: Conformance) -> None:
    bucket = await s3.bucket()
    for key in ODD_KEYS:
        await s3.owner.put(bucket, key, b"<" + key + b">")
    for key in ODD_KEYS:
        got = await s3.owner.get(bucket, key)
        assert got.body == b"<" + key + b">", key
    listed = await s3.owner.send("GET", s3.owner.path(bucket), "list-type=2")
    contents = children(listed.xml("ListBucketResult"), "Contents")
    assert [child_text(item, "Key") for item in contents] == [
        key.decode() for key in sorted(ODD_KEYS)
    ]
    for key in ODD_KEYS:
        source = f"{bucket}/{quoted(key.decode())}"
        copied = await s3.owner.send(
            "PUT", s3.owner.path(bucket, b"copy"), headers={"x-amz-copy-source": source}
        )
        assert copied.status == 200, key
        assert (await s3.owner.get(bucket, b"copy")).body == b"<" + key + b">"


async def bad_keys(s3: Conformance) -> None:
    bucket = await s3.bucket()
    long = await s3.owner.send("PUT", s3.owner.path(bucket, b"k" * 1025), body=b"x")
    assert (long.status, long.error) == (400, "KeyTooLongError")
    for raw in (b"%00", b"%FF%FE"):
        path = s3.owner.path(bucket) + b"/" + raw
        answer = await s3.owner.send("PUT", path, body=b"x")
        assert answer.status == 400, raw
    listed = await s3.owner.send("GET", s3.owner.path(bucket))
    assert not list(children(listed.xml("ListBucketResult"), "Contents"))


async def ranges(s3: Conformance) -> None:
    bucket = await s3.bucket()
    await s3.owner.put(bucket, b"r", b"0123456789")
    cases = {
        "bytes=0-0": (206, b"0", "bytes 0-0/10"),
        "bytes=2-5": (206, b"2345", "bytes 2-5/10"),
        "bytes=8-100": (206, b"89", "bytes 8-9/10"),
        "bytes=-3": (206, b"789", "bytes 7-9/10"),
        "bytes=5-": (206, b"56789", "bytes 5-9/10"),
        "bytes=junk": (200, b"0123456789", None),
    }
    for value, (status, body, content_range) in cases.items():
        got = await s3.owner.get(bucket, b"r", headers={"range": value})
        assert (got.status, got.body) == (status, body), value
        assert got.headers.get("content-range") == content_range
    past = await s3.owner.get(bucket, b"r", headers={"range": "bytes=10-"})
    assert (past.status, past.error) == (416, "InvalidRange")
    assert past.headers["content-range"] == "bytes */10"


async def conditional_reads(s3: Conformance) -> None:
    bucket = await s3.bucket()
    put = await s3.owner.put(bucket, b"c", b"body", {"x-amz-checksum-crc32": "26gLsg=="})
    etag = put.headers["etag"]
    long_ago, far_on = "Wed, 01 Jan 2003 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT"
    cases: tuple[tuple[dict[str, str], int], ...] = (
        ({"if-match": etag}, 200),
        ({"if-match": '"other"'}, 412),
        ({"if-none-match": etag}, 304),
        ({"if-none-match": '"other"'}, 200),
        ({"if-modified-since": long_ago}, 200),
        ({"if-modified-since": far_on}, 304),
        ({"if-unmodified-since": long_ago}, 412),
        ({"if-unmodified-since": far_on}, 200),
        ({"if-match": etag, "if-unmodified-since": long_ago}, 200),
        ({"if-none-match": '"other"', "if-modified-since": far_on}, 200),
    )
    for headers, status in cases:
        assert (await s3.owner.get(bucket, b"c", headers=headers)).status == status, headers
        path = s3.owner.path(bucket, b"c")
        assert (await s3.owner.send("HEAD", path, headers=headers)).status == status, headers
    asked = {"if-none-match": etag, "x-amz-checksum-mode": "ENABLED"}
    unchanged = await s3.owner.get(bucket, b"c", headers=asked)
    assert (unchanged.headers["etag"], unchanged.body) == (etag, b"")
    assert not [name for name in unchanged.headers if name.startswith("x-amz-checksum-")]


async def conditional_writes(s3: Conformance) -> None:
    bucket = await s3.bucket()
    path = s3.owner.path(bucket, b"lease")
    first = await s3.owner.send("PUT", path, body=b"1", headers={"if-none-match": "*"})
    assert first.status == 200
    second = await s3.owner.send("PUT", path, body=b"2", headers={"if-none-match": "*"})
    assert (second.status, second.error) == (412, "PreconditionFailed")
    stale = await s3.owner.send("PUT", path, body=b"2", headers={"if-match": '"0"'})
    assert stale.status == 412
    fresh = {"if-match": first.headers["etag"]}
    assert (await s3.owner.send("PUT", path, body=b"2", headers=fresh)).status == 200
    missing = await s3.owner.send(
        "PUT", s3.owner.path(bucket, b"none"), body=b"x", headers={"if-match": '"0"'}
    )
    assert (missing.status, missing.error) == (404, "NoSuchKey")
    assert (await s3.owner.get(bucket, b"lease")).body == b"2"


async def copies(s3: Conformance) -> None:
    bucket = await s3.bucket()
    headers = {"content-type": "text/x-one", "x-amz-meta-a": "1"}
    put = await s3.owner.put(bucket, b"src", b"copy me", headers)
    path, source = s3.owner.path(bucket, b"dst"), {"x-amz-copy-source": f"/{bucket}/src"}
    kept = await s3.owner.send("PUT", path, headers=source)
    etag = child_text(kept.xml("CopyObjectResult"), "ETag")
    assert etag == put.headers["etag"]
    got = await s3.owner.get(bucket, b"dst")
    assert (got.body, got.headers["x-amz-meta-a"]) == (b"copy me", "1")
    replaced = {"x-amz-metadata-directive": "REPLACE", "x-amz-meta-b": "2"}
    await s3.owner.send("PUT", path, headers={**source, **replaced})
    got = await s3.owner.get(bucket, b"dst")
    assert got.headers["x-amz-meta-b"] == "2"
    assert "x-amz-meta-a" not in got.headers
    same = {"x-amz-copy-source": f"{bucket}/dst"}
    refused = await s3.owner.send("PUT", path, headers=same)
    assert (refused.status, refused.error) == (400, "InvalidRequest")
    onto_itself = await s3.owner.send("PUT", path, headers={**same, **replaced})
    assert onto_itself.status == 200
    failed = await s3.owner.send(
        "PUT", path, headers={**source, "x-amz-copy-source-if-none-match": put.headers["etag"]}
    )
    assert failed.status == 412
    missing = await s3.owner.send("PUT", path, headers={"x-amz-copy-source": f"{bucket}/none"})
    assert (missing.status, missing.error) == (404, "NoSuchKey")


async def acls(s3: Conformance) -> None:
    bucket = await s3.bucket()
    await s3.owner.put(bucket, b"shown", b"photo", {"x-amz-acl": "public-read"})
    await s3.owner.put(bucket, b"hidden", b"secret")
    shown = await s3.anonymous.get(bucket, b"shown", headers={"origin": "https://example.com"})
    assert (shown.status, shown.body) == (200, b"photo")
    assert shown.headers["access-control-allow-origin"] == "*"
    assert (await s3.anonymous.get(bucket, b"hidden")).status == 403
    assert (await s3.other.get(bucket, b"hidden")).error == "AccessDenied"
    assert (await s3.anonymous.get(bucket, b"none")).status == 403
    path = s3.owner.path(bucket, b"hidden")
    opened = await s3.owner.send("PUT", path, "acl", headers={"x-amz-acl": "public-read"})
    assert opened.status == 200
    assert (await s3.anonymous.get(bucket, b"hidden")).body == b"secret"
    policy = await s3.owner.send("GET", path, "acl")
    assert policy.body.count(b"<Grant>") == 2
    closed = await s3.owner.send("PUT", path, "acl", headers={"x-amz-acl": "private"})
    assert closed.status == 200
    assert (await s3.anonymous.get(bucket, b"hidden")).status == 403
    restored = await s3.owner.send("PUT", path, "acl", body=policy.body)
    assert restored.status == 200
    assert (await s3.anonymous.get(bucket, b"hidden")).body == b"secret"
    unsigned = await s3.anonymous.send("PUT", s3.owner.path(bucket, b"new"), body=b"x")
    assert unsigned.status == 403


async def overrides(s3: Conformance) -> None:
    bucket = await s3.bucket()
    await s3.owner.put(bucket, b"o", b"x")
    query = "response-content-type=text%2Fhtml&response-content-disposition=attachment"
    for answer in (
        await s3.owner.get(bucket, b"o", query),
        await s3.owner.presigned("GET", s3.owner.path(bucket, b"o"), query),
    ):
        assert answer.headers["content-type"] == "text/html"
        assert answer.headers["content-disposition"] == "attachment"


SCENARIOS: tuple[Scenario, ...] = (
    round_trip,
    keys_are_exact,
    bad_keys,
    ranges,
    conditional_reads,
    conditional_writes,
    copies,
    acls,
    overrides,
)
