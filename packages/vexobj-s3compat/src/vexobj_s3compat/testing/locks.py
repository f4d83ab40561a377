"""Scenarios of object lock, for a caller who does not ask to bypass governance."""

import base64
import hashlib
import secrets
from datetime import UTC, datetime, timedelta

from vexobj_s3compat.testing.client import Answer
from vexobj_s3compat.testing.suite import Conformance, Scenario
from vexobj_s3compat.xml import child_text, children, timestamp

_UNTIL = timestamp(datetime.now(UTC) + timedelta(days=1))
_LATER = timestamp(datetime.now(UTC) + timedelta(days=2))
_GOVERNED = {
    "x-amz-object-lock-mode": "GOVERNANCE",
    "x-amz-object-lock-retain-until-date": _UNTIL,
}


async def _locked_bucket(s3: Conformance) -> str:
    name = f"conformance-{secrets.token_hex(6)}"
    headers = {"x-amz-bucket-object-lock-enabled": "true"}
    made = await s3.owner.send("PUT", s3.owner.path(name), headers=headers)
    assert made.status == 200, made
    return name


async def _set(
    s3: Conformance, bucket: str, key: bytes | None, query: str, document: str
) -> Answer:
    return await s3.owner.send("PUT", s3.owner.path(bucket, key), query, body=document.encode())


def _retention(mode: str, until: str) -> str:
    return f"<Retention><Mode>{mode}</Mode><RetainUntilDate>{until}</RetainUntilDate></Retention>"


def _configuration(rule: str) -> str:
    enabled = "<ObjectLockEnabled>Enabled</ObjectLockEnabled>"
    return f"<ObjectLockConfiguration>{enabled}{rule}</ObjectLockConfiguration>"


async def locked_versions(s3: Conformance) -> None:
    bucket = await _locked_bucket(s3)
    headers = {**_GOVERNED, "x-amz-object-lock-legal-hold": "ON"}
    put = await s3.owner.put(bucket, b"k", b"kept", headers)
    version = f"versionId={put.headers['x-amz-version-id']}"
    for method in ("GET", "HEAD"):
        told = await s3.owner.send(method, s3.owner.path(bucket, b"k"))
        assert {name: told.headers[name] for name in headers} == headers
    marker = await s3.owner.send("DELETE", s3.owner.path(bucket, b"k"))
    assert marker.headers["x-amz-delete-marker"] == "true"
    path = s3.owner.path(bucket, b"k")
    for status in ("ON", "OFF"):
        kept = await s3.owner.send("DELETE", path, version)
        assert (kept.status, kept.error) == (403, "AccessDenied"), status
        hold = f"<LegalHold><Status>{status}</Status></LegalHold>"
        assert (await _set(s3, bucket, b"k", f"legal-hold&{version}", hold)).status == 200
    lifted = await s3.owner.send("GET", path, f"legal-hold&{version}")
    assert child_text(lifted.xml("LegalHold"), "Status") == "OFF"
    named = f"<Key>k</Key><VersionId>{put.headers['x-amz-version-id']}</VersionId>"
    document = f"<Delete><Object>{named}</Object></Delete>".encode()
    digest = hashlib.md5(document, usedforsecurity=False).digest()
    batch = await s3.owner.send(
        "POST",
        s3.owner.path(bucket),
        "delete",
        body=document,
        headers={"content-md5": base64.b64encode(digest).decode()},
    )
    (refused,) = children(batch.xml("DeleteResult"), "Error")
    assert child_text(refused, "Code") == "AccessDenied"
    assert (await s3.owner.get(bucket, b"k", version)).body == b"kept"


async def retentions(s3: Conformance) -> None:
    bucket = await _locked_bucket(s3)
    await s3.owner.put(bucket, b"k", b"data")
    path = s3.owner.path(bucket, b"k")
    none = await s3.owner.send("GET", path, "retention")
    assert (none.status, none.error) == (404, "NoSuchObjectLockConfiguration")
    for mode, until, status in (
        ("GOVERNANCE", _UNTIL, 200),
        ("GOVERNANCE", _LATER, 200),
        ("GOVERNANCE", _UNTIL, 403),
        ("COMPLIANCE", _LATER, 403),
        ("GOVERNANCE", "2001-01-01T00:00:00Z", 400),
        ("abc", _LATER, 400),
        ("GOVERNANCE", "tomorrow", 400),
    ):
        answer = await _set(s3, bucket, b"k", "retention", _retention(mode, until))
        assert answer.status == status, (mode, until)
    told = (await s3.owner.send("GET", path, "retention")).xml("Retention")
    assert [child_text(told, n) for n in ("Mode", "RetainUntilDate")] == ["GOVERNANCE", _LATER]
    assert (await _set(s3, bucket, b"k", "retention", "<Retention/>")).status == 403
    stranger = await s3.other.send("GET", s3.other.path(bucket, b"k"), "retention")
    assert (stranger.status, stranger.error) == (403, "AccessDenied")


async def default_retention(s3: Conformance) -> None:
    bucket = await _locked_bucket(s3)

    async def configure(rule: str) -> Answer:
        return await _set(s3, bucket, None, "object-lock", _configuration(rule))

    rule = "<Rule><DefaultRetention><Mode>GOVERNANCE</Mode>{}</DefaultRetention></Rule>"
    for period, code in (
        ("", "MalformedXML"),
        ("<Days>1</Days><Years>1</Years>", "MalformedXML"),
        ("<Days>0</Days>", "InvalidArgument"),
        ("<Years>-1</Years>", "InvalidArgument"),
    ):
        assert (await configure(rule.format(period))).error == code, period
    assert (await configure(rule.format("<Days>3</Days>"))).status == 200
    told = (await s3.owner.send("GET", s3.owner.path(bucket), "object-lock")).body
    assert b"<Mode>GOVERNANCE</Mode><Days>3</Days>" in told
    await s3.owner.put(bucket, b"k", b"data")
    held = await s3.owner.send("HEAD", s3.owner.path(bucket, b"k"))
    assert held.headers["x-amz-object-lock-mode"] == "GOVERNANCE"
    assert (await configure("")).status == 200
    await s3.owner.put(bucket, b"k", b"data")
    free = await s3.owner.send("HEAD", s3.owner.path(bucket, b"k"))
    assert "x-amz-object-lock-mode" not in free.headers
    status = "<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>"
    suspended = await _set(s3, bucket, None, "versioning", status)
    assert (suspended.status, suspended.error) == (409, "InvalidBucketState")


async def without_object_lock(s3: Conformance) -> None:
    bucket = await s3.bucket()
    await s3.owner.put(bucket, b"k", b"data")
    path = s3.owner.path(bucket, b"k")
    for query, document in (
        ("retention", _retention("GOVERNANCE", _UNTIL)),
        ("legal-hold", "<LegalHold><Status>ON</Status></LegalHold>"),
    ):
        for answer in (
            await s3.owner.send("GET", path, query),
            await _set(s3, bucket, b"k", query, document),
        ):
            assert (answer.status, answer.error) == (400, "InvalidRequest"), query
    refused = await s3.owner.send("PUT", path, body=b"x", headers=_GOVERNED)
    assert (refused.status, refused.error) == (400, "InvalidRequest")
    early = await _set(s3, bucket, None, "object-lock", _configuration(""))
    assert (early.status, early.error) == (409, "InvalidBucketState")
    half = {"x-amz-object-lock-mode": "GOVERNANCE"}
    answer = await s3.owner.send("PUT", path, body=b"x", headers=half)
    assert (answer.status, answer.error) == (400, "InvalidArgument")


SCENARIOS: tuple[Scenario, ...] = (
    locked_versions,
    retentions,
    default_retention,
    without_object_lock,
)
