"""Scenarios on buckets: their life, listings, versions, batch deletes, unanswered subresources."""

import base64
import hashlib
import secrets

from vexobj_s3compat.testing.client import Answer, quoted
from vexobj_s3compat.testing.suite import Conformance, Scenario
from vexobj_s3compat.xml import Element, child_text, children


def _texts(root: Element, parent: str, name: str) -> list[str]:
    return [child_text(item, name) or "" for item in children(root, parent)]


async def life_of_a_bucket(s3: Conformance) -> None:
    bucket = await s3.bucket()
    assert (await s3.owner.send("HEAD", s3.owner.path(bucket))).status == 200
    assert (await s3.owner.send("HEAD", s3.owner.path(bucket) + b"/")).status == 200
    assert (await s3.other.send("HEAD", s3.other.path(bucket))).status == 403
    assert (await s3.other.send("PUT", s3.other.path(bucket))).error == "BucketAlreadyExists"
    listed = await s3.owner.send("GET", s3.owner.path())
    assert bucket.encode() in listed.body
    assert bucket.encode() not in (await s3.other.send("GET", s3.other.path())).body
    location = await s3.owner.send("GET", s3.owner.path(bucket), "location")
    assert location.xml("LocationConstraint").name == "LocationConstraint"
    await s3.owner.put(bucket, b"k", b"")
    full = await s3.owner.send("DELETE", s3.owner.path(bucket))
    assert (full.status, full.error) == (409, "BucketNotEmpty")
    await s3.owner.send("DELETE", s3.owner.path(bucket, b"k"))
    assert (await s3.owner.send("DELETE", s3.owner.path(bucket))).status == 204
    assert (await s3.owner.send("HEAD", s3.owner.path(bucket))).status == 404
    for name in ("Upper-Case", "under_score", "192.168.0.1", "a..b", "xn--bucket"):
        refused = await s3.owner.send("PUT", s3.owner.path(name))
        assert refused.error == "InvalidBucketName", name


async def listings(s3: Conformance) -> None:
    bucket = await s3.bucket()
    keys = ["a", "b/1", "b/2", "b/c/1", "d e", "e+f", "z/1"]
    for key in keys:
        await s3.owner.put(bucket, key.encode(), b"x")
    whole = (await _list(s3, bucket, "list-type=2")).xml("ListBucketResult")
    assert _texts(whole, "Contents", "Key") == keys
    assert child_text(whole, "KeyCount") == "7"
    folded = (await _list(s3, bucket, "delimiter=%2F")).xml("ListBucketResult")
    assert _texts(folded, "Contents", "Key") == ["a", "d e", "e+f"]
    assert _texts(folded, "CommonPrefixes", "Prefix") == ["b/", "z/"]
    under = (await _list(s3, bucket, "list-type=2&prefix=b%2F&delimiter=%2F")).xml(
        "ListBucketResult"
    )
    assert _texts(under, "Contents", "Key") == ["b/1", "b/2"]
    assert _texts(under, "CommonPrefixes", "Prefix") == ["b/c/"]
    encoded = (await _list(s3, bucket, "list-type=2&encoding-type=url&prefix=d")).xml(
        "ListBucketResult"
    )
    assert _texts(encoded, "Contents", "Key") == ["d%20e"]
    assert child_text(encoded, "EncodingType") == "url"
    after = (await _list(s3, bucket, "list-type=2&start-after=b%2F2")).xml("ListBucketResult")
    assert _texts(after, "Contents", "Key") == keys[3:]
    none = (await _list(s3, bucket, "list-type=2&max-keys=0")).xml("ListBucketResult")
    assert (child_text(none, "KeyCount"), child_text(none, "IsTruncated")) == ("0", "false")
    for query in ("max-keys=-1", "max-keys=x", "list-type=2&continuation-token=nonsense"):
        assert (await _list(s3, bucket, query)).error == "InvalidArgument", query
    assert await _pages(s3, bucket, "list-type=2", "continuation-token") == (keys, [])
    assert await _pages(s3, bucket, "list-type=2&delimiter=%2F", "continuation-token") == (
        ["a", "d e", "e+f"],
        ["b/", "z/"],
    )
    assert await _pages(s3, bucket, "delimiter=%2F", "marker") == (
        ["a", "d e", "e+f"],
        ["b/", "z/"],
    )


async def _list(s3: Conformance, bucket: str, query: str) -> Answer:
    return await s3.owner.send("GET", s3.owner.path(bucket), query)


async def _pages(
    s3: Conformance, bucket: str, query: str, marker: str
) -> tuple[list[str], list[str]]:
    keys: list[str] = []
    prefixes: list[str] = []
    following = ""
    while True:
        page = (await _list(s3, bucket, f"{query}&max-keys=1{following}")).xml("ListBucketResult")
        keys += _texts(page, "Contents", "Key")
        prefixes += _texts(page, "CommonPrefixes", "Prefix")
        if child_text(page, "IsTruncated") == "false":
            return keys, prefixes
        token = child_text(page, "NextMarker" if marker == "marker" else "NextContinuationToken")
        following = f"&{marker}={quoted(token or '')}"


async def batch_delete(s3: Conformance) -> None:
    bucket = await s3.bucket()
    for number in range(3):
        await s3.owner.put(bucket, b"k%d" % number, b"x")
    path = s3.owner.path(bucket)

    async def delete(document: bytes, *, digest: bool = True) -> Answer:
        md5 = hashlib.md5(document, usedforsecurity=False).digest()
        headers = {"content-md5": base64.b64encode(md5).decode()} if digest else {}
        return await s3.owner.send("POST", path, "delete", body=document, headers=headers)

    two = b"<Object><Key>k0</Key></Object><Object><Key>none</Key></Object>"
    told = await delete(b"<Delete>" + two + b"</Delete>")
    assert _texts(told.xml("DeleteResult"), "Deleted", "Key") == ["k0", "none"]
    one = b"<Quiet>true</Quiet><Object><Key>k1</Key></Object>"
    quiet = await delete(b"<Delete>" + one + b"</Delete>")
    assert not quiet.xml("DeleteResult").children
    assert (await delete(b"<Delete><Object><Key>k2</Key></Object></Delete>", digest=False)).error
    bomb = b'<!DOCTYPE d [<!ENTITY a "b">]><Delete><Object><Key>&a;</Key></Object></Delete>'
    assert (await delete(bomb)).error == "MalformedXML"
    many = b"<Delete>" + b"<Object><Key>k</Key></Object>" * 1001 + b"</Delete>"
    assert (await delete(many)).error == "MalformedXML"
    left = await s3.owner.send("GET", path)
    assert _texts(left.xml("ListBucketResult"), "Contents", "Key") == ["k2"]


async def not_configured(s3: Conformance) -> None:
    bucket = await s3.bucket()
    missing = {
        "policy": "NoSuchBucketPolicy",
        "policyStatus": "NoSuchBucketPolicy",
        "encryption": "ServerSideEncryptionConfigurationNotFoundError",
        "object-lock": "ObjectLockConfigurationNotFoundError",
        "cors": "NoSuchCORSConfiguration",
        "tagging": "NoSuchTagSet",
        "website": "NoSuchWebsiteConfiguration",
        "replication": "ReplicationConfigurationNotFoundError",
        "publicAccessBlock": "NoSuchPublicAccessBlockConfiguration",
        "ownershipControls": "OwnershipControlsNotFoundError",
    }
    for name, code in missing.items():
        answer = await s3.owner.send("GET", s3.owner.path(bucket), name)
        assert (answer.status, answer.error) == (404, code), name
    for name in ("versioning", "logging", "notification", "requestPayment", "accelerate", "acl"):
        assert (await s3.owner.send("GET", s3.owner.path(bucket), name)).status == 200, name


async def subresources_never_run_the_plain_verb(s3: Conformance) -> None:
    bucket = await s3.bucket()
    await s3.owner.put(bucket, b"media", b"precious")
    path = s3.owner.path(bucket, b"media")
    for name in ("annotation", "restore", "select", "torrent"):
        for method in ("PUT", "DELETE", "POST"):
            answer = await s3.owner.send(method, path, name, body=b"<X/>")
            assert (answer.status, answer.error) == (501, "NotImplemented"), (method, name)
    for method in ("PUT", "DELETE"):
        answer = await s3.owner.send(method, path, "colour=blue", body=b"")
        assert (answer.status, answer.error) == (400, "InvalidArgument"), method
    emptied = await s3.bucket()
    for name in ("inventory", "analytics", "metrics", "intelligent-tiering"):
        answer = await s3.owner.send("DELETE", s3.owner.path(emptied), name)
        assert answer.status == 501, name
    assert (await s3.owner.send("HEAD", s3.owner.path(emptied))).status == 200
    assert (await s3.owner.get(bucket, b"media", "1700000000&fbclid=x")).body == b"precious"


async def versions(s3: Conformance) -> None:
    bucket = await s3.bucket()
    status = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
    enabled = await s3.owner.send("PUT", s3.owner.path(bucket), "versioning", body=status)
    assert enabled.status == 200
    told = await s3.owner.send("GET", s3.owner.path(bucket), "versioning")
    assert child_text(told.xml("VersioningConfiguration"), "Status") == "Enabled"
    ids = [
        (await s3.owner.put(bucket, b"v", body)).headers["x-amz-version-id"]
        for body in (b"1", b"2")
    ]
    marker = await s3.owner.send("DELETE", s3.owner.path(bucket, b"v"))
    assert marker.headers["x-amz-delete-marker"] == "true"
    gone = await s3.owner.get(bucket, b"v")
    assert (gone.status, gone.headers["x-amz-delete-marker"]) == (404, "true")
    first = await s3.owner.get(bucket, b"v", f"versionId={quoted(ids[0])}")
    assert first.body == b"1"
    listed = await s3.owner.send("GET", s3.owner.path(bucket), "versions")
    root = listed.xml("ListVersionsResult")
    assert _texts(root, "Version", "VersionId") == ids[::-1]
    assert _texts(root, "DeleteMarker", "IsLatest") == ["true"]
    marker_id = quoted(marker.headers["x-amz-version-id"])
    by_id = await s3.owner.get(bucket, b"v", f"versionId={marker_id}")
    assert (by_id.status, by_id.headers["x-amz-delete-marker"]) == (405, "true")
    assert by_id.headers["allow"] == "DELETE"
    source = f"{bucket}/v?versionId={quoted(ids[0])}"
    copied = await s3.owner.send(
        "PUT", s3.owner.path(bucket, b"copy"), headers={"x-amz-copy-source": source}
    )
    assert copied.headers["x-amz-copy-source-version-id"] == ids[0]
    assert (await s3.owner.get(bucket, b"copy")).body == b"1"
    path = s3.owner.path(bucket, b"v")
    assert (await s3.owner.send("DELETE", path, f"versionId={marker_id}")).status == 204
    assert (await s3.owner.get(bucket, b"v")).body == b"2"


async def strangers(s3: Conformance) -> None:
    missing = f"conformance-{secrets.token_hex(6)}"
    assert (await s3.owner.get(missing, b"k")).error == "NoSuchBucket"
    assert (await s3.anonymous.send("GET", s3.anonymous.path())).status in {302, 307, 403}


SCENARIOS: tuple[Scenario, ...] = (
    life_of_a_bucket,
    listings,
    batch_delete,
    not_configured,
    subresources_never_run_the_plain_verb,
    versions,
    strangers,
)
