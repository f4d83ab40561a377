"""Scenarios on lifecycle configurations: they come back as they were put, or are refused."""

from vexobj_s3compat.testing.client import Answer
from vexobj_s3compat.testing.suite import Conformance, Scenario
from vexobj_s3compat.xml import child_text, children

_EXPIRE = "<Expiration><Days>30</Days></Expiration>"
_EVERYTHING = "<Filter><Prefix></Prefix></Filter>"
_RULES = (
    (
        "<Rule><ID>all</ID><Filter><Prefix></Prefix></Filter><Status>Enabled</Status>"
        "<NoncurrentVersionExpiration><NoncurrentDays>3</NoncurrentDays>"
        "<NewerNoncurrentVersions>2</NewerNoncurrentVersions></NoncurrentVersionExpiration>"
        "<AbortIncompleteMultipartUpload><DaysAfterInitiation>7</DaysAfterInitiation>"
        "</AbortIncompleteMultipartUpload></Rule>"
    ),
    (
        "<Rule><ID>a &amp; b</ID><Filter><And><Prefix>é/&lt;</Prefix>"
        "<Tag><Key>k</Key><Value></Value></Tag><ObjectSizeGreaterThan>0</ObjectSizeGreaterThan>"
        "<ObjectSizeLessThan>9</ObjectSizeLessThan></And></Filter><Status>Disabled</Status>"
        "<Expiration><Days>30</Days></Expiration></Rule>"
    ),
    (
        "<Rule><ID>tag</ID><Filter><Tag><Key>k</Key><Value>v</Value></Tag></Filter>"
        "<Status>Enabled</Status><Expiration><Date>2031-05-06T00:00:00.000Z</Date></Expiration></Rule>"
    ),
    (
        "<Rule><ID>marker</ID><Filter><Prefix>m/</Prefix></Filter><Status>Enabled</Status>"
        "<Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration></Rule>"
    ),
)


def _rule(*inner: str) -> str:
    return f"<Rule>{''.join(inner)}</Rule>"


async def _put(s3: Conformance, bucket: str, *rules: str) -> Answer:
    body = f"<LifecycleConfiguration>{''.join(rules)}</LifecycleConfiguration>".encode()
    return await s3.owner.send("PUT", s3.owner.path(bucket), "lifecycle", body=body)


async def a_lifecycle_comes_back(s3: Conformance) -> None:
    bucket = await s3.bucket()
    path = s3.owner.path(bucket)
    missing = await s3.owner.send("GET", path, "lifecycle")
    assert (missing.status, missing.error) == (404, "NoSuchLifecycleConfiguration")
    assert (await _put(s3, bucket, *_RULES)).status == 200
    told = await s3.owner.send("GET", path, "lifecycle")
    assert "".join(_RULES) in told.body.decode()
    old = _rule("<Prefix>old/</Prefix><Status>Enabled</Status>", _EXPIRE)
    assert (await _put(s3, bucket, old)).status == 200
    (rule,) = children(
        (await s3.owner.send("GET", path, "lifecycle")).xml("LifecycleConfiguration"), "Rule"
    )
    assert child_text(rule, "ID")
    (found,) = children(rule, "Filter")
    assert child_text(found, "Prefix") == "old/"
    for _ in range(2):
        assert (await s3.owner.send("DELETE", path, "lifecycle")).status == 204
    assert (await s3.owner.send("GET", path, "lifecycle")).status == 404
    assert (await s3.owner.send("HEAD", path)).status == 200
    for method in ("GET", "PUT", "DELETE"):
        body = b"<LifecycleConfiguration/>" if method == "PUT" else b""
        refused = await s3.other.send(method, s3.other.path(bucket), "lifecycle", body=body)
        assert refused.status in {400, 403}, method


async def a_lifecycle_that_cannot_be(s3: Conformance) -> None:
    bucket = await s3.bucket()
    on = "<Status>Enabled</Status>"
    transition = "<Transition><Days>1</Days><StorageClass>GLACIER</StorageClass></Transition>"
    two = "<Filter><Prefix>a</Prefix><Tag><Key>a</Key><Value>b</Value></Tag></Filter>"
    both = "<Expiration><Days>1</Days><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker>"
    tags = "<Tag><Key>a</Key><Value>b</Value></Tag>" * 2
    for code, rules in {
        "MalformedXML": [
            "",
            "<Other/>",
            _rule(on, _EXPIRE),
            _rule(_EVERYTHING, _EXPIRE),
            _rule(_EVERYTHING, "<Status>enabled</Status>", _EXPIRE),
            _rule(two, on, _EXPIRE),
            _rule(_EVERYTHING, on, "<Expiration/>"),
            _rule(_EVERYTHING, on, both, "</Expiration>"),
            _rule(_EVERYTHING, on, "<Expiration><Days>x</Days></Expiration>"),
            _rule(_EVERYTHING, on, "<Expiration><Date>soon</Date></Expiration>"),
            _rule(_EVERYTHING, on, _EXPIRE) * 1001,
        ],
        "InvalidArgument": [
            _rule(_EVERYTHING, on, "<Expiration><Days>0</Days></Expiration>"),
            _rule(_EVERYTHING, on, "<Expiration><Days>-1</Days></Expiration>"),
            _rule(_EVERYTHING, on, "<Expiration><Date>2031-01-01T01:00:00Z</Date></Expiration>"),
            _rule("<ID>same</ID>", _EVERYTHING, on, _EXPIRE) * 2,
            _rule(f"<ID>{'x' * 256}</ID>", _EVERYTHING, on, _EXPIRE),
        ],
        "InvalidRequest": [
            _rule(_EVERYTHING, on),
            _rule(f"<Filter><And>{tags}</And></Filter>", on, _EXPIRE),
        ],
        "NotImplemented": [_rule(_EVERYTHING, on, transition)],
    }.items():
        for rule in rules:
            answer = await _put(s3, bucket, rule)
            assert answer.error == code, (rule[:300], answer)
    assert (await s3.owner.send("GET", s3.owner.path(bucket), "lifecycle")).status == 404


SCENARIOS: tuple[Scenario, ...] = (a_lifecycle_comes_back, a_lifecycle_that_cannot_be)
