"""The store's objects and their versions."""

from collections.abc import Mapping, Sequence

from vexobj_storage.content import Content
from vexobj_storage.errors import CommitUncertain, StorageError
from vexobj_storage.metadata import rows
from vexobj_storage.metadata.ops import deletes, listing, objects
from vexobj_storage.names import check_key
from vexobj_storage.types import (
    Bucket,
    Deleted,
    ListedObject,
    ObjectAttributes,
    ObjectDetails,
    ObjectName,
    ObjectPage,
    ObjectVersion,
    StagedContent,
    StoredObject,
    VersionPage,
    WriteCondition,
)

_ANY = WriteCondition()
_ENTRY_BYTES = 2048
"""What a remembered version takes beside its key and inline bytes, generously."""


class Objects(Content):
    async def put_object(
        self,
        bucket: Bucket,
        key: bytes,
        staged: StagedContent,
        attributes: ObjectAttributes,
        condition: WriteCondition = _ANY,
    ) -> ObjectVersion:
        """Consumes `staged` whatever happens.

        Raises: NoSuchBucket (deleted meanwhile), InvalidKey, PreconditionFailed, NoSuchKey
        (If-Match on a key that is not there), OutOfSpace.
        """
        try:
            check_key(key)
            self._room.check()
            draft = rows.draft(
                bucket,
                key,
                attributes,
                now_us=self._now_us(),
                size=staged.size,
                etag=staged.md5.hex(),
                sha256=staged.sha256,
            )
            placed = await self._metadata.write(
                objects.put_object,
                draft,
                staged,
                condition,
                deduplicate=self.config.deduplication,
            )
        except CommitUncertain:
            raise  # it may be in use; if it is not, it falls to the sweep of orphans
        except StorageError:
            await self.discard(staged)
            raise
        if placed.blob_id != staged.blob_id:
            await self.discard(staged)
        return rows.placed_version(draft, placed)

    async def get_object(
        self, bucket: Bucket, key: bytes, version_id: str | None = None
    ) -> StoredObject:
        """One lookup, the inline bytes included. On SQLite it never suspends.

        A current version that was read before is remembered for as long as its stamp holds: no
        process can have changed it since.

        Raises: NoSuchKey, NoSuchVersion. A delete marker by version id is returned as such.
        """
        if version_id is not None:
            return await self._metadata.read(objects.get_version, bucket, key, version_id)
        stamp = self._metadata.stamp(bucket.id, key)
        if stamp is None:
            return await self._metadata.read(objects.get_object, bucket, key)
        name = (bucket.id, key)
        known = self._heads.get(name)
        if known is not None and known[0] == stamp:
            return known[1]
        stored = await self._metadata.read(objects.get_object, bucket, key)
        self._heads.put(name, (stamp, stored), _ENTRY_BYTES + len(key) + len(stored.inline or b""))
        return stored

    async def copy_object(
        self,
        source: StoredObject,
        bucket: Bucket,
        key: bytes,
        attributes: ObjectAttributes,
        condition: WriteCondition = _ANY,
    ) -> ObjectVersion:
        """Metadata only: no byte is written. ETag, size and digests are the source's.

        Raises: as put_object; NoSuchVersion when the source went away meanwhile.
        """
        check_key(key)
        self._room.check()
        version = source.version
        draft = rows.draft(
            bucket,
            key,
            attributes,
            now_us=self._now_us(),
            size=version.size,
            etag=version.etag,
            sha256=version.sha256,
            parts_count=version.parts_count,
        )
        placed = await self._metadata.write(objects.copy_object, draft, version, condition)
        return rows.placed_version(draft, placed)

    async def update_object(
        self,
        bucket: Bucket,
        key: bytes,
        version_id: str | None = None,
        *,
        acl: str | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> ObjectVersion:
        """Change what may change without a new version; None leaves a field as it is.

        Raises: NoSuchBucket, NoSuchKey, NoSuchVersion.
        """
        return await self._metadata.write(objects.update_object, bucket, key, version_id, acl, tags)

    async def delete_object(
        self, bucket: Bucket, key: bytes, version_id: str | None = None, *, owner_id: str = ""
    ) -> Deleted:
        """As S3 has it for the bucket's versioning state; absence is not an error.

        `owner_id` will own the delete marker, if one is written. Raises: NoSuchBucket.
        """
        (deleted,) = await self.delete_objects(
            bucket, [ObjectName(key, version_id)], owner_id=owner_id
        )
        return deleted

    async def delete_objects(
        self, bucket: Bucket, names: Sequence[ObjectName], *, owner_id: str = ""
    ) -> Sequence[Deleted]:
        """All in one transaction, answers in the order asked. Raises: NoSuchBucket."""
        return await self._metadata.write(
            deletes.delete_objects, bucket, names, owner_id, self._now_us()
        )

    async def list_objects(
        self,
        bucket: Bucket,
        *,
        prefix: bytes = b"",
        delimiter: bytes = b"",
        after: bytes = b"",
        limit: int = 1000,
    ) -> ObjectPage[ListedObject]:
        """Live objects in byte order; skip-scan, so its price is that of what it returns.

        An `after` within a common prefix leaves that prefix out.
        """
        return await self._metadata.scan(
            listing.list_objects, bucket.id, prefix, delimiter, after, limit
        )

    async def list_object_details(
        self,
        bucket: Bucket,
        *,
        prefix: bytes = b"",
        delimiter: bytes = b"",
        after: bytes = b"",
        limit: int = 1000,
    ) -> ObjectPage[ObjectDetails]:
        """As `list_objects`, with more of each, which takes half as long again."""
        return await self._metadata.scan(
            listing.list_object_details, bucket.id, prefix, delimiter, after, limit
        )

    async def list_versions(
        self,
        bucket: Bucket,
        *,
        prefix: bytes = b"",
        delimiter: bytes = b"",
        key_marker: bytes = b"",
        version_id_marker: str | None = None,
        limit: int = 1000,
    ) -> VersionPage:
        """As `list_objects`, with all versions and delete markers, the newest of a key first."""
        return await self._metadata.scan(
            listing.list_versions,
            bucket.id,
            prefix,
            delimiter,
            key_marker,
            version_id_marker,
            limit,
        )
