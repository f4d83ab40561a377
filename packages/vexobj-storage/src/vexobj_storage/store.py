"""The object store itself: buckets, objects, versions and uploads over metadata and blobs.

It knows no protocol and no permissions. Everything it says is done is durable. It may be used by
several processes on one data directory at once.
"""

from collections.abc import AsyncIterable, AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from vexobj_storage.types import (
    Bucket,
    BucketChange,
    BucketUsage,
    Checksum,
    CompletedPart,
    Deleted,
    GcReport,
    Hasher,
    ObjectAttributes,
    ObjectName,
    ObjectPage,
    ObjectVersion,
    Page,
    Part,
    PartPage,
    StagedContent,
    StoredObject,
    Upload,
    UploadPage,
    VersionPage,
    WriteCondition,
)

_ANY = WriteCondition()


@dataclass(frozen=True, slots=True)
class StoreConfig:
    """`metadata_url` None means SQLite in the data directory; else `postgresql://...`."""

    data_dir: Path
    metadata_url: str | None = None
    inline_max_bytes: int = 16 * 1024
    deduplication: bool = True
    gc_grace: timedelta = field(default=timedelta(minutes=10))
    max_object_bytes: int = 5 * 1024**4


class ObjectStore:
    """Open with `await ObjectStore.open(config)`; close it when done."""

    @classmethod
    async def open(cls, config: StoreConfig) -> "ObjectStore":
        """Migrates the schema when it is older, refuses when it is newer."""
        raise NotImplementedError

    async def close(self) -> None:
        raise NotImplementedError

    # buckets -------------------------------------------------------------------------------

    async def create_bucket(
        self, name: str, owner_id: str, *, public: bool = False, acl: str | None = None
    ) -> Bucket:
        """Raises: InvalidBucketName, BucketAlreadyExists (with the owner)."""
        raise NotImplementedError

    async def bucket(self, name: str) -> Bucket:
        """From a cache that is checked against the epoch: never older than the last commit.

        Raises: NoSuchBucket.
        """
        raise NotImplementedError

    async def list_buckets(
        self, *, owner_id: str | None = None, prefix: str = "", after: str = "", limit: int = 1000
    ) -> Page[Bucket]:
        """By name; of one owner, or of all (owner_id None)."""
        raise NotImplementedError

    async def update_bucket(self, name: str, change: BucketChange) -> Bucket:
        raise NotImplementedError

    async def delete_bucket(self, name: str) -> None:
        """Open uploads are aborted with it. Raises: NoSuchBucket, BucketNotEmpty."""
        raise NotImplementedError

    async def usage(self, bucket: Bucket) -> BucketUsage:
        raise NotImplementedError

    # content -------------------------------------------------------------------------------

    def stage_bytes(self, data: bytes, *, sha256: bytes | None = None) -> StagedContent:
        """Stage content of at most `inline_max_bytes`, without I/O. `sha256` if already known."""
        raise NotImplementedError

    async def stage(
        self,
        chunks: AsyncIterable[bytes],
        *,
        size: int | None = None,
        hashers: Mapping[str, Hasher] | None = None,
        sha256: bytes | None = None,
    ) -> StagedContent:
        """Read all chunks; MD5, SHA-256 and `hashers` see every byte in one worker-thread call.

        On return the bytes are durable, or inline when they are few. Whatever `chunks` raises
        passes through, and nothing is left behind.

        Raises: EntityTooLarge, SizeMismatch (`size` was announced), OutOfSpace, WriteFailed.
        """
        raise NotImplementedError

    async def discard(self, staged: StagedContent) -> None:
        """Give back content that will not be used. Idempotent."""
        raise NotImplementedError

    def read(
        self, stored: StoredObject, start: int = 0, length: int | None = None
    ) -> AsyncIterator[bytes]:
        """Stream a range of the object's bytes in chunks of at most 1 MiB, in constant memory.

        Raises: BlobMissing, BlobCorrupt; never a short stream that ends in peace.
        """
        raise NotImplementedError

    def read_now(self, stored: StoredObject, start: int, length: int) -> bytes | None:
        """A small range (<= 256 KiB), if it is inline or in the page cache; None otherwise."""
        raise NotImplementedError

    def path(self, stored: StoredObject) -> Path | None:
        """The local file that holds exactly the object's bytes, if there is one.

        It stays for at least the GC grace after the object is deleted.
        """
        raise NotImplementedError

    # objects -------------------------------------------------------------------------------

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
        (If-Match on a key that is not there).
        """
        raise NotImplementedError

    async def get_object(
        self, bucket: Bucket, key: bytes, version_id: str | None = None
    ) -> StoredObject:
        """One lookup, the inline bytes included. On SQLite it never suspends.

        Raises: NoSuchKey, NoSuchVersion. A delete marker by version id is returned as such.
        """
        raise NotImplementedError

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
        raise NotImplementedError

    async def update_object(
        self,
        bucket: Bucket,
        key: bytes,
        version_id: str | None = None,
        *,
        acl: str | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> ObjectVersion:
        """Change what may change without a new version; None leaves a field as it is."""
        raise NotImplementedError

    async def delete_object(
        self, bucket: Bucket, key: bytes, version_id: str | None = None
    ) -> Deleted:
        """As S3 has it for the bucket's versioning state; absence is not an error."""
        raise NotImplementedError

    async def delete_objects(
        self, bucket: Bucket, names: Sequence[ObjectName]
    ) -> Sequence[Deleted]:
        """All in one transaction, answers in the order asked."""
        raise NotImplementedError

    async def list_objects(
        self,
        bucket: Bucket,
        *,
        prefix: bytes = b"",
        delimiter: bytes = b"",
        after: bytes = b"",
        limit: int = 1000,
    ) -> ObjectPage:
        """Live objects in byte order; skip-scan, so its price is that of what it returns."""
        raise NotImplementedError

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
        raise NotImplementedError

    # multipart -----------------------------------------------------------------------------

    async def create_upload(
        self,
        bucket: Bucket,
        key: bytes,
        attributes: ObjectAttributes,
        *,
        checksum_algorithm: str | None = None,
        checksum_composite: bool = True,
    ) -> Upload:
        raise NotImplementedError

    async def upload(self, bucket: Bucket, key: bytes, upload_id: str) -> Upload:
        """An open upload of exactly this bucket and key. Raises: NoSuchUpload."""
        raise NotImplementedError

    async def put_part(
        self,
        upload: Upload,
        number: int,
        staged: StagedContent,
        checksum: Checksum | None = None,
    ) -> Part:
        """Consumes `staged` whatever happens. Raises: NoSuchUpload."""
        raise NotImplementedError

    async def copy_part(
        self, upload: Upload, number: int, source: StoredObject, start: int, length: int
    ) -> Part:
        """A part made of a range of another object's segments: no byte is written.

        The part's ETag is the MD5 of the range, computed by reading it.
        Raises: NoSuchUpload, NoSuchVersion.
        """
        raise NotImplementedError

    async def list_parts(self, upload: Upload, *, after: int = 0, limit: int = 1000) -> PartPage:
        raise NotImplementedError

    async def list_uploads(
        self,
        bucket: Bucket,
        *,
        prefix: bytes = b"",
        delimiter: bytes = b"",
        key_marker: bytes = b"",
        upload_id_marker: str | None = None,
        limit: int = 1000,
    ) -> UploadPage:
        raise NotImplementedError

    async def complete_upload(
        self,
        bucket: Bucket,
        key: bytes,
        upload_id: str,
        parts: Sequence[CompletedPart],
        condition: WriteCondition = _ANY,
        *,
        checksum: Checksum | None = None,
        minimum_part_bytes: int = 5 * 1024**2,
    ) -> ObjectVersion:
        """A constant number of rows, no bytes. The same completion again answers the same.

        Raises: NoSuchUpload, InvalidPart, InvalidPartOrder, EntityTooSmall, PreconditionFailed.
        """
        raise NotImplementedError

    async def abort_upload(self, bucket: Bucket, key: bytes, upload_id: str) -> None:
        """Raises: NoSuchUpload."""
        raise NotImplementedError

    async def parts(self, stored: StoredObject) -> Sequence[Part]:
        """The parts of a completed multipart object; empty for a single PUT."""
        raise NotImplementedError

    async def part_range(self, stored: StoredObject, number: int) -> tuple[int, int] | None:
        """(start, length) of a part; a single PUT is its own part 1."""
        raise NotImplementedError

    # upkeep --------------------------------------------------------------------------------

    async def collect_garbage(self) -> GcReport:
        """Do what is due, in bounded transactions; safe beside everything else."""
        raise NotImplementedError

    async def sweep_orphans(self, older_than: timedelta = timedelta(hours=24)) -> int:
        """Remove blob files without a row and the leavings of interrupted writes; how many."""
        raise NotImplementedError

    async def fold_usage(self) -> int:
        raise NotImplementedError
