"""Lifecycle rules: what they may say, and what they want done with a version. No I/O.

As Amazon S3 has it (User Guide, "Managing the lifecycle of objects"): an age in days is counted
from the version's own creation, or from when it became noncurrent, and rounded up to the next
midnight UTC. The length of a day is an argument, so that tests need not wait for one; what
clients are told is always told in days of 24 hours.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime, time, timedelta
from enum import Enum
from typing import Any

from vexobj_storage.errors import InvalidLifecycleRule
from vexobj_storage.types import Bucket, ObjectVersion

DAY_US = 86_400_000_000
MAX_RULES = 1000
MAX_ID_LENGTH = 255
MAX_KEPT = 100
MAX_DAYS = 2**31 - 1

_SETTING = "lifecycle"
_TIMES = ("created_at", "expire_at")
_ONE_US = timedelta(microseconds=1)
_START = datetime(1970, 1, 1, tzinfo=UTC)
_END_US = (datetime(9999, 12, 31, tzinfo=UTC) - _START) // _ONE_US


@dataclass(frozen=True, slots=True)
class LifecycleRule:
    """Applies to keys with `prefix` that have all of `tags` and a size between the two bounds.

    Both bounds are exclusive. Current versions expire after `expire_days` or at `expire_at`;
    `expire_delete_markers` removes a marker that hides nothing, which `expire_days` does too once
    it is that old. Noncurrent versions go after `noncurrent_days`, but the `keep_noncurrent`
    newest of a key stay. Uploads are aborted `abort_upload_days` after they began.
    """

    id: str
    created_at: datetime
    enabled: bool = True
    prefix: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    size_greater_than: int | None = None
    size_less_than: int | None = None
    expire_days: int | None = None
    expire_at: datetime | None = None
    expire_delete_markers: bool = False
    noncurrent_days: int | None = None
    keep_noncurrent: int | None = None
    abort_upload_days: int | None = None

    @property
    def is_filtered(self) -> bool:
        """By what only an object has: delete markers and uploads have neither tags nor size."""
        return bool(self.tags) or (self.size_greater_than, self.size_less_than) != (None, None)


@dataclass(frozen=True, slots=True)
class VersionFacts:
    """What decides about a version, or delete marker; times in microseconds since 1970.

    `noncurrent_since_us` is when a newer one took its place, None for the latest;
    `newer_noncurrent` how many noncurrent versions are newer, markers not counted. `alone` when
    its key has no other version.
    """

    key: bytes
    size: int
    tags: Mapping[str, str]
    modified_us: int
    is_delete_marker: bool = False
    noncurrent_since_us: int | None = None
    newer_noncurrent: int = 0
    alone: bool = False


class Fate(Enum):
    KEEP = "keep"
    EXPIRE = "expire"
    """As if its owner deleted the key: in a bucket with versions a marker hides it."""
    REMOVE = "remove"
    """This version, or marker, goes for good."""


@dataclass(frozen=True, slots=True)
class Expiry:
    """When a version expires, and by which rule."""

    at_us: int
    rule_id: str


def decide(
    rules: Sequence[LifecycleRule], version: VersionFacts, now_us: int, day_us: int = DAY_US
) -> Fate:
    first = expiry(rules, version, day_us)
    if first is None or first.at_us > now_us:
        return Fate.KEEP
    current = version.noncurrent_since_us is None and not version.is_delete_marker
    return Fate.EXPIRE if current else Fate.REMOVE


def expiry(
    rules: Sequence[LifecycleRule], version: VersionFacts, day_us: int = DAY_US
) -> Expiry | None:
    """The earliest of what the rules say, None when they say nothing of this version."""
    first: Expiry | None = None
    for rule in rules:
        at_us = _due_us(rule, version, day_us) if _applies(rule, version) else None
        if at_us is not None and (first is None or at_us < first.at_us):
            first = Expiry(at_us, rule.id)
    return first


def expires_at(
    rules: Sequence[LifecycleRule], version: VersionFacts
) -> tuple[datetime, str] | None:
    """What a client is told of a current version: the day it expires, and by which rule."""
    first = expiry(rules, version)
    if first is None or first.at_us > _END_US:
        return None
    return _START + first.at_us * _ONE_US, first.rule_id


def expiration(
    rules: Sequence[LifecycleRule], version: ObjectVersion
) -> tuple[datetime, str] | None:
    """`expires_at` of a current version."""
    modified_us = (version.modified_at - _START) // _ONE_US
    facts = VersionFacts(version.key, version.size, version.attributes.tags, modified_us)
    return expires_at(rules, facts)


def aborts(
    rules: Sequence[LifecycleRule], key: bytes, created_us: int, now_us: int, day_us: int = DAY_US
) -> bool:
    """Whether an upload that began then is to be aborted."""
    return any(
        rule.enabled
        and rule.abort_upload_days is not None
        and key.startswith(rule.prefix.encode())
        and _midnight_after(created_us, rule.abort_upload_days, day_us) <= now_us
        for rule in rules
    )


def prefixes(rules: Sequence[LifecycleRule]) -> Sequence[bytes]:
    """Where the rules in force concern versions, in order; none begins with another."""
    covered: list[bytes] = []
    for prefix in sorted({r.prefix.encode() for r in rules if r.enabled and _of_versions(r)}):
        if not covered or not prefix.startswith(covered[-1]):
            covered.append(prefix)
    return covered


def most_kept(rules: Sequence[LifecycleRule]) -> int:
    """No rule asks for more newer noncurrent versions than this."""
    return max((rule.keep_noncurrent or 0 for rule in rules), default=0)


def check(rules: Sequence[LifecycleRule]) -> None:
    """Raises: InvalidLifecycleRule."""
    if len(rules) > MAX_RULES:
        raise InvalidLifecycleRule("", f"there are more than {MAX_RULES} rules")
    seen: set[str] = set()
    for rule in rules:
        reason = _fault(rule)
        if rule.id in seen:
            reason = "another rule has the same id"
        if reason is not None:
            raise InvalidLifecycleRule(rule.id, reason)
        seen.add(rule.id)


def load(settings: Mapping[str, Any]) -> Sequence[LifecycleRule]:
    """The rules in a bucket's settings. What a later version added to a rule is left out."""
    return [_parse(item) for item in settings.get(_SETTING, ())]


def lifecycle_of(bucket: Bucket) -> Sequence[LifecycleRule]:
    """The rules of a bucket."""
    return load(bucket.settings)


def dump(rules: Sequence[LifecycleRule]) -> Mapping[str, Any]:
    """The setting that `load` reads."""
    return {_SETTING: [_render(rule) for rule in rules]}


def _of_versions(rule: LifecycleRule) -> bool:
    """Whether it says anything of versions; else of uploads alone."""
    return rule.expire_delete_markers or any(
        each is not None
        for each in (rule.expire_days, rule.expire_at, rule.noncurrent_days, rule.keep_noncurrent)
    )


def _applies(rule: LifecycleRule, version: VersionFacts) -> bool:
    if not rule.enabled or not version.key.startswith(rule.prefix.encode()):
        return False
    if version.is_delete_marker:
        return not rule.is_filtered
    if any(version.tags.get(name) != value for name, value in rule.tags.items()):
        return False
    more, less = rule.size_greater_than, rule.size_less_than
    return (more is None or version.size > more) and (less is None or version.size < less)


def _due_us(rule: LifecycleRule, version: VersionFacts, day_us: int) -> int | None:
    if version.noncurrent_since_us is not None:
        return _noncurrent_due_us(rule, version, version.noncurrent_since_us, day_us)
    if version.is_delete_marker:
        if not version.alone:
            return None
        if rule.expire_delete_markers:
            return version.modified_us
    if rule.expire_days is not None:
        return _midnight_after(version.modified_us, rule.expire_days, day_us)
    if rule.expire_at is not None and not version.is_delete_marker:
        return (rule.expire_at - _START) // _ONE_US
    return None


def _noncurrent_due_us(
    rule: LifecycleRule, version: VersionFacts, since_us: int, day_us: int
) -> int | None:
    days, kept = rule.noncurrent_days, rule.keep_noncurrent
    if days is None and kept is None:
        return None
    if version.newer_noncurrent < (kept or 0):
        return None
    return since_us if days is None else _midnight_after(since_us, days, day_us)


def _midnight_after(start_us: int, days: int, day_us: int) -> int:
    return -(-(start_us + days * day_us) // day_us) * day_us


def _fault(rule: LifecycleRule) -> str | None:
    """What is wrong with a rule by itself; the words are for people."""
    if not 1 <= len(rule.id) <= MAX_ID_LENGTH:
        return f"an id has 1 to {MAX_ID_LENGTH} characters"
    counts = (rule.expire_days, rule.noncurrent_days, rule.abort_upload_days)
    if any(days is not None and not 1 <= days <= MAX_DAYS for days in counts):
        return "days are a positive integer"
    if rule.keep_noncurrent is not None and not 1 <= rule.keep_noncurrent <= MAX_KEPT:
        return f"1 to {MAX_KEPT} noncurrent versions can be kept"
    expiring = (
        rule.expire_days is not None,
        rule.expire_at is not None,
        rule.expire_delete_markers,
    )
    if sum(expiring) > 1:
        return "an expiration has days, a date or expired delete markers: one of them"
    if rule.expire_at is not None and rule.expire_at.astimezone(UTC).time() != time.min:
        return "a date is at midnight UTC"
    if rule.is_filtered and (rule.expire_delete_markers or rule.abort_upload_days is not None):
        return "delete markers and uploads have neither tags nor a size to filter by"
    if rule.abort_upload_days is None and not _of_versions(rule):
        return "there is nothing that the rule does"
    return _size_fault(rule.size_greater_than, rule.size_less_than)


def _size_fault(more: int | None, less: int | None) -> str | None:
    if any(size is not None and not 0 <= size < 2**63 for size in (more, less)):
        return "a size is not negative"
    if more is not None and less is not None and more >= less:
        return "no size is greater than the one bound and less than the other"
    return None


def _parse(item: Mapping[str, Any]) -> LifecycleRule:
    known = {each.name: item[each.name] for each in fields(LifecycleRule) if each.name in item}
    for name in _TIMES:
        if known.get(name) is not None:
            known[name] = datetime.fromisoformat(known[name])
    return LifecycleRule(**known)


def _render(rule: LifecycleRule) -> Mapping[str, Any]:
    said = {name: value for name, value in asdict(rule).items() if value not in (None, {})}
    return said | {name: said[name].isoformat() for name in _TIMES if name in said}
