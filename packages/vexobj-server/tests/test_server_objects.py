"""Object bytes on the native API: keys byte by byte, ranges, conditions, hostile content."""

import hashlib
from urllib.parse import quote

import httpx
import pytest

from vexobj_server.testing import RunningServer

HOSTILE_KEYS = [
    "plain.txt",
    "a b+c.txt",
    "a//b",
    "/leading",
    "trailing/",
    "../up",
    "a/./b/../c",
    "..",
    "%2F%25",
    "ключ/🦊.png",
    "q?x=1&y=2#z",
    "e\u0301",
    "\t\n",
]


def by_path(bucket: str, key: str) -> bytes:
    return f"/v1/objects/{bucket}/{quote(key, safe='/+')}".encode()


def by_query(bucket: str, key: str) -> bytes:
    return f"/v1/object/{bucket}?key={quote(key, safe='')}".encode()


def send(api: httpx.Client, method: str, target: bytes, content: bytes = b"") -> httpx.Response:
    """Exactly these path bytes: HTTP libraries tidy them up."""
    request = api.build_request(method, "/", content=content, extensions={"target": target})
    return api.send(request)


@pytest.mark.parametrize("key", HOSTILE_KEYS)
@pytest.mark.parametrize(("put", "get"), [(by_path, by_query), (by_query, by_path)])
def test_keys_come_back_byte_for_byte(
    api: httpx.Client, bucket: str, key: str, put: object, get: object
) -> None:
    body = key.encode()
    made = send(api, "PUT", put(bucket, key), body)  # type: ignore[operator]
    assert made.status_code == 201, made.text
    assert made.json()["key"] == key
    assert send(api, "GET", get(bucket, key)).content == body  # type: ignore[operator]
    listed = api.get(f"/v1/objects/{bucket}").json()["objects"]
    assert [each["key"] for each in listed] == [key]
    assert send(api, "DELETE", get(bucket, key)).status_code == 204  # type: ignore[operator]
    assert send(api, "GET", put(bucket, key)).status_code == 404  # type: ignore[operator]


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ("/v1/objects/{}/%00", "InvalidKey"),
        ("/v1/objects/{}/%FF", "InvalidKey"),
        ("/v1/objects/{}/%zz", "InvalidUrl"),
        ("/v1/objects/{}/" + "k" * 1025, "InvalidKey"),
        ("/v1/object/{}?key=", "InvalidKey"),
        ("/v1/object/{}", "InvalidKey"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_what_is_no_key_is_refused(
    api: httpx.Client, bucket: str, target: str, code: str, method: str
) -> None:
    answer = send(api, method, target.format(bucket).encode(), b"x" if method == "PUT" else b"")
    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_what_a_put_answers(api: httpx.Client, bucket: str) -> None:
    body = b"hello"
    made = api.put(f"/v1/objects/{bucket}/a.html", content=body)
    meta = made.json()
    assert made.status_code == 201
    assert meta["size"] == 5
    assert meta["content_type"] == "text/html"
    assert meta["etag"] == hashlib.md5(body, usedforsecurity=False).hexdigest()
    assert meta["sha256"] == hashlib.sha256(body).hexdigest()
    assert made.headers["etag"] == f'"{meta["etag"]}"'


def test_headers_that_a_writer_gives_are_served(api: httpx.Client, bucket: str) -> None:
    given = {
        "content-type": "image/x-thing",
        "cache-control": "public, max-age=60",
        "content-disposition": "inline",
        "x-amz-meta-colour": "blue",
    }
    made = api.put(f"/v1/objects/{bucket}/k", content=b"x", headers=given)
    assert made.json()["metadata"] == {"colour": "blue"}
    for method in ("GET", "HEAD"):
        answer = api.request(method, f"/v1/objects/{bucket}/k")
        assert {name: answer.headers[name] for name in given} == given
        assert answer.headers["last-modified"].endswith("GMT")
        assert answer.headers["content-length"] == "1"
        assert answer.headers["x-vexobj-sha256"] == hashlib.sha256(b"x").hexdigest()


@pytest.mark.parametrize(
    ("sent", "stored", "served"),
    [
        ("é☃".encode(), "é☃", b"=?UTF-8?B?w6nimIM=?="),
        (b"=?UTF-8?B?DQpYLUV2aWw6IDE=?=", "\r\nX-Evil: 1", b"=?UTF-8?B?DQpYLUV2aWw6IDE=?="),
        (b"a\tb", "a\tb", b"=?UTF-8?B?YQli?="),
    ],
)
def test_metadata_that_no_header_can_hold(
    api: httpx.Client, bucket: str, sent: bytes, stored: str, served: bytes
) -> None:
    path = f"/v1/objects/{bucket}/k"
    made = api.put(path, content=b"x", headers=[(b"x-amz-meta-note", sent)])
    assert made.json()["metadata"] == {"note": stored}
    answer = api.get(path)
    assert answer.status_code == 200
    assert dict(answer.headers.raw)[b"x-amz-meta-note"] == served


@pytest.mark.parametrize("size", [0, 10, 20_000, 300_000, 1_500_000])
def test_sizes_and_ranges(api: httpx.Client, bucket: str, size: int) -> None:
    body = bytes(number % 251 for number in range(size))
    path = f"/v1/objects/{bucket}/k"
    assert api.put(path, content=body).status_code == 201
    assert api.get(path).content == body
    if size:
        part = api.get(path, headers={"range": "bytes=3-7"})
        assert (part.status_code, part.content) == (206, body[3:8])
        assert part.headers["content-range"] == f"bytes 3-{min(7, size - 1)}/{size}"
        assert api.get(path, headers={"range": "bytes=-4"}).content == body[-4:]
        assert api.get(path, headers={"range": f"bytes=1-{size + 9}"}).content == body[1:]
    beyond = api.get(path, headers={"range": f"bytes={size}-"})
    assert beyond.status_code == 416
    assert beyond.headers["content-range"] == f"bytes */{size}"


def test_conditions(api: httpx.Client, bucket: str) -> None:
    path = f"/v1/objects/{bucket}/k"
    etag = api.put(path, content=b"x").headers["etag"]
    modified = api.head(path).headers["last-modified"]
    for headers, status in (
        ({"if-none-match": etag}, 304),
        ({"if-modified-since": modified}, 304),
        ({"if-match": '"other"'}, 412),
        ({"if-match": etag}, 200),
        ({"if-range": '"other"', "range": "bytes=0-0"}, 200),
    ):
        assert api.get(path, headers=headers).status_code == status, headers
    assert api.put(path, content=b"y", headers={"if-none-match": "*"}).status_code == 412
    assert api.put(path, content=b"y", headers={"if-match": '"other"'}).status_code == 412
    assert api.put(path, content=b"y", headers={"if-match": etag}).status_code == 201


def test_promised_digests_are_kept(api: httpx.Client, bucket: str) -> None:
    path = f"/v1/objects/{bucket}/k"
    for headers in (
        {"x-vexobj-sha256": hashlib.sha256(b"other").hexdigest()},
        {"content-md5": "AAAAAAAAAAAAAAAAAAAAAA=="},
        {"content-md5": "nonsense"},
    ):
        for body in (b"x", b"x" * 100_000):
            assert api.put(path, content=body, headers=headers).status_code == 400
    assert api.get(path).status_code == 404


@pytest.mark.parametrize(
    ("content_type", "sandboxed"),
    [
        ("text/html", True),
        ("image/svg+xml; charset=utf-8", True),
        ("application/xhtml+xml", True),
        ("image/png", False),
        ("text/plain", False),
    ],
)
def test_content_that_a_browser_could_run(
    server: RunningServer, api: httpx.Client, bucket: str, content_type: str, *, sandboxed: bool
) -> None:
    api.patch(f"/v1/buckets/{bucket}", json={"public": True})
    headers = {"content-type": content_type}
    api.put(f"/v1/objects/{bucket}/page", content=b"<script>", headers=headers)
    for url in (f"/v1/objects/{bucket}/page", f"/{bucket}/page", f"/s3/{bucket}/page"):
        answer = httpx.get(server.url + url)
        assert answer.status_code == 200
        assert answer.headers["x-content-type-options"] == "nosniff"
        policy = answer.headers.get("content-security-policy", "")
        assert policy.startswith("sandbox") is sandboxed


def test_a_host_of_its_own(server: RunningServer, api: httpx.Client, bucket: str) -> None:
    """Every path on it is a key, whatever the native API calls its own."""
    alias = f"{bucket}.example.com"
    settings = {"host_aliases": [alias]}
    answer = api.patch(f"/v1/buckets/{bucket}", json={"public": True, "settings": settings})
    assert answer.json()["settings"]["host_aliases"] == [alias]
    for key in ("v1/stats", "health", "docs", "dashboard/x", "a/b"):
        api.put(f"/v1/objects/{bucket}/{key}", content=key.encode())
        for host in (alias, f"{alias}:8000", f"{bucket}.localhost"):
            served = httpx.get(f"{server.url}/{key}", headers={"host": host})
            assert served.text == key
    other = api.post("/v1/buckets", json={"name": f"x{bucket}"}).json()["name"]
    taken = api.patch(f"/v1/buckets/{other}", json={"settings": settings})
    assert taken.json()["code"] == "HostAliasTaken"


def test_a_condition_that_is_none_stores_nothing(
    server: RunningServer, api: httpx.Client, bucket: str
) -> None:
    """It is refused before the body is staged, not after."""
    blobs = server.data_dir / "blobs"
    before = {path for path in blobs.rglob("*") if path.is_file()}
    answer = api.put(
        f"/v1/objects/{bucket}/key", content=b"x" * 300_000, headers={"if-none-match": '"etag"'}
    )
    assert answer.status_code == 400
    assert {path for path in blobs.rglob("*") if path.is_file()} == before
