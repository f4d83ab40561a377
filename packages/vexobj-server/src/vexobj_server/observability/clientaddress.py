"""Who really called, and by what URL, when a proxy stands in front; pure."""

import ipaddress
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from vexobj_server.settings import Network

_FORWARDED = frozenset({b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host"})
_REMEMBERED = 4096


class Client(NamedTuple):
    """`host` is None when the request's own Host header stands."""

    address: str
    scheme: str
    host: str | None = None


class ClientAddresses:
    """Believes `X-Forwarded-*` when it comes from a trusted proxy, and from nobody else."""

    def __init__(self, trusted: Sequence[Network]) -> None:
        self._trusted = tuple(trusted)
        self._known: dict[str, bool] = {}

    def of(self, peer: str, scheme: str, headers: Iterable[tuple[bytes, bytes]]) -> Client:
        """The last address in X-Forwarded-For that is no trusted proxy; the peer without one."""
        if not self._trusted or not self._is_trusted(peer):
            return Client(peer, scheme)
        told: dict[bytes, list[str]] = {}
        for name, value in headers:
            if name in _FORWARDED:
                words = (word.strip() for word in value.decode("latin-1").split(","))
                told.setdefault(name, []).extend(word for word in words if word)
        hops = told.get(b"x-forwarded-for", [])
        address = peer
        for hop in reversed(hops):
            found = _address(hop)
            if found is None:
                break
            address = found
            if not self._is_trusted(found):
                break
        proto = told.get(b"x-forwarded-proto", [""])[-1].lower()
        host = told.get(b"x-forwarded-host", [None])[-1]
        return Client(address, proto if proto in {"http", "https"} else scheme, host)

    def _is_trusted(self, address: str) -> bool:
        known = self._known.get(address)
        if known is None:
            known = self._look_up(address)
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[address] = known
        return known

    def _look_up(self, address: str) -> bool:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        mapped = getattr(parsed, "ipv4_mapped", None)
        candidate = parsed if mapped is None else mapped
        return any(
            candidate.version == network.version and candidate in network
            for network in self._trusted
        )


def _address(hop: str) -> str | None:
    """An address as proxies write it: bare, `1.2.3.4:567`, `[::1]` or `[::1]:567`."""
    if hop.startswith("["):
        hop = hop[1:].partition("]")[0]
    elif hop.count(":") == 1:
        hop = hop.partition(":")[0]
    try:
        return str(ipaddress.ip_address(hop))
    except ValueError:
        return None
