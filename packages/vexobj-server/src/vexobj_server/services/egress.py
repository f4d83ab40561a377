"""Requests to URLs that somebody else names: only to addresses that anybody on the internet has.

A name is resolved once, every address is judged, and the connection goes to the very address that
was judged, so that a name which changes its mind in between leads nowhere. Redirects are not
followed, the environment's proxies are not used, and of an answer next to nothing is read.
"""

import asyncio
import contextlib
import ipaddress
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vexobj_server.settings import Destination

if TYPE_CHECKING:
    import httpx

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = Callable[[str, int], Awaitable[Sequence[str]]]

_MOST_ADDRESSES = 3
_READ_BYTES = 4096
_READ_SECONDS = 1.0

# IANA's special-purpose registries, as of no Python version in particular.
_SPECIAL = tuple(
    ipaddress.ip_network(text)
    for text in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
        *("172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16"),
        *("198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        # Within 2000::/3: Teredo and other assignments, documentation, 6to4.
        *("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"),
    )
)
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
"""What is outside: loopback, link-local, unique local, multicast, v4-mapped, NAT64."""


class EgressError(Exception):
    """The request got no answer; the text says why, for an operator."""


class AddressRefused(EgressError):
    """The host has no address that may be connected to."""


def is_public(address: Address) -> bool:
    """Whether it is an ordinary address of the internet, in no way another one's."""
    if address.version == 6 and address not in _GLOBAL_UNICAST:
        return False
    return not any(address in network for network in _SPECIAL)


async def resolve(host: str, port: int) -> Sequence[str]:
    """By the system's resolver, the best first. Raises: OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


@dataclass(frozen=True, slots=True)
class EgressLimits:
    """`timeout_seconds` is for all of a request; `allowed` are exceptions from `is_public`."""

    timeout_seconds: float
    connect_seconds: float
    allowed: Sequence[Destination] = ()

    def permits(self, host: str, address: Address) -> bool:
        return is_public(address) or any(
            host == each
            if isinstance(each, str)
            else each.version == address.version and address in each
            for each in self.allowed
        )


class Egress:
    """A client of one process; close it at the end. `resolver` is another one in tests."""

    def __init__(self, limits: EgressLimits, user_agent: str, resolver: Resolver = resolve) -> None:
        self._limits = limits
        self._user_agent = user_agent
        self._resolver = resolver
        self._client: httpx.AsyncClient | None = None
        self._opening = asyncio.Lock()

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        """The status of the answer, whatever it is.

        Raises: AddressRefused, EgressError.
        """
        client, seconds = await self._opened(), self._limits.timeout_seconds
        try:
            async with asyncio.timeout(seconds):
                answer = await self._post(client, url, headers, body)
        except TimeoutError:
            raise EgressError(f"no answer within {seconds:g} seconds") from None
        await _drain(answer)
        return answer.status_code

    async def close(self) -> None:
        if self._client is not None:
            await self._client.aclose()

    async def _post(
        self, client: "httpx.AsyncClient", url: str, headers: Mapping[str, str], body: bytes
    ) -> "httpx.Response":
        import httpx

        try:
            target = httpx.URL(url)
        except httpx.InvalidURL as error:
            raise EgressError(str(error)) from error
        failure: Exception = EgressError("the host has no address")
        for address in await self._addresses(target):
            request = client.build_request(
                "POST",
                target.copy_with(host=str(address)),
                content=body,
                headers={**headers, "host": target.netloc.decode("ascii")},
                extensions={"sni_hostname": target.raw_host.decode("ascii")},
            )
            try:
                return await client.send(request, stream=True)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                failure = error
                continue
            except httpx.HTTPError as error:
                raise EgressError(_said(error)) from error
        raise EgressError(_said(failure)) from failure

    async def _addresses(self, target: "httpx.URL") -> Sequence[Address]:
        """Those that may be connected to."""
        host = target.raw_host.decode("ascii")
        port = target.port or (443 if target.scheme == "https" else 80)
        try:
            found = await self._resolver(host, port)
        except (OSError, UnicodeError) as error:
            raise EgressError(f"the host cannot be found: {error}") from error
        addresses = [ipaddress.ip_address(each) for each in found]
        permitted = [each for each in addresses if self._limits.permits(host, each)]
        if addresses and not permitted:
            raise AddressRefused("the host's address is not a public one, and not allowed")
        return permitted[:_MOST_ADDRESSES]

    async def _opened(self) -> "httpx.AsyncClient":
        """Made when it is wanted first, which takes a while and is nobody's time to answer."""
        async with self._opening:
            if self._client is None:
                self._client = await asyncio.to_thread(_client, self._limits, self._user_agent)
            return self._client


def _client(limits: EgressLimits, user_agent: str) -> "httpx.AsyncClient":
    """Connections are not kept: those of one address may belong to different hosts."""
    import httpx  # 6 MB, for those only who send something

    return httpx.AsyncClient(
        verify=_tls_context(),
        trust_env=False,
        follow_redirects=False,
        timeout=httpx.Timeout(limits.timeout_seconds, connect=limits.connect_seconds),
        limits=httpx.Limits(max_keepalive_connections=0),
        headers={"user-agent": user_agent, "accept-encoding": "identity"},
    )


def _tls_context() -> ssl.SSLContext:
    """Trusts what the system trusts, and what certifi does where the system has nothing."""
    import certifi

    context = ssl.create_default_context(cafile=certifi.where())
    context.load_default_certs()
    return context


async def _drain(answer: "httpx.Response") -> None:
    """Let a sender of few words finish; nothing of it is kept, and its failure is none."""
    import httpx

    read = 0
    try:
        with contextlib.suppress(httpx.HTTPError, TimeoutError):
            async with asyncio.timeout(_READ_SECONDS):
                async for chunk in answer.aiter_raw():
                    read += len(chunk)
                    if read > _READ_BYTES:
                        break
    finally:
        await answer.aclose()


def _said(error: Exception) -> str:
    return str(error) or type(error).__name__
