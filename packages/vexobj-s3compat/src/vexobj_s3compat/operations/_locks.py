"""Object lock in headers, as several operations read and write them."""

from datetime import UTC, datetime

from vexobj_s3compat.asgi import RawHeaders
from vexobj_s3compat.operations._input import invalid_argument
from vexobj_s3compat.types import Headers, ObjectLockValue, RetentionValue
from vexobj_s3compat.types.locks import RetentionMode
from vexobj_s3compat.xml import timestamp

_MODE = "x-amz-object-lock-mode"
_UNTIL = "x-amz-object-lock-retain-until-date"
_HOLD = "x-amz-object-lock-legal-hold"
_BYPASS = "x-amz-bypass-governance-retention"
_HOLDS = {"ON": True, "OFF": False}


def lock_of_headers(headers: Headers) -> ObjectLockValue | None:
    """What a new version shall be locked by; None when the request does not say.

    Raises:
        InvalidArgument.
    """
    if not (_MODE in headers or _UNTIL in headers or _HOLD in headers):
        return None
    hold = headers.get(_HOLD)
    if hold is not None and hold not in _HOLDS:
        raise invalid_argument(_HOLD, hold, "Legal Hold must be either of 'ON' or 'OFF'")
    return ObjectLockValue(_retention(headers), None if hold is None else _HOLDS[hold])


def _retention(headers: Headers) -> RetentionValue | None:
    name, until = headers.get(_MODE), headers.get(_UNTIL)
    if name is None and until is None:
        return None
    if name is None or until is None:
        raise invalid_argument(
            _MODE if name is None else _UNTIL,
            "null",
            "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied",
        )
    mode = retention_mode(name)
    if mode is None:
        raise invalid_argument(_MODE, name, "Unknown wormMode directive.")
    moment = parse_moment(until)
    if moment is None:
        raise invalid_argument(
            _UNTIL, until, "The retain until date must be provided in ISO 8601 format"
        )
    return RetentionValue(mode, moment)


def retention_mode(text: str) -> RetentionMode | None:
    if text == "GOVERNANCE":
        return "GOVERNANCE"
    return "COMPLIANCE" if text == "COMPLIANCE" else None


def parse_moment(text: str) -> datetime | None:
    """An ISO 8601 time with its offset, in UTC; None for anything else."""
    try:
        moment = datetime.fromisoformat(text.strip())
        return None if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def bypasses_governance(headers: Headers) -> bool:
    return headers.get(_BYPASS, "").lower() == "true"


def lock_headers(lock: ObjectLockValue) -> RawHeaders:
    headers: RawHeaders = []
    if lock.retention is not None:
        headers += [
            (_MODE.encode(), lock.retention.mode.encode()),
            (_UNTIL.encode(), timestamp(lock.retention.retain_until).encode()),
        ]
    if lock.legal_hold is not None:
        headers.append((_HOLD.encode(), b"ON" if lock.legal_hold else b"OFF"))
    return headers
