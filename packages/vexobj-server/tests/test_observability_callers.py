"""Request ids, addresses behind proxies, and what a browser may do with an answer."""

import ipaddress
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vexobj_server.observability.clientaddress import Client, ClientAddresses
from vexobj_server.observability.requestid import new_request_id, request_id
from vexobj_server.observability.securityheaders import NATIVE, SANDBOX, is_active

PROXIES = ClientAddresses(
    [ipaddress.ip_network(text) for text in ("10.0.0.0/8", "127.0.0.1/32", "fd00::/8")]
)


@pytest.mark.parametrize("sent", [b"a", b"3f2-\x7e!", b"x" * 128])
def test_a_proper_request_id_is_echoed(sent: bytes) -> None:
    assert request_id(sent) == sent.decode()


@pytest.mark.parametrize("sent", [None, b"", b"a b", b"x" * 129, b"caf\xc3\xa9", b"a\nb", b"\x7f"])
def test_any_other_is_replaced(sent: bytes | None) -> None:
    found = request_id(sent)
    assert uuid.UUID(found).version == 4
    assert uuid.UUID(found).variant == uuid.RFC_4122
    assert found == str(uuid.UUID(found))


def test_new_ids_do_not_repeat() -> None:
    assert len({new_request_id() for _ in range(1000)}) == 1000


@given(st.binary(max_size=140))
def test_what_is_echoed_cannot_break_a_header(sent: bytes) -> None:
    found = request_id(sent)
    assert 1 <= len(found) <= 128
    assert found.isascii()
    assert found.isprintable()
    assert " " not in found


def forwarded(*values: str, proto: str = "", host: str = "") -> list[tuple[bytes, bytes]]:
    headers = [(b"x-forwarded-for", value.encode()) for value in values]
    headers += [(b"x-forwarded-proto", proto.encode())] if proto else []
    headers += [(b"x-forwarded-host", host.encode())] if host else []
    return headers


@pytest.mark.parametrize(
    ("peer", "headers", "expected"),
    [
        ("192.0.2.1", [], Client("192.0.2.1", "http")),
        (
            "192.0.2.1",
            forwarded("1.2.3.4", proto="https", host="evil.example.com"),
            Client("192.0.2.1", "http"),
        ),
        (
            "10.1.2.3",
            forwarded("1.2.3.4", proto="https", host="media.example.com"),
            Client("1.2.3.4", "https", "media.example.com"),
        ),
        ("10.1.2.3", forwarded("6.6.6.6, 1.2.3.4"), Client("1.2.3.4", "http")),
        ("10.1.2.3", forwarded("6.6.6.6", "1.2.3.4, 10.9.9.9"), Client("1.2.3.4", "http")),
        ("10.1.2.3", forwarded("10.9.9.9"), Client("10.9.9.9", "http")),
        ("10.1.2.3", forwarded("1.2.3.4:5678"), Client("1.2.3.4", "http")),
        ("10.1.2.3", forwarded("[2001:db8::1]:99"), Client("2001:db8::1", "http")),
        ("10.1.2.3", forwarded("2001:db8::1"), Client("2001:db8::1", "http")),
        ("10.1.2.3", forwarded("unknown, 10.9.9.9"), Client("10.9.9.9", "http")),
        ("10.1.2.3", forwarded("1.2.3.4", proto="gopher"), Client("1.2.3.4", "http")),
        ("::ffff:10.1.2.3", forwarded("1.2.3.4"), Client("1.2.3.4", "http")),
        ("fd00::1", forwarded("1.2.3.4"), Client("1.2.3.4", "http")),
        ("not-an-address", forwarded("1.2.3.4"), Client("not-an-address", "http")),
    ],
)
def test_addresses(peer: str, headers: list[tuple[bytes, bytes]], expected: Client) -> None:
    assert PROXIES.of(peer, "http", headers) == expected


@given(st.lists(st.text(st.characters(max_codepoint=255)), max_size=4))
def test_whatever_a_header_holds_an_address_comes_out(values: list[str]) -> None:
    headers = [(b"x-forwarded-for", value.encode("latin-1")) for value in values]
    found = PROXIES.of("10.1.2.3", "http", headers)
    ipaddress.ip_address(found.address)


@pytest.mark.parametrize(
    ("content_type", "active"),
    [
        ("text/html; charset=utf-8", True),
        ("TEXT/HTML", True),
        ("image/svg+xml", True),
        ("application/atom+xml", True),
        ("application/xhtml+xml", True),
        ("text/xml", True),
        ("text/html(x", True),
        ("text/html x", True),
        ("text/plain,text/html", True),
        ("text/plain; x=x, text/html, x", True),
        ("multipart/x-mixed-replace; boundary=x", True),
        ("*/*", True),
        ("", True),
        ("html", True),
        ('text/plain; charset="utf-8"', False),
        ("image/jpeg", False),
        ("text/plain", False),
        ("application/octet-stream", False),
        ("video/mp4", False),
    ],
)
def test_what_a_browser_could_execute(content_type: str, active: bool) -> None:
    assert is_active(content_type) == active


def test_headers_are_ready_to_be_sent() -> None:
    for name, value in (*NATIVE, SANDBOX):
        assert name == name.lower()
        assert value.isascii()
        assert b"\n" not in value
    assert SANDBOX[1].startswith(b"sandbox;")
    assert b"allow-" not in SANDBOX[1]
