"""What every facet of the store works with: metadata, blobs, settings, the clock.

`ObjectStore` is put together of facets (buckets, content, objects, uploads, accounts, upkeep),
each a class over this one with a module of its own; none of them calls another's privates.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from vexobj_storage.blobs.base import BlobStore
from vexobj_storage.blobs.service import S3BlobConfig
from vexobj_storage.clock import ClockGuard, Ticks, boot_ticks
from vexobj_storage.keyring import KeyRing
from vexobj_storage.metadata.layout import Layout
from vexobj_storage.metadata.ops import objects
from vexobj_storage.metadata.rows import to_us
from vexobj_storage.metadata.tx import MetaStore
from vexobj_storage.opening import OpenedBlobs
from vexobj_storage.quarantine import Quarantine
from vexobj_storage.recent import Recent
from vexobj_storage.recording import Recorded
from vexobj_storage.room import Room
from vexobj_storage.sealing.keys import MasterKey
from vexobj_storage.types import BlobPlace, Clock, Durability, StagedContent, StoredObject

_LAYOUTS_BYTES = 16 * 1024 * 1024
_HEADS_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class StoreConfig:
    """`metadata_url` None means SQLite in the data directory; else `postgresql://...`.

    With `encrypt` new content is sealed. `master_keys` open what is sealed already, and the first
    of them wraps what is new.
    `blob_place` is where new blobs go; `s3` is needed where some are in a service, old ones too.
    """

    data_dir: Path
    metadata_url: str | None = None
    inline_max_bytes: int = 16 * 1024
    deduplication: bool = True
    gc_grace: timedelta = field(default=timedelta(minutes=10))
    max_object_bytes: int = 5 * 1024**4
    master_keys: Sequence[MasterKey] = ()
    encrypt: bool = False
    blob_place: BlobPlace = BlobPlace.LOCAL
    s3: S3BlobConfig | None = None
    durability: Durability = Durability.STRICT


def utc_now() -> datetime:
    return datetime.now(UTC)


class Core:
    """Composed by hand where the defaults of `ObjectStore.open` do not fit, in tests above all."""

    def __init__(
        self,
        config: StoreConfig,
        metadata: MetaStore,
        blobs: BlobStore,
        clock: Clock = utc_now,
        ticks: Callable[[], Ticks] = boot_ticks,
        keys: KeyRing | None = None,
    ) -> None:
        self.config = config
        self._metadata: MetaStore = Recorded(metadata)
        self._blobs = blobs
        self._clock = clock
        self._keys = keys or KeyRing(metadata)
        self._opened = OpenedBlobs(blobs, self._keys, self._blob_size)
        self.clock_guard = ClockGuard(metadata, clock, ticks)
        self._room = Room(config.data_dir)
        self._quarantine = Quarantine(metadata)
        self._layouts: Recent[bytes, Layout] = Recent(_LAYOUTS_BYTES)
        self._heads: Recent[tuple[int, bytes], tuple[int, StoredObject]] = Recent(_HEADS_BYTES)

    async def close(self) -> None:
        """Writes that were accepted are committed."""
        await self._metadata.close()
        await self._blobs.close()

    def epoch(self) -> Awaitable[int]:
        """Changes whenever any process changed a bucket, an identity or an access key."""
        return self._metadata.epoch()

    async def discard(self, staged: StagedContent) -> None:
        """Give back content that will not be used. Idempotent."""
        if staged.inline is None:
            await self._blobs.delete(staged.blob_id)

    def _check_room(self, size: int) -> None:
        """For a new blob: blobs elsewhere take none of this disk. Raises: OutOfSpace."""
        self._room.check(size if self.config.blob_place is BlobPlace.LOCAL else 0)

    async def refresh_quarantine(self) -> None:
        """Learn what is in quarantine; `bucket` does it when the epoch has changed."""
        if await self._quarantine.refresh():
            self._heads = Recent(_HEADS_BYTES)  # they remember inline bytes

    async def _blob_size(self, blob_id: bytes) -> int | None:
        return await self._metadata.read(objects.blob_size, blob_id)

    def _now_us(self) -> int:
        return to_us(self._clock())
