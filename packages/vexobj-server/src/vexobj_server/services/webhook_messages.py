"""What a webhook is sent: the body of an event, and the headers that prove where it is from."""

import hmac
import json
from collections.abc import Mapping
from datetime import timedelta

from vexobj_storage import Event

EVENT = "x-vexobj-event"
DELIVERY = "x-vexobj-delivery"
TIMESTAMP = "x-vexobj-timestamp"
SIGNATURE = "x-vexobj-signature"


def body(event: Event) -> bytes:
    """The same at every attempt."""
    told = {
        "id": event.id,
        "event": event.kind,
        "timestamp": event.at.isoformat(),
        "number": event.number,
        "sequence": event.sequence,
        "data": event.data,
    }
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def headers(event: Event, data: bytes, secret: str | None, now: int) -> Mapping[str, str]:
    """`now` is in seconds since 1970; without a secret there is no signature."""
    said = {
        "content-type": "application/json",
        EVENT: event.kind,
        DELIVERY: event.id,
        TIMESTAMP: str(now),
    }
    if secret is not None:
        said[SIGNATURE] = signature(secret, now, data)
    return said


def signature(secret: str, timestamp: int, data: bytes) -> str:
    """Lower-case hex of HMAC-SHA256 over the timestamp, a dot and the body."""
    return hmac.new(secret.encode(), b"%d." % timestamp + data, "sha256").hexdigest()


def pause(attempts: int, first: timedelta, longest: timedelta, luck: float) -> timedelta:
    """How long to rest after so many attempts: doubled each time, 25 % more or less by `luck`.

    `luck` is between 0 and 1.
    """
    doubled = first * 2 ** min(attempts - 1, 40) if first else first
    return min(doubled, longest) * (0.75 + luck / 2)
