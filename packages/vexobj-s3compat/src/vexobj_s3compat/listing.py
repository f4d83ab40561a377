"""One page of a listing: keys under a prefix, folded at a delimiter. Pure functions.

For backends whose keys are at hand in order; a large store has better ways (it must not read
what it folds), with the same answers.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """`last` is the last key or common prefix told if there is more, else None."""

    rows: list[tuple[bytes, T]]
    common_prefixes: list[bytes]
    last: bytes | None


def common_prefix(key: bytes, prefix: bytes, delimiter: bytes) -> bytes | None:
    """What `key` folds into, None if it stands for itself."""
    if not delimiter:
        return None
    end = key.find(delimiter, len(prefix))
    return None if end < 0 else key[: end + len(delimiter)]


def fold(
    rows: Iterable[tuple[bytes, T]], prefix: bytes, delimiter: bytes, after: bytes, limit: int
) -> Page[T]:
    """The first `limit` rows and common prefixes together, of rows in key order.

    The caller has left out the rows up to its marker; `after` only tells which common prefix
    was the last one of the page before.
    """
    page: Page[T] = Page([], [], None)
    if limit == 0:
        return page
    last = b""
    for key, value in rows:
        if not key.startswith(prefix):
            continue
        folded = common_prefix(key, prefix, delimiter)
        if folded is not None and (
            folded == after or (page.common_prefixes and page.common_prefixes[-1] == folded)
        ):
            continue
        if len(page.rows) + len(page.common_prefixes) == limit:
            return Page(page.rows, page.common_prefixes, last)
        if folded is None:
            page.rows.append((key, value))
            last = key
        else:
            page.common_prefixes.append(folded)
            last = folded
    return page
