"""Where a store's blobs are kept: opened as it is configured, and as it was before.

Places are remembered in the metadata. A store that is configured for another place than before
writes to the new one and goes on reading from the old one, until `move_blobs` has emptied it.
"""

import secrets
from collections.abc import Callable, Sequence

from vexobj_storage.blobs import probe
from vexobj_storage.blobs.base import BlobStore
from vexobj_storage.blobs.local import LocalBlobStore
from vexobj_storage.blobs.moving import MovingBlobStore
from vexobj_storage.blobs.s3 import S3BlobStore
from vexobj_storage.blobs.service import S3BlobConfig, S3Service
from vexobj_storage.core import StoreConfig
from vexobj_storage.errors import BlobServiceUnusable
from vexobj_storage.files import write_failure
from vexobj_storage.metadata.ops import places
from vexobj_storage.metadata.tx import MetaStore
from vexobj_storage.types import BlobPlace


async def open_blobs(
    config: StoreConfig,
    metadata: MetaStore,
    *,
    thread_initializer: Callable[[], None] | None = None,
) -> BlobStore:
    """The store that `config` wants, together with another one while blobs are left there.

    No request is made to a service. `thread_initializer` is called by threads that work on blobs.

    Raises: BlobServiceUnusable, OutOfSpace, WriteFailed.
    """
    target = config.blob_place
    known = await metadata.scan(places.known_places)
    if target not in known:
        # All were local before places were remembered.
        old = await metadata.scan(places.has_stored_blobs)
        before = [BlobPlace.LOCAL] if old else []
        known = await metadata.write(places.add_place, target, before)
    store = await _open(target, config, thread_initializer)
    try:
        for place in known:
            if place != target:
                other = await _open(BlobPlace(place), config, thread_initializer)
                store = MovingBlobStore(store, other)
    except BaseException:
        await store.close()
        raise
    return store


async def known_places(metadata: MetaStore) -> Sequence[BlobPlace]:
    """Where blobs may be, as far as any store that was opened has told."""
    return [BlobPlace(place) for place in await metadata.scan(places.known_places)]


async def drop_place(metadata: MetaStore, kept: BlobPlace) -> None:
    """All blobs are in `kept` now."""
    for place in await known_places(metadata):
        if place is not kept:
            await metadata.write(places.drop_place, place)


async def claim_places(config: StoreConfig, metadata: MetaStore) -> None:
    """Make sure that the service, if the store is configured for one, is this store's to use.

    Raises: BlobServiceUnusable.
    """
    if config.blob_place is BlobPlace.S3:
        store_id = await metadata.write(places.store_id, secrets.token_hex(16))
        await _claim(config, store_id)


async def open_place(config: StoreConfig, store_id: str) -> BlobStore:
    """The one place that `config` names for new blobs, claimed for a store of this id.

    Raises: BlobServiceUnusable, OutOfSpace, WriteFailed.
    """
    if config.blob_place is BlobPlace.S3:
        await _claim(config, store_id)
    return await _open(config.blob_place, config, None)


async def _claim(config: StoreConfig, store_id: str) -> None:
    service = await S3Service.open(_s3(config))
    try:
        await probe.claim(service, store_id)
    finally:
        await service.close()


async def _open(
    place: BlobPlace, config: StoreConfig, thread_initializer: Callable[[], None] | None
) -> BlobStore:
    if place is BlobPlace.S3:
        return await S3BlobStore.connect(_s3(config), thread_initializer=thread_initializer)
    try:
        return LocalBlobStore(config.data_dir, thread_initializer=thread_initializer)
    except OSError as error:
        raise write_failure(error) from error


def _s3(config: StoreConfig) -> S3BlobConfig:
    if config.s3 is None:
        raise BlobServiceUnusable("endpoint", "blobs are kept in an S3 service, and none is named")
    return config.s3


async def check_service(config: S3BlobConfig) -> Sequence[str]:
    """What an operator should know of a service that keeps blobs; changes nothing in it.

    Raises: BlobServiceUnusable.
    """
    service = await S3Service.open(config)
    try:
        await probe.check(service, None)
        if await probe.keeps_versions(service):
            return [f"bucket {config.bucket} keeps versions: what is deleted goes on taking room"]
        return []
    finally:
        await service.close()
