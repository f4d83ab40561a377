"""Signatures against botocore's, whatever the key; and every way to get one wrong."""

import contextlib
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from urllib.parse import quote, unquote_to_bytes, urlsplit

import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from vexobj_s3compat.errors import (
    AccessDenied,
    AuthorizationHeaderMalformed,
    AuthorizationQueryParametersError,
    InvalidArgument,
    InvalidRequest,
    MissingSecurityHeader,
    NotImplementedYet,
    RequestTimeTooSkewed,
    S3Error,
    SignatureDoesNotMatch,
)
from vexobj_s3compat.sigv4 import PendingAuth, Scope, parse
from vexobj_s3compat.sigv4.canonical import canonical_path, canonical_query
from vexobj_s3compat.sigv4.keys import signing_key
from vexobj_s3compat.sigv4.signer import Signer

SIGNER = Signer("AKID", "secret")
NOW = 1_800_000_000.0
STAMP = f"{datetime.fromtimestamp(NOW, UTC):%Y%m%dT%H%M%SZ}"
HOST = {"host": "127.0.0.1:9000"}
KEYS = ["a+b", "a b", "a%2Bb", "ünï/☃", "a//b", "//", "../x/./y", "*~!'()", "dir/", "a=b&c", "%"]


def verify(method: str, path: bytes, query: bytes, headers: Mapping[str, str]) -> None:
    pending = parse(method, path, query, headers, now=NOW, region="us-east-1")
    assert pending is not None
    pending.verify("secret")


def botocore_signed(key: str, parameters: Mapping[str, str]) -> AWSRequest:
    query = "&".join(
        f"{quote(k, safe='-_.~')}={quote(v, safe='-_.~')}" for k, v in parameters.items()
    )
    url = f"http://127.0.0.1:9000/bucket/{quote(key, safe='/~')}" + (f"?{query}" if query else "")
    return AWSRequest("GET", url, headers={"Host": "127.0.0.1:9000"})


keys = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
queries = st.dictionaries(
    st.sampled_from(["prefix", "delimiter", "list-type", "marker", "a b", "ü"]), keys, max_size=4
)


@given(keys, queries)
def test_agrees_with_botocore_headers(key: str, parameters: dict[str, str]) -> None:
    request = botocore_signed(key, parameters)
    S3SigV4Auth(Credentials("AKID", "secret"), "s3", "us-east-1").add_auth(request)
    headers = {name.lower(): value for name, value in request.headers.items()}
    url = urlsplit(request.url)
    sent_at = datetime.strptime(headers["x-amz-date"], "%Y%m%dT%H%M%S%z").timestamp()
    pending = parse(
        "GET", url.path.encode(), url.query.encode(), headers, now=sent_at, region="us-east-1"
    )
    assert pending is not None
    pending.verify("secret")
    ours = SIGNER.sign("GET", url.path.encode(), url.query.encode(), HOST, now=sent_at)
    assert ours["authorization"] == headers["authorization"]


@given(keys, queries)
def test_agrees_with_botocore_presigned(key: str, parameters: dict[str, str]) -> None:
    request = botocore_signed(key, parameters)
    S3SigV4QueryAuth(Credentials("AKID", "secret"), "s3", "us-east-1", 60).add_auth(request)
    url = urlsplit(request.url)
    sent_at = datetime.strptime(
        url.query.partition("X-Amz-Date=")[2][:16], "%Y%m%dT%H%M%S%z"
    ).timestamp()
    pending = parse(
        "GET", url.path.encode(), url.query.encode(), HOST, now=sent_at, region="us-east-1"
    )
    assert pending is not None
    pending.verify("secret")


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("bare", ["/~", "/", "/!$&'()*+,;=:@~", "/~*'()!"])
def test_a_key_verifies_whatever_the_client_leaves_bare(key: str, bare: str) -> None:
    sent = b"/b/" + quote(key, safe=bare).encode()
    headers = SIGNER.sign("GET", b"/b/" + quote(key, safe="/").encode(), b"", HOST, now=NOW)
    verify("GET", sent, b"", headers)


def test_a_client_that_signs_bare_bytes_verifies() -> None:
    timestamp, scope = STAMP, Scope(STAMP[:8], "us-east-1", "s3")
    canonical = (
        f"GET\n/b/(1)\nmarker=a+b&prefix=x/y\nhost:{HOST['host']}\nx-amz-date:{timestamp}\n\n"
        "host;x-amz-date\nUNSIGNED-PAYLOAD"
    )
    to_sign = f"AWS4-HMAC-SHA256\n{timestamp}\n{scope}\n{sha256(canonical.encode()).hexdigest()}"
    pending = PendingAuth(
        kind="header",
        access_key_id="AKID",
        scope=scope,
        timestamp=timestamp,
        payload_hash="UNSIGNED-PAYLOAD",
        signature=signing_key("secret", *scope).sign(to_sign.encode()),
        signed_headers=("host", "x-amz-date"),
        method="GET",
        raw_path=b"/b/(1)",
        raw_query=b"prefix=x/y&marker=a+b",
        headers=HOST | {"x-amz-date": timestamp},
    )
    assert pending.verify("secret").signature == pending.signature


def test_canonical_path() -> None:
    assert canonical_path(b"/b/(1)") == "/b/%281%29"
    assert canonical_path(b"/b/%2Fx") == "/b//x"
    assert canonical_path(b"/b/%2fx%41") == "/b//xA"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"acl", "acl="),
        (b"b=2&a=1&a=0", "a=0&a=1&b=2"),
        (b"a-b=1&a=2", "a=2&a-b=1"),
        (b"prefix=a+b", "prefix=a%20b"),
        (b"prefix=a=b", "prefix=a%3Db"),
        (b"prefix=a/b", "prefix=a%2Fb"),
        (b"&&a=1&", "a=1"),
        (b"a=%7e%2f", "a=~%2F"),
        (b"a=%zz", "a=%25zz"),
    ],
)
def test_canonical_query(raw: bytes, expected: str) -> None:
    assert canonical_query(raw) == expected


@given(st.binary(max_size=60))
def test_canonical_path_keeps_the_key(raw: bytes) -> None:
    canonical = canonical_path(b"/" + raw)
    assert unquote_to_bytes(canonical) == unquote_to_bytes(b"/" + raw)
    assert canonical_path(canonical.encode()) == canonical


def test_header_values_are_folded() -> None:
    headers = SIGNER.sign("GET", b"/", b"", HOST | {"x-amz-meta-a": "a  b   c"}, now=NOW)
    verify("GET", b"/", b"", headers | {"x-amz-meta-a": " a b c\t"})


def good() -> dict[str, str]:
    return SIGNER.sign("GET", b"/b/k", b"", HOST, now=NOW)


def swap(old: str, new: str) -> dict[str, str]:
    headers = good()
    assert old in headers["authorization"]
    return headers | {"authorization": headers["authorization"].replace(old, new)}


def without(*names: str) -> dict[str, str]:
    return {name: value for name, value in good().items() if name not in names}


@pytest.mark.parametrize(
    ("headers", "error"),
    [
        (swap("Credential=", "Cred="), AuthorizationHeaderMalformed),
        (swap("SignedHeaders=host;", "SignedHeaders="), AuthorizationHeaderMalformed),
        (swap("SignedHeaders=host", "SignedHeaders=Host"), AuthorizationHeaderMalformed),
        (swap("aws4_request", "aws5_request"), AuthorizationHeaderMalformed),
        (swap("us-east-1", "eu-west-1"), AuthorizationHeaderMalformed),
        (swap("/s3/", "/sts/"), AuthorizationHeaderMalformed),
        (swap(f"/{STAMP[:8]}/", "/20200101/"), AuthorizationHeaderMalformed),
        (swap(f"/{STAMP[:8]}/", "/today/"), AuthorizationHeaderMalformed),
        (swap("Signature=", "Signature=,Signature="), AuthorizationHeaderMalformed),
        (swap("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"), NotImplementedYet),
        (swap("AWS4-HMAC-SHA256", "AWS"), InvalidRequest),
        (swap("AWS4-HMAC-SHA256", "Negotiate"), InvalidArgument),
        (swap("Signature=", "Signature=ü"), SignatureDoesNotMatch),
        (without("x-amz-content-sha256"), MissingSecurityHeader),
        (without("x-amz-date"), AccessDenied),
        (good() | {"x-amz-date": "yesterday"}, AccessDenied),
        (good() | {"x-amz-content-sha256": "abc"}, InvalidArgument),
        (good() | {"x-amz-acl": "public-read"}, AccessDenied),
        (good() | {"host": "evil"}, SignatureDoesNotMatch),
        (SIGNER.sign("GET", b"/b/k", b"", HOST, now=NOW - 901), RequestTimeTooSkewed),
        (SIGNER.sign("GET", b"/b/k", b"", HOST, now=NOW + 901), RequestTimeTooSkewed),
        (SIGNER.sign("GET", b"/b/j", b"", HOST, now=NOW), SignatureDoesNotMatch),
        (SIGNER.sign("PUT", b"/b/k", b"", HOST, now=NOW), SignatureDoesNotMatch),
    ],
)
def test_wrong_headers(headers: dict[str, str], error: type[S3Error]) -> None:
    with pytest.raises(error):
        verify("GET", b"/b/k", b"", headers)


def test_date_header_serves_where_there_is_no_x_amz_date() -> None:
    headers = good()
    del headers["x-amz-date"]
    pending = parse(
        "GET", b"/b/k", b"", headers | {"date": "Fri, 15 Jan 2027 08:00:00 GMT"}, now=NOW
    )
    assert pending is not None
    assert pending.timestamp == STAMP


def presigned(expires: int = 60, now: float = NOW) -> bytes:
    return SIGNER.presign("GET", b"/b/k", b"x=1", HOST, now=now, expires_seconds=expires)


@pytest.mark.parametrize(
    ("query", "error"),
    [
        (presigned(now=NOW - 61), AccessDenied),
        (presigned(now=NOW + 1000), AccessDenied),
        (presigned(expires=604_801), AuthorizationQueryParametersError),
        (presigned(expires=0), AuthorizationQueryParametersError),
        (presigned(expires=-1), AuthorizationQueryParametersError),
        (presigned().replace(b"Expires=60", b"Expires=soon"), AuthorizationQueryParametersError),
        (presigned().replace(b"Expires=60", b"Expires=61"), SignatureDoesNotMatch),
        (presigned().replace(b"x=1", b"x=2"), SignatureDoesNotMatch),
        (presigned() + b"&X-Amz-Expires=600", AuthorizationQueryParametersError),
        (presigned().replace(b"X-Amz-Date=", b"Y="), AuthorizationQueryParametersError),
        (presigned().replace(b"us-east-1", b"eu-west-1"), AuthorizationQueryParametersError),
        (presigned().replace(b"%2Fs3%2F", b"%2Fsts%2F"), AuthorizationQueryParametersError),
        (presigned().replace(b"AWS4-HMAC-SHA256", b"AWS4-ECDSA-P256-SHA256"), NotImplementedYet),
        (b"AWSAccessKeyId=a&Signature=b&Expires=1", InvalidRequest),
    ],
)
def test_wrong_query(query: bytes, error: type[S3Error]) -> None:
    verify("GET", b"/b/k", presigned(), HOST)
    with pytest.raises(error):
        verify("GET", b"/b/k", query, HOST)


def test_expired_says_when() -> None:
    with pytest.raises(AccessDenied, match="Request has expired") as caught:
        verify("GET", b"/b/k", presigned(now=NOW - 61), HOST)
    assert set(caught.value.fields) == {"X-Amz-Expires", "Expires", "ServerTime"}


def test_both_ways_at_once_are_refused() -> None:
    with pytest.raises(InvalidArgument, match="Only one auth mechanism"):
        verify("GET", b"/b/k", presigned(), good())


def test_anonymous() -> None:
    assert parse("GET", b"/b/k", b"w=300", HOST, now=NOW) is None


@given(
    st.text(max_size=80),
    st.dictionaries(
        st.sampled_from(["x-amz-date", "date", "x-amz-content-sha256", "host", "x-amz-acl"]),
        st.text(max_size=20),
    ),
    st.binary(max_size=60),
)
def test_nothing_but_an_s3_error(rest: str, headers: dict[str, str], query: bytes) -> None:
    for authorization in (rest, f"AWS4-HMAC-SHA256 {rest}", good()["authorization"] + rest):
        for base in (headers, good() | headers):
            with contextlib.suppress(S3Error):
                verify("GET", b"/b/k", query, base | {"authorization": authorization})
    for whole in (presigned() + query, b"X-Amz-Signature=" + query):
        with contextlib.suppress(S3Error):
            verify("GET", b"/b/k", whole, HOST | headers)
