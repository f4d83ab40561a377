"""The server's backups: on demand and on schedule, into the directory of the settings."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib.metadata import version

from vexobj_server.services.secretkeys import backup_secrets
from vexobj_server.settings import Settings
from vexobj_storage import (
    BackupOptions,
    BackupRunning,
    BackupTarget,
    Manifest,
    ObjectStore,
    StorageError,
)

_RETRY = timedelta(minutes=10)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ServerBackups:
    """`interval` zero means never on schedule."""

    store: ObjectStore
    target: BackupTarget
    options: BackupOptions
    interval: timedelta
    clock: Callable[[], datetime]
    _running: set[asyncio.Task[Manifest]] = field(default_factory=set)

    async def now(self) -> Manifest:
        """It goes on though the caller is cancelled. Raises: as `ObjectStore.back_up`."""
        return await asyncio.shield(self._start())

    async def start(self) -> None:
        """Without waiting for the end. Raises: BackupRunning."""
        if (await self.store.backup_state()).running is not None:
            raise BackupRunning("this store")
        self._start().add_done_callback(_tell)

    async def scheduled(self) -> None:
        """If one is due: the last one that ended well began an interval ago, or there is none.

        After a failure some minutes pass first.
        """
        if not self.interval:
            return
        state, now = await self.store.backup_state(), self.clock()
        if state.running is not None or (
            state.failure is not None and state.failure.at + _RETRY > now
        ):
            return
        if state.last is None or state.last.began_at + self.interval <= now:
            await self.now()

    async def finished(self) -> Sequence[Manifest]:
        """Those that are in the directory, the newest first; unreadable ones are left out."""
        return await asyncio.to_thread(self._finished)

    async def close(self) -> None:
        """What is under way is cut off; the next one goes on with what it copied."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _start(self) -> asyncio.Task[Manifest]:
        task = asyncio.create_task(self._back_up(), name="backup")
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def _back_up(self) -> Manifest:
        manifest = await self.store.back_up(self.target, self.options)
        if manifest.damaged:
            _log.error(
                "backup %s lacks %d blobs that cannot be read", manifest.name, len(manifest.damaged)
            )
        return manifest

    def _finished(self) -> Sequence[Manifest]:
        found = []
        for name in reversed(self.target.names()):
            try:
                found.append(self.target.manifest(name))
            except StorageError as error:
                _log.warning("backup %s: %s", name, error)
        return found


def server_backups(
    settings: Settings, store: ObjectStore, server_secret: bytes, clock: Callable[[], datetime]
) -> ServerBackups:
    """As the settings say."""
    backup = settings.backup
    options = BackupOptions(
        version("vexobj-server"),
        backup_secrets(server_secret, settings.sse, inside=backup.with_secrets),
        backup.keep,
        backup.max_rate or None,
    )
    target = BackupTarget(settings.backup_dir)
    return ServerBackups(store, target, options, backup.interval, clock)


def _tell(task: asyncio.Task[Manifest]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.error("the backup failed: %s", error)
