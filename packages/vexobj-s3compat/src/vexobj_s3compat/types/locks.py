"""Object lock: what keeps a version from being destroyed, and what a bucket gives to new ones."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

RetentionMode = Literal["GOVERNANCE", "COMPLIANCE"]


@dataclass(frozen=True, slots=True)
class RetentionValue:
    mode: RetentionMode
    retain_until: datetime


@dataclass(frozen=True, slots=True)
class ObjectLockValue:
    """`legal_hold` None when nobody ever said."""

    retention: RetentionValue | None = None
    legal_hold: bool | None = None


@dataclass(frozen=True, slots=True)
class DefaultRetentionValue:
    """Either `days` or `years`, at least one."""

    mode: RetentionMode
    days: int | None = None
    years: int | None = None


@dataclass(frozen=True, slots=True)
class PutObjectRetentionInput:
    """`retention` None takes it away."""

    bucket: str
    key: bytes
    retention: RetentionValue | None
    version_id: str | None = None
    bypass_governance: bool = False


@dataclass(frozen=True, slots=True)
class RetentionOutput:
    retention: RetentionValue


@dataclass(frozen=True, slots=True)
class PutObjectLegalHoldInput:
    bucket: str
    key: bytes
    legal_hold: bool
    version_id: str | None = None


@dataclass(frozen=True, slots=True)
class LegalHoldOutput:
    legal_hold: bool


@dataclass(frozen=True, slots=True)
class PutObjectLockConfigurationInput:
    bucket: str
    default_retention: DefaultRetentionValue | None = None


@dataclass(frozen=True, slots=True)
class ObjectLockConfigurationOutput:
    default_retention: DefaultRetentionValue | None = None
