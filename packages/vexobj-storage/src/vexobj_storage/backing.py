"""Backups of a store that is in use, and what is known of the last ones.

How they are made, verified and restored stands in backups/.
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from vexobj_storage.backups.collecting import BackupProgress, Report
from vexobj_storage.backups.making import BackupOptions, back_up
from vexobj_storage.backups.manifest import Manifest
from vexobj_storage.backups.target import BackupTarget
from vexobj_storage.core import Core
from vexobj_storage.metadata import leases
from vexobj_storage.metadata.ops import facts
from vexobj_storage.metadata.ops.gc import HOLD
from vexobj_storage.metadata.rows import to_datetime
from vexobj_storage.metadata.tx import Tx

_RUNNING, _LAST, _FAILED = "backup running", "backup", "backup failed"
_TELL_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class LastBackup:
    """The newest that was finished; `bytes` is all of it, `copied_bytes` what was new."""

    name: str
    began_at: datetime
    finished_at: datetime
    bytes: int
    copied_bytes: int
    damaged: int


@dataclass(frozen=True, slots=True)
class BackupFailure:
    at: datetime
    error: str


@dataclass(frozen=True, slots=True)
class BackupState:
    """`failure` is the last one, if no backup was finished since."""

    running: BackupProgress | None
    last: LastBackup | None
    failure: BackupFailure | None


class Backups(Core):
    async def back_up(
        self,
        target: BackupTarget,
        options: BackupOptions | None = None,
        report: Report = lambda _: None,
    ) -> Manifest:
        """All that was acknowledged before this was called, as of one moment, into `target`.

        Reads and writes go on. Blobs that are in the target already are not copied again, and one
        that cannot be read is named in the manifest as damaged.

        Raises: BackupRunning, BackupTargetTaken, BackupDamaged (the one before, whose catalogue is
        needed), OutOfSpace, WriteFailed.
        """
        latest = BackupProgress("")

        def told(progress: BackupProgress) -> None:
            nonlocal latest
            latest = progress
            report(progress)

        telling = asyncio.create_task(self._tell(lambda: latest))
        try:
            options = options or BackupOptions()
            manifest = await back_up(
                self._metadata, self._blobs, target, options, self._clock, told
            )
        except Exception as error:
            failure = {"at": self._now_us(), "error": str(error)}
            with contextlib.suppress(Exception):
                await self._metadata.write(facts.remember, _FAILED, failure)
            raise
        finally:
            telling.cancel()
            await asyncio.wait([telling])
        await self._metadata.write(_finished, _last(manifest))
        return manifest

    async def backup_state(self) -> BackupState:
        """What any process has told of the backups of this store."""
        return await self._metadata.scan(_state, self._now_us())

    async def _tell(self, latest: Callable[[], BackupProgress]) -> None:
        while True:
            await asyncio.sleep(_TELL_SECONDS)
            with contextlib.suppress(Exception):
                await self._metadata.write(facts.remember, _RUNNING, asdict(latest()))


async def _finished(tx: Tx, last: dict[str, Any]) -> None:
    await facts.remember(tx, _LAST, last)
    await facts.forget(tx, _FAILED)
    await facts.forget(tx, _RUNNING)


async def _state(tx: Tx, now_us: int) -> BackupState:
    held = (await leases.end_of(tx, HOLD) or 0) > now_us
    running, last = await facts.recall(tx, _RUNNING), await facts.recall(tx, _LAST)
    failed = await facts.recall(tx, _FAILED)
    return BackupState(
        (BackupProgress("") if running is None else BackupProgress(**running)) if held else None,
        None if last is None else _read_last(last),
        None if failed is None else BackupFailure(to_datetime(failed["at"]), failed["error"]),
    )


def _last(manifest: Manifest) -> dict[str, Any]:
    return {
        "name": manifest.name,
        "began_at": manifest.began_at.isoformat(),
        "finished_at": manifest.finished_at.isoformat(),
        "bytes": manifest.blob_bytes + manifest.metadata_bytes,
        "copied_bytes": manifest.bytes_copied + manifest.metadata_bytes,
        "damaged": len(manifest.damaged),
    }


def _read_last(last: dict[str, Any]) -> LastBackup:
    times = {name: datetime.fromisoformat(last[name]) for name in ("began_at", "finished_at")}
    return LastBackup(**(last | times))
