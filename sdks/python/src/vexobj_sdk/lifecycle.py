"""The client's calls about lifecycle rules and the server's clock."""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any
from urllib.parse import quote

from vexobj_sdk.connection import Connection, each, given
from vexobj_sdk.models import ClockInfo, LifecycleRule, LifecycleRun, NewLifecycleRule


class LifecycleCalls(Connection):
    def create_lifecycle_rule(
        self,
        bucket: str,
        prefix: str = "",
        expire_days: int | None = None,
        *,
        rule: NewLifecycleRule | None = None,
    ) -> LifecycleRule:
        """Objects under `prefix` expire after `expire_days`; a `rule` says more, and all of it."""
        wanted = rule or NewLifecycleRule(prefix=prefix, expire_days=expire_days)
        return self._json(LifecycleRule.parse, "POST", _path(bucket), json=_said(wanted))

    def list_lifecycle_rules(self, bucket: str) -> list[LifecycleRule]:
        return self._json(each("rules", LifecycleRule.parse), "GET", _path(bucket))

    def set_lifecycle(
        self, bucket: str, rules: Iterable[NewLifecycleRule | LifecycleRule]
    ) -> list[LifecycleRule]:
        """Replace all rules of the bucket; none removes them."""
        body = {"rules": [_said(rule) for rule in rules]}
        return self._json(each("rules", LifecycleRule.parse), "PUT", _path(bucket), json=body)

    def delete_lifecycle_rule(self, rule_id: str, *, bucket: str | None = None) -> None:
        """In whatever bucket it is; name the `bucket` where several have a rule of this id."""
        path = f"/v1/admin/lifecycle/rule/{quote(rule_id, safe='')}"
        self._request("DELETE", path, params=given(bucket=bucket))

    def run_lifecycle(self) -> LifecycleRun:
        """Do what is due by all rules now; returns when it is done."""
        return self._json(LifecycleRun.parse, "POST", "/v1/admin/lifecycle/run")

    def get_clock(self) -> ClockInfo:
        """Nothing expires while the server's clock is held."""
        return self._json(ClockInfo.parse, "GET", "/v1/admin/clock")

    def accept_clock(self) -> ClockInfo:
        """Declare the server's clock right: what is over by it expires from now on."""
        return self._json(ClockInfo.parse, "POST", "/v1/admin/clock/accept")


def _path(bucket: str) -> str:
    return f"/v1/admin/lifecycle/{quote(bucket, safe='')}"


def _said(rule: NewLifecycleRule | LifecycleRule) -> Mapping[str, Any]:
    """What a client may say of a rule; times as the contract has them."""
    names = [field.name for field in fields(NewLifecycleRule)]
    values = given(**{name: getattr(rule, name) for name in names})
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in values.items()
    }
