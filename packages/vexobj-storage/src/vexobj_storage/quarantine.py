"""The blobs that must not be read: what scrub found not to be as it was put."""

from collections.abc import AsyncGenerator

from vexobj_storage.errors import BlobCorrupt
from vexobj_storage.metadata.ops import findings
from vexobj_storage.metadata.tx import MetaStore
from vexobj_storage.reading import Readable


class Quarantine:
    """Their ids, in memory: `ids` is nearly always empty, and is looked at before bytes are read.

    Whoever looks a bucket up refreshes it with the epoch, so that what one process has put in
    quarantine none gives out at its next request.
    """

    def __init__(self, metadata: MetaStore) -> None:
        self.ids: frozenset[bytes] = frozenset()
        self._metadata = metadata

    async def refresh(self) -> bool:
        """Whether there are more of them now."""
        known, self.ids = self.ids, await self._metadata.scan(findings.quarantined)
        return not self.ids <= known

    def refuse(self, blob_id: bytes) -> None:
        """Raises: BlobCorrupt."""
        if blob_id in self.ids:
            raise BlobCorrupt(blob_id.hex(), "it is in quarantine")


class Guarded:
    """Blobs that can be read, but for those in quarantine."""

    def __init__(self, blobs: Readable, quarantine: Quarantine) -> None:
        self._blobs = blobs
        self._quarantine = quarantine

    def open(self, blob_id: bytes, offset: int, length: int) -> AsyncGenerator[bytes, None]:
        """Raises: BlobCorrupt."""
        self._quarantine.refuse(blob_id)
        return self._blobs.open(blob_id, offset, length)
