"""What no honest client sends to the native API: refused, bounded, and nothing breaks later."""

import socket
from urllib.parse import urlsplit

import httpx
import pytest

from vexobj_server.testing import RunningServer


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/buckets/%00"),
        ("DELETE", "/v1/buckets/a%00b"),
        ("GET", "/v1/objects/%00"),
        ("GET", "/v1/objects/%00/key"),
        ("PUT", "/v1/objects/%00/key"),
        ("GET", "/v1/object/%00?key=key"),
        ("GET", "/v1/objects/bucket?prefix=%00"),
        ("DELETE", "/v1/admin/keys/%00"),
    ],
)
def test_nul_is_in_no_name(api: httpx.Client, method: str, path: str) -> None:
    request = api.build_request(method, "/", extensions={"target": path.encode()})
    answer = api.send(request)
    assert (answer.status_code, answer.json()["code"]) == (400, "InvalidUrl")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/admin/keys", {"name": "a\0b"}),
        ("/v1/admin/keys", {"name": "a", "identity": "\0"}),
        ("/v1/admin/identities", {"display_name": "a", "email": "a\0@example.com"}),
        ("/v1/buckets", {"name": "a\0b"}),
        ("/v1/admin/keys", {"name": "a", "expires_at": "2030-01-01T00:00:00"}),
        ("/v1/admin/keys", {"name": "a", "expires_at": "9999-12-31T23:59:59-14:00"}),
        ("/v1/admin/keys", {"name": "a", "expires_at": "0001-01-01T00:00:00+14:00"}),
    ],
)
def test_what_cannot_be_kept_is_refused(
    api: httpx.Client, path: str, body: dict[str, object]
) -> None:
    answer = api.post(path, json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "InvalidRequest")
    assert api.get("/v1/admin/keys").status_code == 200


def test_a_document_has_a_limit_for_anybody(server: RunningServer) -> None:
    big = b'{"name":"' + b"x" * 2_000_000 + b'"}'
    json = {"content-type": "application/json"}
    for content in (big, iter([big[:900_000], big[900_000:]])):
        answer = httpx.post(f"{server.url}/v1/buckets", content=content, headers=json)
        assert (answer.status_code, answer.json()["code"]) == (413, "TooLarge")


def test_a_document_that_ends_early_is_no_document(server: RunningServer) -> None:
    parts = urlsplit(server.url)
    with socket.create_connection((str(parts.hostname), parts.port or 80), 20) as connection:
        connection.sendall(
            b"POST /v1/buckets HTTP/1.1\r\nHost: example.com\r\nContent-Length: 9\r\n\r\n{"
        )
        connection.shutdown(socket.SHUT_WR)
        connection.recv(1000)
    assert httpx.get(f"{server.url}/livez").status_code == 200


def ask(server: RunningServer, head: bytes) -> bytes:
    """The status line of the answer to a request as it stands."""
    parts = urlsplit(server.url)
    with socket.create_connection((str(parts.hostname), parts.port or 80), 20) as connection:
        connection.sendall(head + b"\r\n\r\n")
        return connection.makefile("rb").readline().strip()


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET /livez HTTP/1.1\r\nHost: example.com", b"HTTP/1.1 200 OK"),
        (b"GET /livez HTTP/1.0", b"HTTP/1.0 200 OK"),
        (b"GET /livez HTTP/1.1", b"HTTP/1.1 400 Bad Request"),
        (b"GET /livez HTTP/1.1\r\nHost:", b"HTTP/1.1 400 Bad Request"),
        (b"GET /livez HTTP/1.1\r\nHost: a\r\nHost: b", b"HTTP/1.1 400 Bad Request"),
        (b"GET http://example.com/livez HTTP/1.1", b"HTTP/1.1 200 OK"),
        (b"GET http://example.com/livez HTTP/1.1\r\nHost: example.com", b"HTTP/1.1 200 OK"),
        (b"GET HTTP://example.com:80/livez HTTP/1.1\r\nHost: example.com:80", b"HTTP/1.1 200 OK"),
    ],
)
def test_a_request_names_its_host_once(server: RunningServer, head: bytes, status: bytes) -> None:
    """RFC 9112, section 3.2: in absolute form the request line does so too."""
    assert ask(server, head) == status


def test_settings_that_are_not_told_stay(api: httpx.Client, bucket: str) -> None:
    path = f"/v1/buckets/{bucket}"
    alias = f"{bucket}.example.com"
    api.patch(path, json={"settings": {"host_aliases": [alias]}})
    changed = api.patch(path, json={"settings": {"transforms": "off"}})
    assert changed.json()["settings"] == {"transforms": "off", "host_aliases": [alias]}


def test_a_host_name_is_one_whatever_its_case(api: httpx.Client, bucket: str) -> None:
    path = f"/v1/buckets/{bucket}"
    told = api.patch(path, json={"settings": {"host_aliases": [f"{bucket}.EXAMPLE.com"]}})
    assert told.json()["settings"]["host_aliases"] == [f"{bucket}.example.com"]
    for alias in ("", "a b", "example.com:80", "https://example.com", "a..b"):
        answer = api.patch(path, json={"settings": {"host_aliases": [alias]}})
        assert (answer.status_code, answer.json()["code"]) == (400, "InvalidRequest"), alias


@pytest.mark.parametrize("path", [b"/v1/admin/keys", b"/v1/%61dmin/keys", b"/v1/%73tats"])
def test_pages_elsewhere_do_not_read_what_administers(api: httpx.Client, path: bytes) -> None:
    request = api.build_request(
        "GET", "/", headers={"origin": "https://example.com"}, extensions={"target": path}
    )
    assert "access-control-allow-origin" not in api.send(request).headers


def test_an_admin_key_with_a_scope_creates_buckets_within_it(api: httpx.Client) -> None:
    scope = {"type": "specific", "buckets": ["within-scope"]}
    admin = {"name": "scoped", "permissions": {"admin": True}, "bucket_access": scope}
    made = api.post("/v1/admin/keys", json=admin).json()
    headers = {"authorization": f"Bearer {made['secret']}"}
    for name, status in (("beyond-scope", 403), ("within-scope", 201)):
        answer = api.post("/v1/buckets", json={"name": name}, headers=headers)
        assert answer.status_code == status, answer.text
        assert api.put(f"/s3/{name}", headers=headers).status_code == (403, 200)[status == 201]
