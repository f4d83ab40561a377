"""All metadata as one SQLite database: what a backup keeps, whichever engine it was taken from.

A snapshot has the schema of the version that took it, and is migrated as any database is.
"""

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from sqlalchemy import ColumnElement, Table, bindparam, func, select, tuple_

from vexobj_storage.metadata import migrate
from vexobj_storage.metadata.connections import SqliteFiles, condition, connect, connect_file
from vexobj_storage.metadata.ops import rootkeys, sql
from vexobj_storage.metadata.ops.references import CONDEMNED
from vexobj_storage.metadata.sqlite_tx import SqliteTx, drive
from vexobj_storage.metadata.statement import Statement
from vexobj_storage.metadata.tables import metadata
from vexobj_storage.metadata.tx import Tx
from vexobj_storage.sealing.keys import WrappedKey
from vexobj_storage.types import Location

TABLES: Sequence[Table] = tuple(metadata.tables.values())

_PAGE = 256
"""Rows between two looks at other work: about a millisecond."""
_COUNTED = ("buckets", "objects", "versions", "uploads", "identities", "access_keys")
_SCHEMA = "SELECT version_num FROM alembic_version"
_ORIGINS: dict[str, int | str | bytes] = {
    "BigInteger": -1,
    "SmallInteger": -1,
    "Text": "",
    "LargeBinary": b"",
}
"""What is before every key, by its column's type."""


def _page(table: Table) -> Statement:
    """Rows in the order of the primary key, behind the one whose key is bound to `after_*`."""
    key = list(table.primary_key)
    after = tuple_(*(bindparam(f"after_{column.name}", type_=column.type) for column in key))
    order: list[ColumnElement[object]] = list(key)
    return sql.query(
        select(*table.c).where(tuple_(*key) > after).order_by(*order).limit(bindparam("limit"))
    )


_PAGES = {table.name: _page(table) for table in TABLES}
_ALL = {table.name: sql.query(select(*table.c)) for table in TABLES}
_COUNTS = {
    name: sql.query(select(func.count()).select_from(metadata.tables[name])) for name in _COUNTED
}
_B = sql.BLOBS
_STORED = (_B.c.state != CONDEMNED, _B.c.location == int(Location.STORE))
_BLOBS = sql.query(
    select(_B.c.blob_id, _B.c.stored_size, _B.c.sha256, _B.c.key_id)
    .where(*_STORED, _B.c.blob_id > bindparam("after"))
    .order_by(_B.c.blob_id)
    .limit(bindparam("limit"))
)
_TOTALS = sql.query(
    select(func.count(), func.coalesce(func.sum(_B.c.stored_size), 0)).where(*_STORED)
)


@dataclass(frozen=True, slots=True)
class SnapshotBlob:
    """A blob in the blob store that is not condemned. `sha256` is of its content, not as sealed."""

    blob_id: bytes
    stored_size: int
    sha256: bytes
    key_id: int


@dataclass(frozen=True, slots=True)
class SnapshotCounts:
    """`rows` by table; `blobs` and `blob_bytes` are those in the blob store, as stored."""

    rows: dict[str, int]
    blobs: int
    blob_bytes: int


class Snapshot:
    """A snapshot to read, by blocking calls from one thread at a time."""

    def __init__(self, path: Path) -> None:
        self._connection = connect_file(path)
        self._tx = SqliteTx(self._connection)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def schema(self) -> str:
        return str(self._connection.execute(_SCHEMA).fetchone()[0])

    def is_sound(self) -> bool:
        """Whether SQLite finds its pages in order; reads all of them."""
        try:
            found = self._connection.execute("PRAGMA quick_check(1)").fetchone()
        except sqlite3.DatabaseError:
            return False
        return bool(found[0] == "ok")

    def counts(self) -> SnapshotCounts:
        rows = {name: self._number(statement) for name, statement in _COUNTS.items()}
        totals = drive(self._tx.one(_TOTALS))
        assert totals is not None
        return SnapshotCounts(rows, int(totals[0]), int(totals[1]))

    def blobs(self, after: bytes, limit: int) -> Sequence[SnapshotBlob]:
        """In the order of their ids, behind `after`."""
        return [SnapshotBlob(*r) for r in drive(self._tx.all(_BLOBS, after=after, limit=limit))]

    def needed_keys(self) -> Sequence[WrappedKey]:
        """The root keys that something is sealed under."""
        keys = drive(rootkeys.root_keys(self._tx))
        return [each for each in keys if drive(rootkeys.is_used(self._tx, each.key_id))]

    def pages(self, table: Table) -> Iterator[list[dict[str, Any]]]:
        """All rows."""
        names = [column.name for column in table.c]
        cursor = self._connection.execute(_ALL[table.name].compiled("sqlite").sql)
        while rows := cursor.fetchmany(_PAGE):
            yield [dict(zip(names, row, strict=True)) for row in rows]

    def _number(self, statement: Statement) -> int:
        row = drive(self._tx.one(statement))
        return 0 if row is None else int(row[0])


class Vacuum:
    """A snapshot of a SQLite database being made; other connections go on writing."""

    def __init__(self, files: SqliteFiles) -> None:
        self._connection = connect(files, read_only=True)

    def run(self, path: Path) -> None:
        """Blocks, without the interpreter's lock. Raises: OutOfSpace, WriteFailed."""
        try:
            path.unlink(missing_ok=True)
            self._connection.execute("VACUUM INTO ?", (str(path),))
        except sqlite3.Error as error:
            raise condition(error, writing=True) or error from error
        finally:
            self._connection.close()

    def interrupt(self) -> None:
        """From any thread: `run` ends soon."""
        with contextlib.suppress(sqlite3.ProgrammingError):
            self._connection.interrupt()


async def dump(tx: Tx, path: Path) -> None:
    """Write every table into a new database at `path`; begins anew when it is run again."""
    with contextlib.closing(connect_file(path, create=True)) as target:
        try:
            target.executescript(migrate.script("sqlite", None))
            target.execute("BEGIN")
            for table in TABLES:
                await _dump_table(tx, table, target)
            target.execute("COMMIT")
        except sqlite3.Error as error:
            raise condition(error, writing=True) or error from error


async def _dump_table(tx: Tx, table: Table, target: sqlite3.Connection) -> None:
    names = [column.name for column in table.c]
    columns, marks = ", ".join(f'"{name}"' for name in names), ", ".join("?" * len(names))
    insert = f'INSERT INTO "{table.name}" ({columns}) VALUES ({marks})'  # noqa: S608 - our own names
    key = [column.name for column in table.primary_key]
    after = [_ORIGINS[type(column.type).__name__] for column in table.primary_key]
    while True:
        binds = {f"after_{name}": value for name, value in zip(key, after, strict=True)}
        rows = await tx.all(_PAGES[table.name], limit=_PAGE, **binds)
        target.executemany(insert, [tuple(row) for row in rows])
        if len(rows) < _PAGE:
            return
        after = [rows[-1][names.index(name)] for name in key]
