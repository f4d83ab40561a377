"""The JSON of locks, as values."""

from datetime import datetime
from typing import Literal, Self

from pydantic import Field, model_validator

from vexobj_server.rest.models import Input, Model, Moment
from vexobj_storage import DefaultRetention, ObjectLockConfiguration, RetentionMode
from vexobj_storage.locks import MAX_DAYS, MAX_YEARS

ModeName = Literal["governance", "compliance"]


def mode_name(mode: RetentionMode) -> ModeName:
    return "governance" if mode is RetentionMode.GOVERNANCE else "compliance"


class LockInfo(Model):
    """`retain_until` may be over; `mode` says who may end a retention before."""

    retain_until: datetime | None
    legal_hold: bool
    mode: ModeName | None


class NewLock(Input):
    """What is left out is cleared. A retention without a mode keeps its own, else governance."""

    retain_until: Moment | None = None
    legal_hold: bool = False
    mode: ModeName | None = None


class BucketRetention(Input):
    """Either days or years, from when a version is written."""

    mode: ModeName
    days: int | None = Field(default=None, ge=1, le=MAX_DAYS)
    years: int | None = Field(default=None, ge=1, le=MAX_YEARS)

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.days is None) == (self.years is None):
            raise ValueError("either days or years are wanted")
        return self


class ObjectLock(Input):
    """Of a bucket: `default_retention` is what versions get that bring none of their own."""

    default_retention: BucketRetention | None = None

    @classmethod
    def of(cls, configuration: ObjectLockConfiguration | None) -> Self | None:
        if configuration is None:
            return None
        default = configuration.default_retention
        if default is None:
            return cls()
        retention = BucketRetention(
            mode=mode_name(default.mode), days=default.days, years=default.years
        )
        return cls(default_retention=retention)

    def configuration(self) -> ObjectLockConfiguration:
        default = self.default_retention
        if default is None:
            return ObjectLockConfiguration()
        mode = RetentionMode[default.mode.upper()]
        return ObjectLockConfiguration(DefaultRetention(mode, default.days, default.years))
