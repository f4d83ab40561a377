"""The object store itself: buckets, objects, versions and uploads over metadata and blobs.

It knows no protocol and no permissions. Everything it says is done is durable, unless it was opened
as relaxed. It may be used by several processes on one data directory at once.
"""

from typing import Self

from vexobj_storage.accounts import Accounts
from vexobj_storage.audit import Audit
from vexobj_storage.backing import Backups
from vexobj_storage.buckets import Buckets
from vexobj_storage.core import StoreConfig, utc_now
from vexobj_storage.deliveries import Deliveries
from vexobj_storage.encryption import Encryption
from vexobj_storage.expiry import Expiry
from vexobj_storage.keyring import KeyRing
from vexobj_storage.mending import Mending
from vexobj_storage.metadata.engine import open_metadata
from vexobj_storage.metadata.rows import to_us
from vexobj_storage.objects import Objects
from vexobj_storage.places import claim_places, open_blobs
from vexobj_storage.quotas import Quotas
from vexobj_storage.rewriting import Rewriting
from vexobj_storage.scrubbing import Scrubbing
from vexobj_storage.types import Clock
from vexobj_storage.upkeep import Upkeep
from vexobj_storage.uploads import Uploads

__all__ = ["ObjectStore", "StoreConfig"]


class ObjectStore(
    Buckets,
    Quotas,
    Objects,
    Uploads,
    Accounts,
    Upkeep,
    Expiry,
    Encryption,
    Rewriting,
    Scrubbing,
    Mending,
    Audit,
    Deliveries,
    Backups,
):
    """Open with `await ObjectStore.open(config)`; close it when done.

    Its methods stand in the modules of its facets.
    """

    @classmethod
    async def open(cls, config: StoreConfig, clock: Clock = utc_now) -> Self:
        """Migrates the schema when it is older.

        Raises: SchemaTooNew, StoreBusy, OutOfSpace, WriteFailed, KeyUnavailable,
        BlobServiceUnusable, RestoreUnfinished.
        """
        metadata = await open_metadata(config.data_dir, config.metadata_url, config.durability)
        try:
            keys = await KeyRing.open(
                metadata, config.master_keys, seal=config.encrypt, now_us=to_us(clock())
            )
            await claim_places(config, metadata)
            blobs = await open_blobs(config, metadata)
        except BaseException:
            await metadata.close()
            raise
        return cls(config, metadata, blobs, clock, keys=keys)
