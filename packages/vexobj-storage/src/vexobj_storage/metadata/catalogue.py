"""Which blobs a backup consists of, with the digests of their bytes as stored: a SQLite file."""

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import ExitStack, closing
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Self

from vexobj_storage.files import write_failure
from vexobj_storage.metadata.connections import condition, connect_file

_MAKE = (
    "CREATE TABLE blobs (blob_id BLOB PRIMARY KEY, size INTEGER NOT NULL, sha256 BLOB NOT NULL)"
    " WITHOUT ROWID"
)
_ADD = "INSERT OR REPLACE INTO blobs VALUES (?, ?, ?)"
_GET = "SELECT blob_id, size, sha256 FROM blobs WHERE blob_id = ?"
_PAGE = "SELECT blob_id, size, sha256 FROM blobs WHERE blob_id > ? ORDER BY blob_id LIMIT ?"
_TOTALS = "SELECT count(*), coalesce(sum(size), 0) FROM blobs"


@dataclass(frozen=True, slots=True)
class CataloguedBlob:
    """`size` and `sha256` are of the bytes as they are stored, sealed or not."""

    blob_id: bytes
    size: int
    sha256: bytes


class BlobCatalogue:
    """Blocking calls, from one thread at a time."""

    def __init__(self, path: Path, *, create: bool = False) -> None:
        """Raises: with `create`, OutOfSpace, WriteFailed."""
        try:
            with ExitStack() as opened:
                self._connection = opened.enter_context(closing(connect_file(path, create=create)))
                if create:
                    self._connection.execute(_MAKE)
                opened.pop_all()
        except OSError as error:
            raise write_failure(error) from error
        except sqlite3.Error as error:
            raise condition(error, writing=create) or error from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()

    def add(self, blobs: Iterable[CataloguedBlob]) -> None:
        """Raises: OutOfSpace, WriteFailed."""
        try:
            self._connection.execute("BEGIN")
            self._connection.executemany(_ADD, map(astuple, blobs))
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise condition(error, writing=True) or error from error

    def get(self, blob_id: bytes) -> CataloguedBlob | None:
        row = self._connection.execute(_GET, (blob_id,)).fetchone()
        return None if row is None else CataloguedBlob(*row)

    def find(self, blob_ids: Iterable[bytes]) -> dict[bytes, CataloguedBlob]:
        """Those of `blob_ids` that are in it."""
        found = ((blob_id, self.get(blob_id)) for blob_id in blob_ids)
        return {blob_id: blob for blob_id, blob in found if blob is not None}

    def page(self, after: bytes, limit: int) -> Sequence[CataloguedBlob]:
        """In the order of their ids, behind `after`."""
        return [CataloguedBlob(*row) for row in self._connection.execute(_PAGE, (after, limit))]

    def totals(self) -> tuple[int, int]:
        """How many, and their bytes."""
        count, size = self._connection.execute(_TOTALS).fetchone()
        return int(count), int(size)
