"""Object lock (WORM): what keeps a version from being destroyed. Values and decisions, no I/O.

As Amazon S3 has it (User Guide, "Locking objects with Object Lock"): a retention keeps a version
until its time, and only grows while it lasts; a legal hold keeps it until the hold is lifted. With
the right to bypass it, a retention in governance mode yields; one in compliance mode never does.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum

MAX_DAYS = 36_500
MAX_YEARS = 100


class RetentionMode(IntEnum):
    GOVERNANCE = 1
    COMPLIANCE = 2


class LockRefusal(StrEnum):
    """Why a locked version stays; the text is what people are told."""

    LEGAL_HOLD = "legal hold is in effect"
    RETENTION = "retention period has not elapsed"


@dataclass(frozen=True, slots=True)
class Retention:
    mode: RetentionMode
    until: datetime


@dataclass(frozen=True, slots=True)
class ObjectLock:
    """What a version is locked by; `legal_hold` None when nobody ever said."""

    retention: Retention | None = None
    legal_hold: bool | None = None


UNLOCKED = ObjectLock()

LockChange = Callable[[ObjectLock], ObjectLock]
"""From the lock that is there to the one that shall be; it may be called several times."""


@dataclass(frozen=True, slots=True)
class DefaultRetention:
    """What a bucket gives new versions that bring no retention: so many days, or years."""

    mode: RetentionMode
    days: int | None = None
    years: int | None = None

    def __post_init__(self) -> None:
        """Raises: ValueError."""
        if (self.days is None) == (self.years is None):
            raise ValueError("a default retention has either days or years")
        for given, most in ((self.days, MAX_DAYS), (self.years, MAX_YEARS)):
            if given is not None and not 1 <= given <= most:
                raise ValueError(f"a default retention is between 1 and {most} long")

    def beginning(self, now: datetime) -> Retention:
        if self.days is not None:
            return Retention(self.mode, now + timedelta(days=self.days))
        year = now.year + (self.years or 0)
        try:
            return Retention(self.mode, now.replace(year=year))
        except ValueError:  # the 29th of February
            return Retention(self.mode, now.replace(year=year, month=3, day=1))


@dataclass(frozen=True, slots=True)
class ObjectLockConfiguration:
    """Of a bucket that has object lock: it keeps versions, and can never lose either."""

    default_retention: DefaultRetention | None = None


def refusal(lock: ObjectLock, now: datetime, *, bypass_governance: bool) -> LockRefusal | None:
    """Why a version with this lock must not be destroyed at `now`; None when it may be."""
    if lock.legal_hold:
        return LockRefusal.LEGAL_HOLD
    retention = lock.retention
    if retention is None or retention.until <= now:
        return None
    if bypass_governance and retention.mode is RetentionMode.GOVERNANCE:
        return None
    return LockRefusal.RETENTION


def may_change(old: ObjectLock, new: ObjectLock, now: datetime, *, bypass_governance: bool) -> bool:
    """Whether one lock may take the other's place: a retention under way may only grow.

    A legal hold comes and goes as it likes; a mode changes only with the right to bypass.
    """
    current, wanted = old.retention, new.retention
    if current is None or current.until <= now:
        return True
    if bypass_governance and current.mode is RetentionMode.GOVERNANCE:
        return True
    return wanted is not None and wanted.mode is current.mode and wanted.until >= current.until
