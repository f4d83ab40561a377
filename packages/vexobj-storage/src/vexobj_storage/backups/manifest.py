"""What a finished backup says of itself; its file is written last."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from vexobj_storage.errors import BackupDamaged, BackupTooNew

FORMAT = 1


@dataclass(frozen=True, slots=True)
class BackupFile:
    """One file of the backup beside its blobs; `sha256` in hex."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class BackupKey:
    """A key that what is in the backup is sealed with. `inside` says that it is there too."""

    name: str
    id: str
    inside: bool


@dataclass(frozen=True, slots=True)
class Manifest:
    """Of one backup. Bytes are as they are stored; a blob that objects share counts once.

    `counts` is rows by kind (`buckets`, `objects`, ...). `blobs_copied` and `bytes_copied` were
    not in the target before. `damaged` names blobs that could not be read, and so are not in it.
    """

    name: str
    version: str
    store_id: str
    schema: str
    engine: str
    began_at: datetime
    finished_at: datetime
    counts: Mapping[str, int]
    blobs: int
    blob_bytes: int
    blobs_copied: int
    bytes_copied: int
    files: Mapping[str, BackupFile]
    keys: Sequence[BackupKey] = ()
    damaged: Sequence[str] = ()
    format: int = FORMAT

    @property
    def metadata_bytes(self) -> int:
        return sum(file.size for file in self.files.values())

    def encode(self) -> bytes:
        return (json.dumps(asdict(self), indent=1, default=_time) + "\n").encode()


def decode(name: str, data: bytes) -> Manifest:
    """Raises: BackupTooNew, BackupDamaged."""
    try:
        fields: dict[str, Any] = json.loads(data)
        if fields["format"] > FORMAT:
            raise BackupTooNew(name, fields["format"])
        fields["began_at"] = datetime.fromisoformat(fields["began_at"])
        fields["finished_at"] = datetime.fromisoformat(fields["finished_at"])
        fields["files"] = {n: BackupFile(**file) for n, file in fields["files"].items()}
        fields["keys"] = [BackupKey(**key) for key in fields["keys"]]
        return Manifest(**fields)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BackupDamaged(name, f"its manifest cannot be read: {error}") from error


def _time(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(type(value).__name__)
