"""A scan's rows as versions with what their neighbours say of them; nothing here does I/O."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from vexobj_storage.lifecycle import VersionFacts
from vexobj_storage.metadata.tx import Row

_NONE: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Seen:
    """A version as a scan saw it: `descending` and `uid` find it again."""

    descending: int
    uid: bytes
    facts: VersionFacts


class History:
    """Fed with pages of `ops.lifecycle.scan`, in order: a key's history may span several."""

    def __init__(self) -> None:
        self._waiting: Row | None = None
        self._key: bytes | None = None
        self._newer_us = 0
        self._newer_noncurrent = 0

    def feed(self, page: Sequence[Row], *, is_last: bool) -> Iterator[Seen]:
        """A version is told once the row behind it is known, or that there is none."""
        for row in page:
            if self._waiting is not None:
                yield self._tell(self._waiting, row[0])
            self._waiting = row
        if is_last and self._waiting is not None:
            yield self._tell(self._waiting, None)
            self._waiting = None

    def _tell(self, row: Row, following: bytes | None) -> Seen:
        key, descending, marker, uid, size, packed, modified_us = row
        is_latest = key != self._key
        if is_latest:
            self._key, self._newer_noncurrent = key, 0
        facts = VersionFacts(
            key,
            size,
            tags(packed),
            modified_us,
            bool(marker),
            None if is_latest else self._newer_us,
            self._newer_noncurrent,
            is_latest and following != key,
        )
        self._newer_us = modified_us
        if not is_latest and not marker:
            self._newer_noncurrent += 1
        return Seen(descending, uid, facts)


def tags(packed: str | None) -> Mapping[str, str]:
    """From the column of that name."""
    found: Mapping[str, str] = _NONE if packed is None else json.loads(packed)
    return found
