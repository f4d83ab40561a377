"""Files that survive power loss once they have their name: the blocking core of local blobs.

Write to `tmp/`, fsync, rename into `blobs/ab/cd/`, fsync the directories. Only then may a row
that names the blob be committed.
"""

import contextlib
import secrets
import threading

from vexobj_storage.blobs.base import Through
from vexobj_storage.errors import WriteFailed
from vexobj_storage.files import Buffer, Files, write_failure

_SYNC_EVERY = 64 * 1024**2


class BlobTree:
    """The paths of a store, and which of its directories are known to be durable.

    Blobs are spread over 65,536 directories by the last two bytes of their ids, which are random
    even where the first ones are a time. A directory that another process made may not be durable
    yet, so each process syncs the chain of parents itself once.
    """

    def __init__(self, root: str, files: Files) -> None:
        self.files = files
        self.temporary = f"{root}/tmp"  # noqa: S108 - our own, in the same file system
        self.blobs = f"{root}/blobs"
        self._durable_shards = bytearray(0x10000)
        self._durable_tops = bytearray(0x100)
        for path in (self.blobs, self.temporary):
            files.make_directory(path)
        files.sync_directory(root)

    def path(self, blob_id: bytes) -> str:
        name = blob_id.hex()
        return f"{self.blobs}/{name[-4:-2]}/{name[-2:]}/{name}"

    def create(self, blob_id: bytes) -> tuple[str, int]:
        """A new temporary file: its path and descriptor.

        A blob that is copied keeps its id, so another process may be at it, or have died at it.
        """
        path = f"{self.temporary}/{blob_id.hex()}"
        try:
            return path, self.files.create(path)
        except FileExistsError:
            path = f"{path}-{secrets.token_hex(8)}"
            return path, self.files.create(path)

    def publish(self, source: str, blob_id: bytes) -> None:
        """Give the synced temporary file its name, durably."""
        name = blob_id.hex()
        top = f"{self.blobs}/{name[-4:-2]}"
        directory = f"{top}/{name[-2:]}"
        target = f"{directory}/{name}"
        shard, files = int.from_bytes(blob_id[-2:], "big"), self.files
        try:
            files.rename(source, target)
        except FileNotFoundError:
            self._durable_shards[shard] = self._durable_tops[shard >> 8] = 0
            files.make_directory(top)
            files.make_directory(directory)
            files.rename(source, target)
        files.sync_directory(directory)
        if not self._durable_shards[shard]:
            # Innermost first: the journal commit it forces makes the others nearly free.
            files.sync_directory(top)
            if not self._durable_tops[shard >> 8]:
                files.sync_directory(self.blobs)
                self._durable_tops[shard >> 8] = 1
            self._durable_shards[shard] = 1


class DurableFile:
    """One blob being written by blocking calls from any thread; they take turns."""

    def __init__(self, tree: BlobTree, blob_id: bytes) -> None:
        self._tree = tree
        self._files = tree.files
        self._blob_id = blob_id
        self._lock = threading.Lock()
        self._descriptor = -1
        self._paths: list[str] = []
        self._unsynced = 0
        self._closed = False

    def append(self, chunk: Buffer, through: Through | None = None) -> None:
        with self._lock:
            self._check_open()
            data = chunk if through is None else through(chunk)
            try:
                self._ensure_created()
                self._files.write(self._descriptor, data)
                self._unsynced += len(data)
                if self._unsynced >= _SYNC_EVERY:
                    # Keeps the dirty pages of a huge upload, and the wait at its end, bounded.
                    self._files.sync(self._descriptor)
                    self._unsynced = 0
            except OSError as error:
                self._remove()
                raise write_failure(error) from error

    def commit(self) -> None:
        with self._lock:
            self._check_open()
            try:
                self._ensure_created()
                self._files.sync(self._descriptor)
                descriptor, self._descriptor = self._descriptor, -1
                self._files.close(descriptor)
                source = self._paths[0]
                self._paths.append(self._tree.path(self._blob_id))
                self._tree.publish(source, self._blob_id)
            except OSError as error:
                # An fsync that failed once may "succeed" when repeated, over lost pages.
                self._remove()
                raise write_failure(error) from error
            self._closed = True

    def abort(self) -> None:
        """Remove the file under either name; wait for a call that is still running first."""
        with self._lock:
            self._remove()

    def _check_open(self) -> None:
        if self._closed:
            raise WriteFailed("the writer is closed")

    def _ensure_created(self) -> None:
        if self._descriptor < 0:
            path, self._descriptor = self._tree.create(self._blob_id)
            self._paths.append(path)

    def _remove(self) -> None:
        self._closed = True
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            with contextlib.suppress(OSError):
                self._files.close(descriptor)
        for path in self._paths:  # its own: the others of this blob may be somebody else's
            with contextlib.suppress(OSError):
                self._files.unlink(path)
