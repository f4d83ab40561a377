"""The store's buckets, and what they hold in numbers."""

from collections.abc import Mapping, Sequence
from typing import Any

from vexobj_storage.core import Core
from vexobj_storage.metadata.ops import aliases, buckets, usage
from vexobj_storage.names import check_bucket_name
from vexobj_storage.types import Bucket, BucketChange, BucketUsage, Page

_CACHED = 10_000


class Buckets(Core):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._known: dict[str, Bucket] = {}
        self._known_epoch: int | None = None

    async def create_bucket(
        self,
        name: str,
        owner_id: str,
        *,
        public: bool = False,
        acl: str | None = None,
        object_lock: bool = False,
    ) -> Bucket:
        """With `object_lock` versioning is enabled from the start, and for good.

        Raises: InvalidBucketName, BucketAlreadyExists (with the owner).
        """
        check_bucket_name(name)
        return await self._metadata.write(
            buckets.create_bucket, name, owner_id, public, acl, object_lock, self._now_us()
        )

    async def bucket(self, name: str) -> Bucket:
        """From a cache that is checked against the epoch: never older than the last commit.

        Raises: NoSuchBucket.
        """
        # The epoch is read first: what is read after it may be newer than it says, never older.
        epoch = await self._metadata.epoch()
        if epoch != self._known_epoch or len(self._known) >= _CACHED:
            await self.refresh_quarantine()
            self._known = {}
            self._known_epoch = epoch
        known = self._known
        found = known.get(name)
        if found is None:
            found = known[name] = await self._metadata.read(buckets.find_bucket, name)
        return found

    async def list_buckets(
        self, *, owner_id: str | None = None, prefix: str = "", after: str = "", limit: int = 1000
    ) -> Page[Bucket]:
        """By name; of one owner, or of all (owner_id None)."""
        return await self._metadata.scan(buckets.list_buckets, owner_id, prefix, after, limit)

    async def update_bucket(self, name: str, change: BucketChange) -> Bucket:
        """Waits for the writes under way in the bucket.

        Raises: NoSuchBucket, HostAliasTaken, ObjectLockNeedsVersioning; ValueError for versioning
            that would go back to OFF.
        """
        return await self._metadata.write(buckets.update_bucket, name, change)

    async def host_aliases(self) -> Mapping[str, str]:
        """Of every host name in a bucket's setting `host_aliases`, the name of that bucket."""
        return await self._metadata.scan(aliases.host_aliases)

    async def delete_bucket(self, name: str) -> None:
        """Open uploads are aborted with it. Raises: NoSuchBucket, BucketNotEmpty."""
        await self._metadata.write(buckets.delete_bucket, name, self._now_us())

    async def usage(self, bucket: Bucket) -> BucketUsage:
        return await self._metadata.scan(usage.usage, bucket.id)

    async def all_usage(self) -> Sequence[BucketUsage]:
        """Of every bucket that ever held something, in order of their ids."""
        return await self._metadata.scan(usage.all_usage)
