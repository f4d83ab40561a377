"""Pages of listings."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from vexobj_storage.types.objects import ListedVersion

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """`after` is where the next page begins, or None when this was the last."""

    items: Sequence[T]
    after: T | str | bytes | None = None


@dataclass(frozen=True, slots=True)
class ObjectPage(Generic[T]):
    """One page of a listing in byte order of keys, of ListedObject or of ObjectDetails.

    `objects` and `common_prefixes` together are at most `limit`. `next_after` goes into the next
    call's `after`: a key, or a common prefix (everything under it has been told).
    """

    objects: Sequence[T]
    common_prefixes: Sequence[bytes]
    next_after: bytes | None = None


@dataclass(frozen=True, slots=True)
class VersionPage:
    """As ObjectPage, newest version of a key first; markers included."""

    versions: Sequence[ListedVersion]
    common_prefixes: Sequence[bytes]
    next_key: bytes | None = None
    next_version_id: str | None = None
