"""Requests to URLs that somebody else names."""

import ipaddress
import ssl
import subprocess
import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from support.receiver import receiver
from support.tools import need
from vexobj_server.services.egress import (
    AddressRefused,
    Egress,
    EgressError,
    EgressLimits,
    is_public,
)
from vexobj_server.settings.kinds import DESTINATIONS

_LOCAL = ("127.0.0.0/8",)


class Names:
    """A resolver: what it says changes with every question, and stays with the last."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, int]] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append((host, port))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def _egress(*allowed: str, resolver: Names | None = None, seconds: float = 10.0) -> Egress:
    limits = EgressLimits(seconds, seconds, DESTINATIONS.parse(list(allowed)))
    if resolver is None:
        return Egress(limits, "VexObj/test")
    return Egress(limits, "VexObj/test", resolver)


@pytest.mark.parametrize(
    "text",
    [
        *("0.0.0.0", "10.1.2.3", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.0.1"),
        *("169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.2.1"),
        *("192.88.99.1", "192.168.1.1", "198.18.0.1", "198.19.255.1", "198.51.100.1"),
        *("203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"),
        *("::", "::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "::8.8.8.8"),
        *("64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::1", "100::1", "2001::1"),
        *("2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:20::1", "2001:db8::1", "2002:7f00:1::"),
        *("3fff::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%1", "fec0::1", "ff02::1"),
        *("4000::1", "5f00::1"),
    ],
)
def test_addresses_that_are_not_public(text: str) -> None:
    assert not is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize(
    "text",
    [
        *("1.1.1.1", "8.8.8.8", "100.63.0.1", "100.128.0.1", "172.15.0.1", "172.32.0.1"),
        *("192.0.1.1", "198.17.0.1", "198.20.0.1", "223.255.255.255", "2606:4700::1111"),
        *("2001:4860:4860::8888", "2003::1", "2a00:1450::1"),
    ],
)
def test_addresses_that_are_public(text: str) -> None:
    assert is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "localhost", "2130706433", "0x7f.1", "0177.0.0.1", "127.1", "0"),
        *("[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "LOCALHOST"),
    ],
)
async def test_no_spelling_leads_home(host: str) -> None:
    egress = _egress()
    with receiver() as home:
        with pytest.raises(EgressError):
            await egress.post(f"http://{host}:{home.port}/ok", {}, b"")
        assert home.received == []
    await egress.close()


@pytest.mark.parametrize("allowed", ["127.0.0.1", "127.0.0.0/8", "localhost", "LocalHost"])
async def test_what_is_allowed(allowed: str) -> None:
    egress = _egress(allowed)
    with receiver() as home:
        host = "localhost" if "ocal" in allowed else "127.0.0.1"
        assert await egress.post(f"http://{host}:{home.port}/ok", {"x-a": "b"}, b"12") == 204
        (request,) = home.received
    assert request.body == b"12"
    assert request.headers["x-a"] == "b"
    assert request.headers["host"] == f"{host}:{home.port}"
    assert request.headers["user-agent"] == "VexObj/test"
    assert not [name for name in request.headers if name in {"authorization", "cookie"}]
    await egress.close()


async def test_a_name_that_changes_its_mind_leads_nowhere() -> None:
    """It is asked once; the connection goes to the address that was judged."""
    with receiver("127.0.0.2") as good, receiver("127.0.0.3", good.port) as evil:
        names = Names(["127.0.0.2"], ["127.0.0.3"])
        egress = _egress("127.0.0.2", resolver=names)
        url = f"http://hooks.example.com:{good.port}/ok"
        assert await egress.post(url, {}, b"") == 204
        assert names.asked == [("hooks.example.com", good.port)]
        (request,) = good.received
        assert request.headers["host"] == f"hooks.example.com:{good.port}"
        with pytest.raises(AddressRefused):
            await egress.post(url, {}, b"")
        assert (len(good.received), evil.received) == (1, [])
        await egress.close()


async def test_refused_addresses_are_left_out_and_dead_ones_passed_over() -> None:
    with receiver("127.0.0.2") as good, receiver("127.0.0.3", good.port) as evil:
        names = Names(["127.0.0.3", "127.0.0.4", "127.0.0.2"])
        egress = _egress("127.0.0.2", "127.0.0.4", resolver=names)
        assert await egress.post(f"http://hooks.example.com:{good.port}/ok", {}, b"") == 204
        assert (len(good.received), evil.received) == (1, [])
        await egress.close()


async def test_a_host_that_is_not_there() -> None:
    for answer in ([], ["127.0.0.9"]):
        egress = _egress(*_LOCAL, resolver=Names(answer))
        with pytest.raises(EgressError):
            await egress.post("http://hooks.example.com:9/", {}, b"")
        await egress.close()


async def test_redirects_are_not_followed_and_proxies_not_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    egress = _egress(*_LOCAL)
    with receiver() as home, receiver() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        assert await egress.post(f"{home.url}/redirect", {}, b"") == 307
        assert [each.path for each in home.received] == ["/redirect"]
        assert proxy.received == []
    await egress.close()


async def test_an_answer_without_end_is_cut_short() -> None:
    egress = _egress(*_LOCAL)
    with receiver() as home:
        assert await egress.post(f"{home.url}/endless", {}, b"") == 200
        assert home.sent_endless < 16 * 1024**2
    await egress.close()


async def test_who_never_answers_is_given_up() -> None:
    egress = _egress(*_LOCAL, seconds=0.2)
    with receiver() as home, pytest.raises(EgressError, match="no answer within"):
        await egress.post(f"{home.url}/stall", {}, b"")
    await egress.close()


class _Greeter(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Of hooks.example.com, with its key."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        [
            *(need("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-keyout", key, "-out", certificate, "-subj", "/CN=hooks.example.com"),
            *("-addext", "subjectAltName=DNS:hooks.example.com"),
        ],
        check=True,
        capture_output=True,
    )
    certificate.write_bytes(certificate.read_bytes() + key.read_bytes())
    return certificate


async def test_the_certificate_is_that_of_the_name(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection goes to an address, and TLS is spoken with the host of the URL."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    asked: list[str] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.sni_callback = lambda _s, name, _c: asked.append(name)
    server = HTTPServer(("127.0.0.1", 0), _Greeter)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        egress = _egress(*_LOCAL, resolver=Names(["127.0.0.1"]))
        port = server.server_address[1]
        assert await egress.post(f"https://hooks.example.com:{port}/", {}, b"{}") == 204
        with pytest.raises(EgressError, match="CERTIFICATE_VERIFY_FAILED"):
            await egress.post(f"https://other.example.com:{port}/", {}, b"{}")
        assert asked == ["hooks.example.com", "other.example.com"]
        await egress.close()
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
