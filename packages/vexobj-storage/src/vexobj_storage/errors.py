"""The conditions that the store can be in; not how a protocol words them.

StorageError
├── NoSuchBucket            BucketAlreadyExists     BucketNotEmpty      InvalidBucketName
├── HostAliasTaken          InvalidLifecycleRule    NoSuchLifecycleRule
├── ObjectLocked            RetentionActive     ObjectLockNeedsVersioning
├── NoSuchKey               NoSuchVersion           InvalidKey
├── NoSuchUpload            InvalidPart             InvalidPartOrder    EntityTooSmall
├── PreconditionFailed      EntityTooLarge          SizeMismatch
├── QuotaExceeded
├── NoSuchIdentity          NoSuchAccessKey         AccessKeyAlreadyExists
├── NoSuchWebhook           NoSuchDelivery          WebhookFixed
├── BlobMissing             BlobCorrupt         KeyUnavailable
└── StoreError
    ├── OutOfSpace          StoreBusy               StoreClosed
    ├── WriteFailed         ReadFailed
    ├── BlobServiceUnusable
    ├── BackupRunning       NoSuchBackup            BackupDamaged       BackupTooNew
    ├── BackupTargetTaken   StoreNotEmpty           RestoreUnfinished
    └── CommitUncertain     SchemaTooNew            LeaseLost

Each carries its data as attributes; the message is for logs and embedded use.
"""

from dataclasses import dataclass

from vexobj_storage.locks import LockRefusal


@dataclass(eq=False)
class StorageError(Exception):
    """Base of every condition of this package."""

    def __post_init__(self) -> None:
        super().__init__(str(self))

    def __str__(self) -> str:
        fields = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({fields})"


@dataclass(eq=False)
class NoSuchBucket(StorageError):
    bucket: str


@dataclass(eq=False)
class BucketAlreadyExists(StorageError):
    """The name is taken; `owner_id` says by whom, so that a caller may tell its own apart."""

    bucket: str
    owner_id: str


@dataclass(eq=False)
class BucketNotEmpty(StorageError):
    """The bucket still holds live objects, versions, delete markers or open uploads' parts."""

    bucket: str


@dataclass(eq=False)
class HostAliasTaken(StorageError):
    """The host name leads to another bucket."""

    host: str


@dataclass(eq=False)
class InvalidLifecycleRule(StorageError):
    """`reason` is a clause for people; `rule_id` is empty for what is wrong with all together."""

    rule_id: str
    reason: str


@dataclass(eq=False)
class NoSuchLifecycleRule(StorageError):
    rule_id: str


@dataclass(eq=False)
class ObjectLocked(StorageError):
    """What was asked would destroy a version that a legal hold or a retention keeps."""

    bucket: str
    key: str
    version_id: str
    reason: LockRefusal


@dataclass(eq=False)
class RetentionActive(StorageError):
    """A retention under way can be extended, not shortened, cleared or given another mode."""

    bucket: str
    key: str
    version_id: str


@dataclass(eq=False)
class ObjectLockNeedsVersioning(StorageError):
    """Object lock was asked for in a bucket without versions, or to suspend them in one with it."""

    bucket: str


@dataclass(eq=False)
class InvalidBucketName(StorageError):
    bucket: str
    reason: str


@dataclass(eq=False)
class NoSuchKey(StorageError):
    """No live object; `marker_version_id` is set when a delete marker is the current version."""

    bucket: str
    key: str
    marker_version_id: str | None = None


@dataclass(eq=False)
class NoSuchVersion(StorageError):
    bucket: str
    key: str
    version_id: str


@dataclass(eq=False)
class InvalidKey(StorageError):
    """`too_long` tells S3's KeyTooLongError from an invalid one."""

    reason: str
    too_long: bool = False


@dataclass(eq=False)
class NoSuchUpload(StorageError):
    upload_id: str


@dataclass(eq=False)
class InvalidPart(StorageError):
    """A part named in the completion was not uploaded or has another ETag or checksum."""

    part_number: int
    etag: str


@dataclass(eq=False)
class InvalidPartOrder(StorageError):
    part_number: int


@dataclass(eq=False)
class EntityTooSmall(StorageError):
    """A part that is not the last is below the minimum of 5 MiB."""

    part_number: int
    size: int
    minimum: int


@dataclass(eq=False)
class EntityTooLarge(StorageError):
    maximum: int


@dataclass(eq=False)
class QuotaExceeded(StorageError):
    """The bucket would hold `needed` of `resource` ("bytes" or "objects"), above its `maximum`."""

    resource: str
    needed: int
    maximum: int


@dataclass(eq=False)
class SizeMismatch(StorageError):
    """A stream, or an upload's parts together, are not of the size that was announced."""

    expected: int
    received: int


@dataclass(eq=False)
class PreconditionFailed(StorageError):
    """`condition` is the name of the header whose condition did not hold (`If-Match`, ...)."""

    condition: str


@dataclass(eq=False)
class NoSuchIdentity(StorageError):
    identity_id: str


@dataclass(eq=False)
class NoSuchAccessKey(StorageError):
    access_key_id: str


@dataclass(eq=False)
class AccessKeyAlreadyExists(StorageError):
    access_key_id: str


@dataclass(eq=False)
class NoSuchWebhook(StorageError):
    webhook_id: str


@dataclass(eq=False)
class WebhookFixed(StorageError):
    """It comes from the settings, and is changed there."""

    webhook_id: str


@dataclass(eq=False)
class NoSuchDelivery(StorageError):
    webhook_id: str
    number: int


@dataclass(eq=False)
class BlobMissing(StorageError):
    blob_id: str


@dataclass(eq=False)
class BlobCorrupt(StorageError):
    blob_id: str
    reason: str


@dataclass(eq=False)
class KeyUnavailable(StorageError):
    """A root key cannot be had, so what is sealed under it cannot be read.

    `master_key_id` names the master key that wraps it; None when the root key is not known at all.
    """

    key_id: int
    master_key_id: str | None

    def __str__(self) -> str:
        if self.master_key_id is None:
            return f"root key {self.key_id} is not in the metadata"
        return (
            f"root key {self.key_id} is wrapped by master key {self.master_key_id},"
            " which is not the one given, or was changed"
        )


@dataclass(eq=False)
class StoreError(StorageError):
    """Base of what is wrong with the store itself rather than with what was asked of it."""


@dataclass(eq=False)
class OutOfSpace(StoreError):
    """There is no room, for a delete's transaction neither; nothing was written."""


@dataclass(eq=False)
class StoreBusy(StoreError):
    """The write queue is full, a lock is held, or the blob service is out of reach: try again."""

    retry_after_seconds: float = 1.0


@dataclass(eq=False)
class StoreClosed(StoreError):
    """The store was closed before the operation was taken up; nothing happened."""


@dataclass(eq=False)
class WriteFailed(StoreError):
    """The device, or the blob service, refused what makes a write; nothing was acknowledged."""

    reason: str


@dataclass(eq=False)
class ReadFailed(StoreError):
    """The device, the file, the database server or the blob service refused to be read."""

    reason: str


@dataclass(eq=False)
class BlobServiceUnusable(StoreError):
    """The S3 service that is to keep the blobs cannot be used; `setting` says what to look at.

    `setting` is a field of `S3BlobConfig`, or `backend`; `reason` is a clause for an operator.
    """

    setting: str
    reason: str


@dataclass(eq=False)
class CommitUncertain(StoreError):
    """The database was lost in COMMIT, or the device in its fsync: all of it happened or nothing.

    Ask for the state before trying again; an operation whose repetition does no harm just may.
    """


@dataclass(eq=False)
class SchemaTooNew(StoreError):
    """The metadata was migrated by a newer version of this package, which has to open it."""

    found: str


@dataclass(eq=False)
class LeaseLost(StoreError):
    """Another holder has taken the lease since; what was to be done under it must not be."""

    name: str


@dataclass(eq=False)
class BackupRunning(StoreError):
    """A backup of `what` is being made or read already, or was killed less than a minute ago."""

    what: str

    def __str__(self) -> str:
        return f"a backup of {self.what} is being made or read, or was killed just now"


@dataclass(eq=False)
class NoSuchBackup(StoreError):
    """No finished backup of this name, or none at all in the directory."""

    name: str

    def __str__(self) -> str:
        return f"there is no finished backup {self.name}"


@dataclass(eq=False)
class BackupDamaged(StoreError):
    """The backup is not as it was made; `reason` is a clause for an operator."""

    name: str
    reason: str

    def __str__(self) -> str:
        return f"backup {self.name} is damaged: {self.reason}"


@dataclass(eq=False)
class BackupTooNew(StoreError):
    """The backup's format is one of a newer version, which has to restore it."""

    name: str
    format: int

    def __str__(self) -> str:
        return f"backup {self.name} has format {self.format}, which a newer version restores"


@dataclass(eq=False)
class BackupTargetTaken(StoreError):
    """The directory holds the backups of another store."""

    directory: str
    store_id: str

    def __str__(self) -> str:
        return f"{self.directory} holds backups of another store, {self.store_id}"


@dataclass(eq=False)
class StoreNotEmpty(StoreError):
    """A restore goes into an empty store only; `what` says what is there."""

    what: str

    def __str__(self) -> str:
        return f"the store is not empty: {self.what}"


@dataclass(eq=False)
class RestoreUnfinished(StoreError):
    """The restore of backup `name` into this data directory has not ended: run it again."""

    name: str

    def __str__(self) -> str:
        return f"the restore of backup {self.name} has not ended: run it again"
