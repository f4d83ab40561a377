"""Kinds of values: how text from the environment or a TOML value becomes a typed one."""

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

_BINARY = 1024
_SIZE_UNITS = {
    unit: _BINARY**power
    for power, letter in enumerate(("", "K", "M", "G", "T"))
    for unit in ({f"{letter}B", f"{letter}IB", letter} if letter else {"", "B"})
}
_DURATION_UNITS = {"ms": 0.001, "": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_NUMBER_AND_UNIT = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*")
_TRUE = frozenset({"true", "yes", "on", "1"})
_FALSE = frozenset({"false", "no", "off", "0"})
_LOG_LEVELS = ("debug", "info", "warning", "error")
_LOG_LEVEL_ALIASES = {"warn": "warning", "trace": "debug", "critical": "error", "off": "error"}


@dataclass(frozen=True, slots=True)
class Kind:
    """`parse` raises ValueError with what was expected."""

    name: str
    parse: Callable[[object], Any]


@dataclass(frozen=True, slots=True)
class Bind:
    """Where to listen. An IPv6 `host` stands without brackets."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Destination = str | Network
"""A host by its name, or all addresses of a network."""


def _text(raw: object) -> str:
    if not isinstance(raw, str):
        raise ValueError("text")  # noqa: TRY004 - what is wrong is the operator's value
    return raw


def _boolean(raw: object) -> bool:
    if isinstance(raw, bool):
        return raw
    word = raw.strip().lower() if isinstance(raw, str) else ""
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise ValueError("true or false")


def _size(raw: object) -> int:
    expected = "a size such as 512KB, 16MiB or 5TB"
    if isinstance(raw, int) and not isinstance(raw, bool) and raw >= 0:
        return raw
    match = _NUMBER_AND_UNIT.fullmatch(raw) if isinstance(raw, str) else None
    if match is None or match[2].upper() not in _SIZE_UNITS:
        raise ValueError(expected)
    return int(Decimal(match[1]) * _SIZE_UNITS[match[2].upper()])


def _duration(raw: object) -> timedelta:
    if isinstance(raw, int | float) and not isinstance(raw, bool) and raw >= 0:
        return timedelta(seconds=raw)
    match = _NUMBER_AND_UNIT.fullmatch(raw) if isinstance(raw, str) else None
    if match is None or match[2].lower() not in _DURATION_UNITS:
        raise ValueError("a duration such as 500ms, 30s, 10m, 24h or 7d")
    try:
        return timedelta(seconds=float(match[1]) * _DURATION_UNITS[match[2].lower()])
    except OverflowError:
        raise ValueError("a duration of less than a million days") from None


def _path(raw: object) -> Path:
    return Path(_text(raw)).expanduser()


def _words(raw: object) -> tuple[str, ...]:
    items = raw.split(",") if isinstance(raw, str) else raw
    if not isinstance(items, list | tuple) or not all(isinstance(item, str) for item in items):
        raise ValueError("a list of texts")
    return tuple(item.strip() for item in items if item.strip())


def _networks(raw: object) -> tuple[Network, ...]:
    try:
        return tuple(ipaddress.ip_network(word, strict=False) for word in _words(raw))
    except ValueError:
        raise ValueError("addresses or networks such as 127.0.0.1 or 10.0.0.0/8") from None


def _bind(raw: object) -> Bind:
    expected = "host:port, [ipv6]:port or :port"
    host, colon, port = _text(raw).strip().rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise ValueError(expected)
    if not colon or not port.isascii() or not port.isdigit() or not 1 <= int(port) <= 65535:
        raise ValueError(expected)
    return Bind(host or "0.0.0.0", int(port))  # noqa: S104 - the reader asked for it by `:port`


def _url(raw: object) -> str:
    expected = "a URL such as https://media.example.com, without a path"
    text = _text(raw).strip().rstrip("/")
    try:
        url = urlsplit(text)
        _ = url.port
    except ValueError:
        raise ValueError(expected) from None
    extra = url.path or url.query or url.fragment or url.username
    if url.scheme not in {"http", "https"} or not url.hostname or extra:
        raise ValueError(expected)
    return text


def _domain(raw: object) -> str:
    text = _text(raw).strip().strip(".").lower()
    if not re.fullmatch(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", text):
        raise ValueError("a host name such as s3.example.com, without scheme and port")
    return text


def _log_level(raw: object) -> str:
    """Also a filter in directive form (`info,http=debug`): its level without a target counts."""
    words = [word.strip().lower() for word in _text(raw).split(",")]
    plain = next((word for word in words if "=" not in word), "info")
    level = _LOG_LEVEL_ALIASES.get(plain, plain)
    if level not in _LOG_LEVELS:
        raise ValueError(f"one of {', '.join(_LOG_LEVELS)}")
    return level


def _hex_secret(raw: object) -> str:
    text = _text(raw).strip()
    if not re.fullmatch(r"[0-9a-fA-F]{64}", text):
        raise ValueError("64 hexadecimal digits")
    return text.lower()


def _hex_secrets(raw: object) -> tuple[str, ...]:
    try:
        return tuple(_hex_secret(word) for word in _words(raw))
    except ValueError:
        raise ValueError("a list of 64 hexadecimal digits each") from None


def _http_url(raw: object) -> str:
    expected = "an http or https URL of at most 2048 characters, without a user name and a fragment"
    text = _text(raw).strip()
    try:
        url = urlsplit(text)
        _ = url.port
    except ValueError:
        raise ValueError(expected) from None
    unwanted = url.username is not None or url.password is not None or "#" in text
    if url.scheme not in {"http", "https"} or not url.hostname or unwanted or len(text) > 2048:
        raise ValueError(expected)
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("a URL of printable ASCII characters, others percent-encoded")
    return text


def _event_names(raw: object) -> tuple[str, ...]:
    words = _words(raw)
    if not all(re.fullmatch(r"[a-z0-9_.*]{1,64}", word) for word in words):
        raise ValueError("a list of names of events such as object.created or object.*")
    return words


def _destinations(raw: object) -> tuple[Destination, ...]:
    expected = "a list of host names, addresses or networks"
    found: list[Destination] = []
    for word in _words(raw):
        try:
            found.append(ipaddress.ip_network(word, strict=False))
        except ValueError:
            if not re.fullmatch(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?", word.lower()):
                raise ValueError(expected) from None
            found.append(word.lower())
    return tuple(found)


def integer(minimum: int, maximum: int = 2**31) -> Kind:
    def parse(raw: object) -> int:
        number = raw
        if isinstance(raw, str) and re.fullmatch(r"\s*\d{1,15}\s*", raw):
            number = int(raw)
        if not isinstance(number, int) or isinstance(number, bool):
            raise ValueError("a whole number")  # noqa: TRY004 - the operator's value is wrong
        if not minimum <= number <= maximum:
            raise ValueError(f"a whole number from {minimum} to {maximum}")
        return number

    return Kind("number", parse)


def choice(*values: str) -> Kind:
    def parse(raw: object) -> str:
        word = _text(raw).strip().lower()
        if word not in values:
            raise ValueError(f"one of {', '.join(values)}")
        return word

    return Kind(" or ".join(f"`{value}`" for value in values), parse)


TEXT = Kind("text", _text)
BOOLEAN = Kind("true or false", _boolean)
SIZE = Kind("size", _size)
DURATION = Kind("duration", _duration)
PATH = Kind("path", _path)
NETWORKS = Kind("list of networks", _networks)
DESTINATIONS = Kind("list of hosts and networks", _destinations)
EVENT_NAMES = Kind("list of events", _event_names)
BIND = Kind("address", _bind)
HTTP_URL = Kind("http or https URL", _http_url)
URL = Kind("URL", _url)
DOMAIN = Kind("host name", _domain)
LOG_LEVEL = Kind("`debug`, `info`, `warning` or `error`", _log_level)
HEX_SECRET = Kind("64 hex digits", _hex_secret)
HEX_SECRETS = Kind("list of 64 hex digits each", _hex_secrets)
