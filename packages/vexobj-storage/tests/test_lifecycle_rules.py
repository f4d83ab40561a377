"""What lifecycle rules want done, as tables and as laws."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vexobj_storage import InvalidLifecycleRule, LifecycleRule, lifecycle
from vexobj_storage.lifecycle import DAY_US, Fate, VersionFacts, decide, expires_at, expiry
from vexobj_storage.metadata.rows import to_us

_MADE = datetime(2030, 1, 10, 15, 30, tzinfo=UTC)
_KEEP, _EXPIRE, _REMOVE = Fate.KEEP, Fate.EXPIRE, Fate.REMOVE


def _rule(**said: Any) -> LifecycleRule:
    return LifecycleRule(**{"id": "rule", "created_at": _MADE, **said})


def _version(**said: Any) -> VersionFacts:
    given = {"key": b"logs/a", "size": 100, "tags": {}, "modified_us": to_us(_MADE), **said}
    return VersionFacts(**given)


def _marker(**said: Any) -> VersionFacts:
    return _version(size=0, is_delete_marker=True, **said)


def _on(day: int, hour: int = 0) -> int:
    return to_us(datetime(2030, 1, day, hour, tzinfo=UTC))


_A = {"a": "1"}
_SINCE = {"noncurrent_since_us": to_us(_MADE)}


@pytest.mark.parametrize(
    ("rule", "version", "now_us", "fate"),
    [
        (_rule(expire_days=1), _version(), _on(11, 23), _KEEP),
        (_rule(expire_days=1), _version(), _on(12), _EXPIRE),
        (_rule(expire_days=1), _version(modified_us=_on(10)), _on(11), _EXPIRE),
        (_rule(expire_days=1, enabled=False), _version(), _on(20), _KEEP),
        (_rule(expire_at=datetime(2030, 1, 15, tzinfo=UTC)), _version(), _on(14, 23), _KEEP),
        (_rule(expire_at=datetime(2030, 1, 15, tzinfo=UTC)), _version(), _on(15), _EXPIRE),
        (_rule(expire_days=1, prefix="logs/"), _version(), _on(20), _EXPIRE),
        (_rule(expire_days=1, prefix="log_"), _version(), _on(20), _KEEP),
        (_rule(expire_days=1, prefix="LOGS/"), _version(), _on(20), _KEEP),
        (_rule(expire_days=1, prefix="é"), _version(key="é1".encode()), _on(20), _EXPIRE),
        (_rule(expire_days=1, tags=_A), _version(tags={**_A, "b": ""}), _on(20), _EXPIRE),
        (_rule(expire_days=1, tags={**_A, "b": "2"}), _version(tags=_A), _on(20), _KEEP),
        (_rule(expire_days=1, tags={"a": ""}), _version(), _on(20), _KEEP),
        (_rule(expire_days=1, size_greater_than=99), _version(), _on(20), _EXPIRE),
        (_rule(expire_days=1, size_greater_than=100), _version(), _on(20), _KEEP),
        (_rule(expire_days=1, size_less_than=100), _version(), _on(20), _KEEP),
        (_rule(expire_days=1, size_less_than=101, prefix="x"), _version(), _on(20), _KEEP),
        # Noncurrent versions
        (_rule(expire_days=1), _version(**_SINCE), _on(20), _KEEP),
        (_rule(noncurrent_days=3), _version(), _on(20), _KEEP),
        (_rule(noncurrent_days=3), _version(modified_us=0, **_SINCE), _on(13), _KEEP),
        (_rule(noncurrent_days=3), _version(**_SINCE), _on(14), _REMOVE),
        (_rule(noncurrent_days=3), _marker(**_SINCE), _on(14), _REMOVE),
        (_rule(noncurrent_days=3, size_less_than=9), _marker(**_SINCE), _on(14), _KEEP),
        (_rule(keep_noncurrent=2), _version(newer_noncurrent=1, **_SINCE), _on(20), _KEEP),
        (_rule(keep_noncurrent=2), _version(newer_noncurrent=2, **_SINCE), _on(11), _REMOVE),
        (
            _rule(noncurrent_days=3, keep_noncurrent=2),
            _version(newer_noncurrent=2, **_SINCE),
            _on(13),
            _KEEP,
        ),
        # Delete markers
        (_rule(expire_delete_markers=True), _marker(alone=True), _on(10), _KEEP),
        (_rule(expire_delete_markers=True), _marker(alone=True), _on(11), _REMOVE),
        (_rule(expire_delete_markers=True), _marker(), _on(20), _KEEP),
        (_rule(expire_delete_markers=True), _version(alone=True), _on(20), _KEEP),
        (_rule(expire_days=1), _marker(alone=True), _on(11), _KEEP),
        (_rule(expire_days=1), _marker(alone=True), _on(12), _REMOVE),
        (_rule(expire_days=1), _marker(), _on(20), _KEEP),
        (_rule(expire_days=1, tags={"a": "1"}), _marker(alone=True), _on(20), _KEEP),
        (_rule(expire_at=datetime(2030, 1, 2, tzinfo=UTC)), _marker(alone=True), _on(20), _KEEP),
        (_rule(abort_upload_days=1), _version(alone=True), _on(20), _KEEP),
    ],
)  # fmt: skip
def test_decisions(rule: LifecycleRule, version: VersionFacts, now_us: int, fate: Fate) -> None:
    assert decide([rule], version, now_us) is fate
    other = replace(rule, id="other", prefix="elsewhere/")
    assert decide([other, rule, other], version, now_us) is fate


def test_the_earliest_rule_is_told() -> None:
    rules = [_rule(id="late", expire_days=9), _rule(id="soon", expire_days=2)]
    assert expires_at(rules, _version()) == (datetime(2030, 1, 13, tzinfo=UTC), "soon")
    assert expires_at(rules, _version(key=b"x")) == (datetime(2030, 1, 13, tzinfo=UTC), "soon")
    assert expires_at([_rule(expire_days=lifecycle.MAX_DAYS)], _version()) is None
    assert expires_at([], _version()) is None


def test_uploads_are_aborted_by_age_and_prefix() -> None:
    rules = [_rule(abort_upload_days=7, prefix="big/"), _rule(expire_days=1)]
    for key, now_us, aborted in (
        (b"big/file", _on(17, 23), False),
        (b"big/file", _on(18), True),
        (b"small/file", _on(30), False),
    ):
        assert lifecycle.aborts(rules, key, to_us(_MADE), now_us) is aborted
    disabled = [_rule(abort_upload_days=7, enabled=False)]
    assert not lifecycle.aborts(disabled, b"big/file", to_us(_MADE), _on(30))


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({}, "nothing"),
        ({"id": "", "expire_days": 1}, "id"),
        ({"id": "x" * 256, "expire_days": 1}, "id"),
        ({"expire_days": 0}, "positive"),
        ({"noncurrent_days": 0}, "positive"),
        ({"abort_upload_days": -1}, "positive"),
        ({"expire_days": 2**31}, "positive"),
        ({"keep_noncurrent": 0}, "kept"),
        ({"keep_noncurrent": 101}, "kept"),
        ({"expire_days": 1, "expire_at": datetime(2030, 1, 1, tzinfo=UTC)}, "one of them"),
        ({"expire_days": 1, "expire_delete_markers": True}, "one of them"),
        ({"expire_at": _MADE}, "midnight"),
        ({"expire_at": datetime(2030, 1, 1, tzinfo=timezone(timedelta(hours=1)))}, "midnight"),
        ({"expire_delete_markers": True, "tags": {"a": "b"}}, "neither"),
        ({"abort_upload_days": 1, "size_less_than": 5}, "neither"),
        ({"expire_days": 1, "size_greater_than": -1}, "negative"),
        ({"expire_days": 1, "size_greater_than": 5, "size_less_than": 5}, "greater"),
    ],
)
def test_rules_that_cannot_be(said: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidLifecycleRule, match=reason):
        lifecycle.check([_rule(**said)])


def test_rules_that_cannot_be_together() -> None:
    rule = _rule(expire_days=1)
    with pytest.raises(InvalidLifecycleRule, match="same id"):
        lifecycle.check([rule, rule])
    many = [_rule(id=str(number), expire_days=1) for number in range(1001)]
    lifecycle.check(many[:1000])
    with pytest.raises(InvalidLifecycleRule, match="1000"):
        lifecycle.check(many)


def test_prefixes_cover_what_rules_concern_and_no_more() -> None:
    rules = [
        _rule(prefix="b/c", expire_days=1),
        _rule(prefix="b/", noncurrent_days=1),
        _rule(prefix="a", keep_noncurrent=1),
        _rule(prefix="", abort_upload_days=1),
        _rule(prefix="", expire_days=1, enabled=False),
    ]
    assert lifecycle.prefixes(rules) == [b"a", b"b/"]
    assert lifecycle.prefixes([*rules, _rule(expire_delete_markers=True)]) == [b""]


_days = st.none() | st.integers(1, 400)
_rules = st.builds(
    LifecycleRule,
    id=st.text(min_size=1, max_size=3),
    created_at=st.just(_MADE),
    enabled=st.booleans(),
    prefix=st.sampled_from(["", "a", "ab", "é"]),
    tags=st.dictionaries(st.sampled_from("xy"), st.sampled_from("12"), max_size=2),
    size_greater_than=st.none() | st.integers(0, 50),
    size_less_than=st.none() | st.integers(51, 100),
    expire_days=_days,
    expire_at=st.none() | st.just(datetime(2031, 1, 1, tzinfo=UTC)),
    expire_delete_markers=st.booleans(),
    noncurrent_days=_days,
    keep_noncurrent=st.none() | st.integers(1, 5),
    abort_upload_days=_days,
)
_versions = st.builds(
    VersionFacts,
    key=st.sampled_from([b"a", b"abc", b"x", "é".encode()]),
    size=st.integers(0, 120),
    tags=st.dictionaries(st.sampled_from("xy"), st.sampled_from("12"), max_size=2),
    modified_us=st.integers(0, 400 * DAY_US),
    is_delete_marker=st.booleans(),
    noncurrent_since_us=st.none() | st.integers(0, 400 * DAY_US),
    newer_noncurrent=st.integers(0, 6),
    alone=st.booleans(),
)
_times = st.integers(0, 1000 * DAY_US)


@given(rules=st.lists(_rules, max_size=4), version=_versions, now_us=_times, later=_times)
def test_what_is_due_stays_due(
    rules: list[LifecycleRule], version: VersionFacts, now_us: int, later: int
) -> None:
    if decide(rules, version, now_us) is not _KEEP:
        assert decide(rules, version, now_us + later) is decide(rules, version, now_us)


@given(rules=st.lists(_rules, max_size=4), version=_versions)
def test_what_is_told_is_what_is_done(rules: list[LifecycleRule], version: VersionFacts) -> None:
    told = expiry(rules, version)
    if told is None:
        assert decide(rules, version, 2**62) is _KEEP
    else:
        assert decide(rules, version, told.at_us) is not _KEEP
        assert decide(rules, version, told.at_us - 1) is _KEEP


@given(rules=st.lists(_rules, max_size=4), version=_versions, now_us=_times)
def test_a_rule_only_adds_to_what_the_others_do(
    rules: list[LifecycleRule], version: VersionFacts, now_us: int
) -> None:
    together = decide(rules, version, now_us)
    alone = {decide([rule], version, now_us) for rule in rules}
    assert together is (alone - {_KEEP} or {_KEEP}).pop()


@given(rules=st.lists(_rules, max_size=4), version=_versions, now_us=_times)
def test_nothing_goes_before_a_whole_day_or_off_its_prefix(
    rules: list[LifecycleRule], version: VersionFacts, now_us: int
) -> None:
    aged = [
        replace(r, expire_at=None, expire_delete_markers=False, keep_noncurrent=None) for r in rules
    ]
    since = version.noncurrent_since_us
    start = version.modified_us if since is None else since
    if now_us < start + DAY_US:
        assert decide(aged, version, now_us) is _KEEP
    if not any(version.key.startswith(prefix) for prefix in lifecycle.prefixes(rules)):
        assert decide(rules, version, now_us) is _KEEP


@given(rules=st.lists(_rules, max_size=4))
def test_rules_come_back_from_settings(rules: list[LifecycleRule]) -> None:
    settings = lifecycle.dump(rules)
    assert list(lifecycle.load(settings)) == rules
    later: dict[str, Any] = {"lifecycle": [{**each, "new": 1} for each in settings["lifecycle"]]}
    assert list(lifecycle.load(later)) == rules
