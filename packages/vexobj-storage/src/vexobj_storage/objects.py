"""The store's objects and their versions."""

from collections.abc import Mapping, Sequence

from vexobj_storage.content import Content
from vexobj_storage.errors import CommitUncertain, StorageError
from vexobj_storage.locks import UNLOCKED, LockChange, ObjectLock
from vexobj_storage.metadata import rows
from vexobj_storage.metadata.ops import deletes, guard, key_versions, listing, locks, objects, purge
from vexobj_storage.metadata.ops.guard import Removal
from vexobj_storage.names import check_key
from vexobj_storage.sealing.ids import sealing_key
from vexobj_storage.types import (
    Bucket,
    Deleted,
    ListedObject,
    ObjectAttributes,
    ObjectDetails,
    ObjectName,
    ObjectPage,
    ObjectVersion,
    Page,
    PurgeReport,
    StagedContent,
    StoredObject,
    VersionPage,
    WriteCondition,
)

_ANY = WriteCondition()
_PIECE = 500
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
        *,
        lock: ObjectLock = UNLOCKED,
    ) -> ObjectVersion:
        """Consumes `staged` whatever happens.

        `lock` is what the version begins with; its bucket may add a retention to it.

        Raises: NoSuchBucket (deleted meanwhile), InvalidKey, PreconditionFailed, NoSuchKey
        (If-Match on a key that is not there), ObjectLocked (it would replace a locked version),
        OutOfSpace.
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
                lock=lock,
                locks_at_us=self.clock_guard.now_us_within,
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

        Raises: NoSuchKey, NoSuchVersion, and for inline bytes BlobCorrupt, KeyUnavailable. A delete
        marker by version id is returned as such.
        """
        if version_id is not None:
            found = await self._metadata.read(objects.get_version, bucket, key, version_id)
            return await self._with_content(found)
        stamp = self._metadata.stamp(bucket.id, key)
        if stamp is None:
            found = await self._metadata.read(objects.get_object, bucket, key)
            return await self._with_content(found)
        name = (bucket.id, key)
        known = self._heads.get(name)
        if known is not None and known[0] == stamp:
            return known[1]
        found = await self._metadata.read(objects.get_object, bucket, key)
        stored = await self._with_content(found)
        self._heads.put(name, (stamp, stored), _ENTRY_BYTES + len(key) + len(stored.inline or b""))
        return stored

    async def copy_object(
        self,
        source: StoredObject,
        bucket: Bucket,
        key: bytes,
        attributes: ObjectAttributes,
        condition: WriteCondition = _ANY,
        *,
        lock: ObjectLock = UNLOCKED,
    ) -> ObjectVersion:
        """Metadata only: no byte is written.

        ETag, size and digests are the source's, its lock is not.

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
            lock=lock,
            locks_at_us=self.clock_guard.now_us_within,
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
        self,
        bucket: Bucket,
        key: bytes,
        version_id: str | None = None,
        *,
        owner_id: str = "",
        bypass_governance: bool = False,
        hide_locked: bool = True,
    ) -> Deleted:
        """As S3 has it for the bucket's versioning state; absence is not an error.

        Arguments are those of `delete_objects`. Raises: NoSuchBucket, ObjectLocked.
        """
        (deleted,) = await self.delete_objects(
            bucket,
            [ObjectName(key, version_id)],
            owner_id=owner_id,
            bypass_governance=bypass_governance,
            hide_locked=hide_locked,
        )
        if deleted.refusal is not None:
            raise guard.locked(bucket, key, str(deleted.version_id), deleted.refusal)
        return deleted

    async def delete_objects(
        self,
        bucket: Bucket,
        names: Sequence[ObjectName],
        *,
        owner_id: str = "",
        bypass_governance: bool = False,
        hide_locked: bool = True,
    ) -> Sequence[Deleted]:
        """All that no lock keeps in one transaction, answers in the order asked.

        `owner_id` will own the delete markers that are written. Retentions in governance mode are
        passed over with `bypass_governance`. Without `hide_locked` a locked current version is not
        hidden behind a marker either.

        Raises: NoSuchBucket.
        """
        at_us = await self.clock_guard.now_us()
        removal = Removal(at_us, owner_id, bypass_governance, hide_locked)
        return await self._metadata.write(
            deletes.delete_objects, bucket, names, removal, self._now_us()
        )

    async def purge(
        self, bucket: Bucket, key: bytes, *, bypass_governance: bool = False
    ) -> PurgeReport:
        """Remove every version and delete marker that the key has now, the oldest first.

        Many take several transactions. When a lock keeps one of them, none is removed; one that
        is locked while the purge is under way ends it.

        Raises: NoSuchBucket, ObjectLocked.
        """
        removal = Removal(await self.clock_guard.now_us(), bypasses_governance=bypass_governance)
        last = await self._metadata.scan(purge.begin, bucket, key, removal, _PIECE)
        total, is_last = PurgeReport(), False
        while not is_last:
            piece = await self._metadata.write(
                purge.purge_piece, bucket, key, last, removal, self._now_us(), _PIECE
            )
            total, is_last = total + piece.report, piece.is_last
        return total

    async def update_lock(
        self,
        bucket: Bucket,
        key: bytes,
        version_id: str | None,
        change: LockChange,
        *,
        bypass_governance: bool = False,
    ) -> ObjectVersion:
        """Give a version the lock that `change` makes of its present one.

        Raises: NoSuchBucket, NoSuchKey, NoSuchVersion, RetentionActive (it would end earlier).
        """
        return await self._metadata.write(
            locks.update_lock,
            bucket,
            key,
            version_id,
            change,
            bypass_governance,
            await self.clock_guard.now_us(),
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

    async def key_versions(
        self, bucket: Bucket, key: bytes, *, after: str | None = None, limit: int = 1000
    ) -> Page[ObjectVersion]:
        """The versions and delete markers of one key, newest first, behind version id `after`."""
        return await self._metadata.scan(
            key_versions.list_key_versions, bucket.id, key, after, limit
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

    async def _with_content(self, found: StoredObject) -> StoredObject:
        """Inline bytes as they were put; none of what is in quarantine, which `read` refuses."""
        blob_id = found.version.blob_id
        if found.inline is None or blob_id is None:
            return found
        if blob_id in self._quarantine.ids:
            return StoredObject(found.version, None, found.location)
        if not sealing_key(blob_id):
            return found
        inline = await self._opened.inline(blob_id, found.inline)
        return StoredObject(found.version, inline, found.location)
