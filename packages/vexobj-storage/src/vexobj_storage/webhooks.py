"""Webhooks as values: who is told of which events. Nothing here sends anything."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Any


class DeliveryState(IntEnum):
    WAITING = 0
    DELIVERED = 1
    DEAD = 2
    """Given up: it is kept to be looked at and sent again."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """Who wants which events: in `events` a `*` stands for any characters.

    `bucket` None wants those of all buckets, `prefix` only those of keys that begin with it.
    `from_settings`: it is what the server's settings say, and changed there alone.
    """

    id: str
    url: str
    events: tuple[str, ...]
    created_at: datetime
    bucket: str | None = None
    prefix: str = ""
    sealed_secret: bytes | None = field(default=None, repr=False)
    enabled: bool = True
    from_settings: bool = False

    def wants(self, kind: str, data: Mapping[str, Any]) -> bool:
        """Whether it is to be told of an event."""
        return (
            any(_is_like(kind, pattern) for pattern in self.events)
            and self.bucket in (None, data.get("bucket"))
            and str(data.get("key", "")).startswith(self.prefix)
        )


@dataclass(frozen=True, slots=True)
class DeliveryCounts:
    """Of one webhook. `oldest_at` is when the oldest event happened that still waits."""

    waiting: int = 0
    delivered: int = 0
    dead: int = 0
    oldest_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class DeliveryLimits:
    """How many deliveries of a webhook are kept in each state, and those done with for how long."""

    most: int
    delivered_us: int
    dead_us: int


def _is_like(name: str, pattern: str) -> bool:
    parts = (re.escape(part) for part in pattern.split("*"))
    return re.fullmatch(".*".join(parts), name) is not None
