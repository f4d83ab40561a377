"""Conditional requests: entity tags and dates, in the precedence of RFC 9110 section 13.2.2.

Entity tags of objects are given without quotes; those of requests may come with or without.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from time import gmtime

from vexobj_s3compat.errors import NotModified, PreconditionFailed
from vexobj_s3compat.types import CopySource

_TAG = re.compile(r'(W/)?"([^"]*)"|([^\s,"]+)')
_MAX_DATE = 64
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def etag_matches(condition: str, etag: str, *, weak: bool = False) -> bool:
    """Whether a list of entity tags, or `*`, names this one.

    A strong comparison (If-Match) never matches a weak tag; a weak one (If-None-Match) does.
    """
    if condition in {"*", f'"{etag}"'}:
        return True
    return any(
        (bare or tag) == etag and (weak or not mark) for mark, tag, bare in _TAG.findall(condition)
    )


def check_read(headers: Mapping[str, str], etag: str, last_modified: datetime) -> None:
    """Decide the conditions of a GET or HEAD.

    Raises:
        PreconditionFailed: If-Match or If-Unmodified-Since does not hold (412).
        NotModified: If-None-Match or If-Modified-Since says there is nothing new (304).
    """
    if (tags := headers.get("if-match")) is not None:
        if not etag_matches(tags, etag):
            raise _failed("If-Match")
    elif (value := headers.get("if-unmodified-since")) is not None:
        moment = parse_http_date(value)
        if moment is not None and _seconds(last_modified) > _seconds(moment):
            raise _failed("If-Unmodified-Since")
    if (tags := headers.get("if-none-match")) is not None:
        if etag_matches(tags, etag, weak=True):
            raise NotModified
    elif (value := headers.get("if-modified-since")) is not None:
        moment = parse_http_date(value)
        if moment is not None and _seconds(last_modified) <= _seconds(moment):
            raise NotModified


def check_copy_source(source: CopySource, etag: str, last_modified: datetime) -> None:
    """Decide the x-amz-copy-source-if-* conditions.

    Raises:
        PreconditionFailed: one of them does not hold; a copy has no 304.
    """
    if source.if_match is not None:
        if not etag_matches(source.if_match, etag):
            raise _failed("x-amz-copy-source-If-Match")
    elif source.if_unmodified_since is not None and _seconds(last_modified) > _seconds(
        source.if_unmodified_since
    ):
        raise _failed("x-amz-copy-source-If-Unmodified-Since")
    if source.if_none_match is not None:
        if etag_matches(source.if_none_match, etag, weak=True):
            raise _failed("x-amz-copy-source-If-None-Match")
    elif source.if_modified_since is not None and _seconds(last_modified) <= _seconds(
        source.if_modified_since
    ):
        raise _failed("x-amz-copy-source-If-Modified-Since")


def http_date(moment: datetime) -> str:
    """An IMF-fixdate, `Thu, 01 Jan 2026 00:00:00 GMT`; fractions of a second are dropped."""
    return _format(_seconds(moment))


@lru_cache(maxsize=4096)
def _format(seconds: int) -> str:
    t = gmtime(seconds)
    return (
        f"{_DAYS[t.tm_wday]}, {t.tm_mday:02} {_MONTHS[t.tm_mon - 1]} {t.tm_year:04} "
        f"{t.tm_hour:02}:{t.tm_min:02}:{t.tm_sec:02} GMT"
    )


def parse_http_date(value: str) -> datetime | None:
    """An HTTP-date in any of RFC 9110's three forms; None for what is none (to be ignored)."""
    return _parse(value) if len(value) <= _MAX_DATE else None


@lru_cache(maxsize=1024)
def _parse(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp() // 1)


def _failed(condition: str) -> PreconditionFailed:
    return PreconditionFailed(fields={"Condition": condition})
