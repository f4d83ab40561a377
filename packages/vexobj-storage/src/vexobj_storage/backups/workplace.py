"""The directory in which a restore is under way: what it restores, and how far it is."""

import contextlib
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vexobj_storage.errors import RestoreUnfinished
from vexobj_storage.files import Files, make_durable_directory, write_failure
from vexobj_storage.metadata.engine import RESTORE_MARK, RESTORING, restore_under_way

_BEGUN = "begun"
_METADATA = "metadata.db"


class Workplace:
    """`restoring/` in a data directory. Calls block. Raise: OutOfSpace, WriteFailed."""

    def __init__(self, data_dir: Path, files: Files) -> None:
        self._data_dir = data_dir
        self._files = files
        self._directory = data_dir / RESTORING
        self.metadata = self._directory / _METADATA

    def is_claimed_by(self, backup: str) -> bool:
        """Raises: RestoreUnfinished, of another backup."""
        name = restore_under_way(self._data_dir)
        if name not in {None, backup}:
            raise RestoreUnfinished(str(name))
        return name is not None

    def claim(self, backup: str) -> str:
        """The id of the store that is being made: the same for every try."""
        if self.is_claimed_by(backup):
            mark = json.loads((self._directory / RESTORE_MARK).read_bytes())
            return str(mark["store_id"])
        store_id = secrets.token_hex(16)
        with _writing():
            if self._directory.exists():
                shutil.rmtree(self._directory)
            make_durable_directory(self._directory, self._files)
            self._write(RESTORE_MARK, json.dumps({"backup": backup, "store_id": store_id}).encode())
        return store_id

    def has_begun(self) -> bool:
        """Whether blobs that are there may be those of an earlier try."""
        return (self._directory / _BEGUN).exists()

    def begin(self) -> None:
        with _writing():
            self._write(_BEGUN, b"")

    def give_up(self) -> None:
        """Nothing was begun, nothing is left."""
        if not self.has_begun():
            with contextlib.suppress(OSError):
                shutil.rmtree(self._directory)

    def publish(self) -> None:
        """The metadata is that of the data directory now, durably."""
        with _writing():
            descriptor = os.open(self.metadata, os.O_RDONLY | os.O_CLOEXEC)
            try:
                self._files.sync(descriptor)
            finally:
                os.close(descriptor)
            self._files.rename(str(self.metadata), str(self._data_dir / _METADATA))
            self._files.sync_directory(str(self._data_dir))

    def clear(self) -> None:
        """The store may be opened."""
        done = self._directory.with_name(f"{RESTORING}.done")
        with _writing():
            shutil.rmtree(done, ignore_errors=True)
            if self._directory.exists():
                self._files.rename(str(self._directory), str(done))
                self._files.sync_directory(str(self._data_dir))
            shutil.rmtree(done, ignore_errors=True)

    def _write(self, name: str, content: bytes) -> None:
        new = str(self._directory / f"{name}.new")
        with contextlib.suppress(FileNotFoundError):
            self._files.unlink(new)
        descriptor = self._files.create(new)
        try:
            self._files.write(descriptor, content)
            self._files.sync(descriptor)
        finally:
            self._files.close(descriptor)
        self._files.rename(new, str(self._directory / name))
        self._files.sync_directory(str(self._directory))


@contextmanager
def _writing() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise write_failure(error) from error
