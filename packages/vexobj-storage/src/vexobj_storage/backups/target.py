"""A directory that holds backups of one store.

    blobs/ab/cd/<id>        the blobs of all backups, each once, as a LocalBlobStore keeps them
    backups/<name>/         one backup: metadata.db, blobs.db (which blobs it consists of),
                            secrets/ if wanted, and manifest.json, which is written last
    lock                    held by who adds, checks or removes backups

A backup without a manifest was never finished; the blobs that it brought serve the next one.
"""

import contextlib
import fcntl
import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from vexobj_storage.backups.manifest import BackupFile, Manifest, decode
from vexobj_storage.blobs.local import LocalBlobStore
from vexobj_storage.errors import BackupDamaged, BackupRunning, NoSuchBackup
from vexobj_storage.files import Files, PosixFiles, make_durable_directory, write_failure

METADATA = "metadata.db"
CATALOGUE = "blobs.db"
SECRETS = "secrets"

_MANIFEST = "manifest.json"
_NAME = re.compile(r"\d{8}T\d{6}\.\d{6}Z-[0-9a-f]{4}")
_TIME = "%Y%m%dT%H%M%S.%fZ"
_CHUNK = 1024 * 1024


class BackupTarget:
    """`files` is how all that has to be durable is written. Calls block, but for those on blobs."""

    def __init__(self, directory: Path, files: Files | None = None) -> None:
        self.directory = directory
        self.files = files or PosixFiles()
        self._backups = directory / "backups"

    def open_blobs(self) -> LocalBlobStore:
        """The blobs of all backups. Raises: OutOfSpace, WriteFailed."""
        try:
            return LocalBlobStore(self.directory, files=self.files)
        except OSError as error:
            raise write_failure(error) from error

    @contextmanager
    def locked(self, *, shared: bool = False) -> Iterator[None]:
        """For one who changes backups, or for several who read them.

        Raises: BackupRunning, OutOfSpace, WriteFailed.
        """
        try:
            make_durable_directory(self._backups, self.files)
            descriptor = os.open(
                self.directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
            )
        except OSError as error:
            raise write_failure(error) from error
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
            yield
        except BlockingIOError:
            raise BackupRunning(str(self.directory)) from None
        finally:
            os.close(descriptor)

    def names(self) -> Sequence[str]:
        """Of finished backups, the oldest first."""
        return [name for name in self._all() if (self.path(name) / _MANIFEST).exists()]

    def path(self, name: str) -> Path:
        """Raises: NoSuchBackup for what cannot be a backup's name."""
        if not _NAME.fullmatch(name):
            raise NoSuchBackup(name)
        return self._backups / name

    def manifest(self, name: str) -> Manifest:
        """Raises: NoSuchBackup, BackupTooNew, BackupDamaged."""
        try:
            data = (self.path(name) / _MANIFEST).read_bytes()
        except FileNotFoundError:
            raise NoSuchBackup(name) from None
        except OSError as error:
            raise BackupDamaged(name, f"its manifest cannot be read: {error.strerror}") from error
        return decode(name, data)

    def find(self, name: str | None) -> Manifest:
        """The one named, or the newest. Raises: NoSuchBackup, BackupTooNew, BackupDamaged."""
        if name is None:
            names = self.names()
            if not names:
                raise NoSuchBackup(str(self.directory))
            name = names[-1]
        return self.manifest(name)

    def begin(self, at: datetime) -> str:
        """A new backup's name, behind all others whatever the clock says. Its directory is made."""
        if known := self._all():
            last = datetime.strptime(known[-1].partition("-")[0], _TIME).replace(tzinfo=UTC)
            at = max(at, last + timedelta(microseconds=1))
        name = f"{at.astimezone(UTC).strftime(_TIME)}-{secrets.token_hex(2)}"
        with _writing():
            self.files.make_directory(str(self.path(name)))
            self.files.sync_directory(str(self._backups))
        return name

    def keep_secrets(self, name: str, contents: dict[str, bytes]) -> None:
        """Each in a file for its owner alone."""
        folder = self.path(name) / SECRETS
        with _writing():
            self.files.make_directory(str(folder))
            for key, content in contents.items():
                self._write(folder / key, content)
            self.files.sync_directory(str(folder))

    def secret(self, name: str, key: str) -> bytes:
        """Raises: BackupDamaged."""
        try:
            return (self.path(name) / SECRETS / Path(key).name).read_bytes()
        except OSError as error:
            raise BackupDamaged(name, f"secret {key} cannot be read: {error.strerror}") from error

    def seal(self, name: str, files: Sequence[str]) -> dict[str, BackupFile]:
        """Make the files durable; their sizes and digests."""
        sealed = {}
        with _writing():
            for file in files:
                path = self.path(name) / file
                descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
                try:
                    os.fchmod(descriptor, 0o600)
                    self.files.sync(descriptor)
                finally:
                    os.close(descriptor)
                sealed[file] = describe(path)
            self.files.sync_directory(str(self.path(name)))
        return sealed

    def finish(self, manifest: Manifest) -> None:
        """From now on the backup counts."""
        folder = self.path(manifest.name)
        with _writing():
            self._write(folder / f"{_MANIFEST}.new", manifest.encode())
            self.files.rename(str(folder / f"{_MANIFEST}.new"), str(folder / _MANIFEST))
            self.files.sync_directory(str(folder))

    def check_files(self, manifest: Manifest) -> None:
        """Read all files but the blobs. Raises: BackupDamaged."""
        for file, told in manifest.files.items():
            try:
                found = describe(self.path(manifest.name) / file)
            except OSError as error:
                raise BackupDamaged(
                    manifest.name, f"{file} cannot be read: {error.strerror}"
                ) from error
            if found != told:
                raise BackupDamaged(manifest.name, f"{file} is not what was written")

    def remove(self, name: str) -> None:
        """The manifest first: what is left after a crash in the midst is an unfinished backup."""
        with _writing():
            manifest = self.path(name) / _MANIFEST
            if manifest.exists():
                self.files.unlink(str(manifest))
                self.files.sync_directory(str(manifest.parent))
            shutil.rmtree(self.path(name))

    def remove_unfinished(self) -> Sequence[str]:
        """Their names."""
        finished = set(self.names())
        left = [name for name in self._all() if name not in finished]
        for name in left:
            self.remove(name)
        return left

    def _all(self) -> Sequence[str]:
        try:
            names = [path.name for path in self._backups.iterdir()]
        except FileNotFoundError:
            return []
        return sorted(name for name in names if _NAME.fullmatch(name))

    def _write(self, path: Path, content: bytes) -> None:
        with contextlib.suppress(FileNotFoundError):
            self.files.unlink(str(path))
        descriptor = self.files.create(str(path))
        try:
            self.files.write(descriptor, content)
            self.files.sync(descriptor)
        finally:
            self.files.close(descriptor)


def describe(path: Path) -> BackupFile:
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        digest = hashlib.sha256()
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return BackupFile(size, digest.hexdigest())


@contextmanager
def _writing() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise write_failure(error) from error
