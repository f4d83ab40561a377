"""Skip-scan: one page of keys in byte order, collapsed at a delimiter, at the price of the page.

Rows are read in chunks that grow. Where most of a chunk collapses into few common prefixes, one
recursive statement jumps from prefix to prefix instead, until it meets a key that stands for
itself. The key after a common prefix is the prefix with its delimiter incremented as a number, so
the database can compute it.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, BindParameter, LargeBinary, bindparam, text
from sqlalchemy.sql.base import Executable

from vexobj_storage.metadata.statement import Statement
from vexobj_storage.metadata.tx import Row, Tx

_END = b"\xff"
"""Above every key: keys are UTF-8, which has no such byte."""

_FIRST_CHUNK = 16
_LARGEST_CHUNK = 1024


def increment(prefix: bytes) -> bytes:
    """The least bytes that are above everything that begins with `prefix`."""
    head = prefix.rstrip(b"\xff")
    return head[:-1] + bytes([head[-1] + 1]) if head else _END


@dataclass(frozen=True, slots=True)
class Range:
    """Keys from `low` to below `high`."""

    prefix: bytes
    delimiter: bytes
    low: bytes
    high: bytes

    def common_prefix(self, key: bytes) -> bytes | None:
        if not self.delimiter:
            return None
        at = key.find(self.delimiter, len(self.prefix))
        return None if at < 0 else key[: at + len(self.delimiter)]

    def common_prefixes(self, keys: Sequence[bytes]) -> list[bytes]:
        """Of keys that all have one."""
        delimiter, start, length = self.delimiter, len(self.prefix), len(self.delimiter)
        return [key[: key.find(delimiter, start) + length] for key in keys]


def span(prefix: bytes, delimiter: bytes, after: bytes) -> Range:
    """The keys that follow `after`: a key, or a common prefix and all that is under it."""
    whole = Range(prefix, delimiter, prefix, increment(prefix))
    if not after or after < prefix:
        return whole
    told = whole.common_prefix(after) if after.startswith(prefix) else None
    low = after + b"\0" if told is None else increment(told)
    return Range(prefix, delimiter, low, whole.high)


@dataclass(frozen=True, slots=True)
class Source:
    """What is walked. A place is a key and what orders the rows of one key, `origin` at first.

    `scan(low, skip, high, count)` gives rows, the key first, behind a place; `follow` the place
    of a row; `jump` is made by `jump_over`, and `values` are its own binds.
    """

    scan: Callable[[bytes, Any, bytes, int], Awaitable[Sequence[Row]]]
    follow: Callable[[Row], tuple[bytes, Any]]
    origin: Any
    jump: Statement
    values: Mapping[str, int]


@dataclass(slots=True)
class Walked:
    """A page: `rows` that stand for themselves, `prefixes`, and the `last` item if more follow."""

    rows: list[Row]
    prefixes: list[bytes]
    last: Row | bytes | None = None


async def walk(tx: Tx, source: Source, keys: Range, limit: int, skip: Any = None) -> Walked:
    """At most `limit` rows and prefixes together; `skip` orders within the key `keys.low`."""
    page = _Page(source, keys, limit, skip)
    chunk = min(_FIRST_CHUNK, limit + 1) if keys.delimiter else limit + 1
    jumping = False
    while limit and not page.full and page.low < keys.high:
        wanted = min(chunk, limit + 1 - len(page))
        if jumping:
            found = await tx.all(
                source.jump,
                **source.values,
                low=page.low,
                high=keys.high,
                prefix_length=len(keys.prefix),
                delimiter=keys.delimiter,
                delimiter_next=increment(keys.delimiter),
                limit=wanted,
            )
            jumping = page.take_keys(found)
        else:
            found = await source.scan(page.low, page.skip, keys.high, wanted)
            jumping = page.take_rows(found) * 2 > len(found)
            if len(found) < wanted:
                break
        chunk = min(chunk * 4, _LARGEST_CHUNK)
    return page.walked()


class _Page:
    """What was found so far, up to one item more than asked for, which tells that more follow."""

    def __init__(self, source: Source, keys: Range, limit: int, skip: Any) -> None:
        self.rows: list[Row] = []
        self.prefixes: list[bytes] = []
        self.low, self.skip = keys.low, source.origin if skip is None else skip
        self._source = source
        self._keys = keys
        self._limit = limit

    def __len__(self) -> int:
        return len(self.rows) + len(self.prefixes)

    @property
    def full(self) -> bool:
        return len(self) > self._limit

    def take_rows(self, found: Sequence[Row]) -> int:
        """Returns how many of the rows said nothing new."""
        if not self._keys.delimiter and found:
            self.rows += found
            self.low, self.skip = self._source.follow(found[-1])
            return 0
        collapsed = 0
        for row in found:
            key = row[0]
            if key < self.low:
                collapsed += 1
                continue
            prefix = self._keys.common_prefix(key)
            if prefix is None:
                self.rows.append(row)
                self.low, self.skip = self._source.follow(row)
            else:
                self._collapse(prefix)
            if self.full:
                break
        return collapsed

    def take_keys(self, found: Sequence[Row]) -> bool:
        """First keys of common prefixes; the last may be a plain key, or None at the end.

        Returns whether to go on jumping.
        """
        keys = [row[0] for row in found]
        last = keys[-1]
        jumping = last is not None and self._keys.common_prefix(last) is not None
        prefixes = self._keys.common_prefixes(keys if jumping else keys[:-1])
        self.prefixes += prefixes
        if jumping:
            self.low, self.skip = increment(prefixes[-1]), self._source.origin
        elif last is None:
            self.low = self._keys.high
        elif prefixes or last != self.low:  # else some of its rows were taken already
            self.low, self.skip = last, self._source.origin
        return jumping

    def walked(self) -> Walked:
        more = self.full
        if more:
            (self.rows if self._ends_in_row else self.prefixes).pop()
        walked = Walked(self.rows, self.prefixes)
        if more:
            walked.last = self.rows[-1] if self._ends_in_row else self.prefixes[-1]
        return walked

    @property
    def _ends_in_row(self) -> bool:
        """No key is equal to a common prefix: such a key has the delimiter too."""
        return not self.prefixes or (bool(self.rows) and self.rows[-1][0] > self.prefixes[-1])

    def _collapse(self, prefix: bytes) -> None:
        self.prefixes.append(prefix)
        self.low, self.skip = increment(prefix), self._source.origin


_POSITION = {
    "sqlite": "instr(substr(walk.key, :prefix_length + 1), :delimiter)",
    "postgresql": "position(:delimiter in substr(walk.key, CAST(:prefix_length + 1 AS INTEGER)))",
}
_NEXT = {
    "sqlite": "CAST(substr(walk.key, 1, :prefix_length + {at} - 1) || :delimiter_next AS BLOB)",
    "postgresql": (
        "substr(walk.key, 1, CAST(:prefix_length + {at} - 1 AS INTEGER)) || :delimiter_next"
    ),
}

_BINDS: list[BindParameter[Any]] = [
    *(bindparam(n, type_=LargeBinary) for n in ("low", "high", "delimiter", "delimiter_next")),
    *(bindparam(n, type_=BigInteger) for n in ("bucket_id", "prefix_length", "limit")),
]


def jump_over(first_key: str) -> Statement:
    """The keys that begin each common prefix from `low` on, up to and with the first plain key.

    `first_key` is SQL for the least key from `{low}` to below `:high`, or NULL.
    """

    def build(dialect: str) -> Executable:
        at = _POSITION[dialect]
        following = _NEXT[dialect].format(at=at)
        statement = text(f"""
            WITH RECURSIVE walk(key, number) AS (
                SELECT ({first_key.format(low=":low")}), CAST(1 AS BIGINT)
                UNION ALL
                SELECT ({first_key.format(low=following)}), walk.number + 1
                FROM walk WHERE walk.number < :limit AND {at} > 0
            )
            SELECT walk.key FROM walk ORDER BY walk.number""")  # noqa: S608 - all of it is ours
        return statement.bindparams(*_BINDS)

    return Statement(build)
