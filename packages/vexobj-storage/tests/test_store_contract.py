"""The contract of the store, on each metadata engine and each kind of blob store."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from vexobj_storage import (
    BlobStore,
    KeyRing,
    LocalBlobStore,
    MasterKey,
    MemoryBlobStore,
    MetaStore,
    ObjectStore,
    S3BlobConfig,
    S3BlobStore,
    StoreConfig,
    open_metadata,
)
from vexobj_storage.testing import (
    AccountContract,
    AuditContract,
    BackupContract,
    BucketContract,
    BucketLockContract,
    EncryptionContract,
    EventContract,
    LifecycleContract,
    ListingContract,
    LockContract,
    MultipartContract,
    ObjectContract,
    QuotaContract,
    RaceContract,
    RewritingContract,
    ScrubContract,
    VersionContract,
    WebhookContract,
)
from vexobj_storage.testing.clocks import ManualClock


@pytest.fixture(scope="module")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database to copy: quicker than migrating one for each test."""
    directory = tmp_path_factory.mktemp("template")

    async def migrate() -> None:
        metadata = await open_metadata(directory)
        await metadata.close()

    asyncio.run(migrate())
    return directory


@pytest.fixture
async def metadata(
    tmp_path: Path, metadata_url: str | None, sqlite_template: Path
) -> AsyncIterator[MetaStore]:
    if metadata_url is None:
        shutil.copytree(sqlite_template, tmp_path, dirs_exist_ok=True)
    engine = await open_metadata(tmp_path, metadata_url)
    yield engine
    await engine.close()


@pytest.fixture
async def store(tmp_path: Path, metadata: MetaStore) -> AsyncIterator[ObjectStore]:
    """With blobs in memory; `OnFiles` has them in files."""
    async for store in _store(tmp_path, metadata, MemoryBlobStore()):
        yield store


async def _store(
    tmp_path: Path, metadata: MetaStore, blobs: BlobStore, keys: KeyRing | None = None
) -> AsyncIterator[ObjectStore]:
    store = ObjectStore(StoreConfig(tmp_path, gc_grace=timedelta(0)), metadata, blobs, keys=keys)
    yield store
    await store.close()


class OnFiles:
    @pytest.fixture
    async def store(self, tmp_path: Path, metadata: MetaStore) -> AsyncIterator[ObjectStore]:
        async for store in _store(tmp_path, metadata, LocalBlobStore(tmp_path)):
            yield store


class Sealed:
    @pytest.fixture
    async def store(self, tmp_path: Path, metadata: MetaStore) -> AsyncIterator[ObjectStore]:
        keys = await KeyRing.open(metadata, [MasterKey(b"m" * 32)], seal=True, now_us=0)
        async for store in _store(tmp_path, metadata, LocalBlobStore(tmp_path), keys):
            yield store


class OnS3:
    """All but inline content in an S3 service, which no metadata engine makes a difference to."""

    @pytest.fixture
    def metadata_url(self) -> None:
        return None

    @pytest.fixture
    async def store(
        self, tmp_path: Path, metadata: MetaStore, s3_config: S3BlobConfig
    ) -> AsyncIterator[ObjectStore]:
        async for store in _store(tmp_path, metadata, await S3BlobStore.connect(s3_config)):
            yield store


class SealedOnS3(OnS3):
    @pytest.fixture
    async def store(
        self, tmp_path: Path, metadata: MetaStore, s3_config: S3BlobConfig
    ) -> AsyncIterator[ObjectStore]:
        keys = await KeyRing.open(metadata, [MasterKey(b"m" * 32)], seal=True, now_us=0)
        async for store in _store(tmp_path, metadata, await S3BlobStore.connect(s3_config), keys):
            yield store


class TestBuckets(BucketContract):
    pass


class TestObjects(ObjectContract):
    pass


class TestObjectsOnFiles(OnFiles, ObjectContract):
    pass


class TestObjectsSealed(Sealed, ObjectContract):
    pass


class TestVersions(VersionContract):
    pass


class TestLocks(LockContract):
    pass


class TestBucketLocks(BucketLockContract):
    pass


class TestMultipart(MultipartContract):
    pass


class TestMultipartOnFiles(OnFiles, MultipartContract):
    pass


class TestMultipartSealed(Sealed, MultipartContract):
    pass


class TestEncryption(EncryptionContract):
    pass


class TestRewriting(RewritingContract):
    pass


class TestEncryptionOnFiles(OnFiles, EncryptionContract):
    pass


class TestListings(ListingContract):
    pass


class OnManualClock:
    @pytest.fixture
    def clock(self) -> ManualClock:
        return ManualClock()

    @pytest.fixture
    async def store(
        self, tmp_path: Path, metadata: MetaStore, clock: ManualClock
    ) -> AsyncIterator[ObjectStore]:
        config = StoreConfig(tmp_path, gc_grace=timedelta(0))
        store = ObjectStore(config, metadata, MemoryBlobStore(), clock.now, clock.ticks)
        yield store
        await store.close()


class TestLifecycle(OnManualClock, LifecycleContract):
    pass


class TestWebhooks(OnManualClock, WebhookContract):
    pass


class TestAccounts(AccountContract):
    pass


class TestQuotas(QuotaContract):
    pass


class TestAudit(AuditContract):
    pass


class TestEvents(EventContract):
    pass


class TestBackups(BackupContract):
    pass


class TestBackupsOnFiles(OnFiles, BackupContract):
    pass


class TestBackupsSealed(Sealed, BackupContract):
    pass


class TestScrub(ScrubContract):
    pass


class TestScrubOnFiles(OnFiles, ScrubContract):
    @pytest.fixture
    def metadata_url(self) -> None:
        return None


class TestScrubSealed(Sealed, ScrubContract):
    @pytest.fixture
    def metadata_url(self) -> None:
        return None


class TestScrubOnS3(OnS3, ScrubContract):
    pass


class TestRaces(RaceContract):
    pass


class TestObjectsOnS3(OnS3, ObjectContract):
    pass


class TestVersionsOnS3(OnS3, VersionContract):
    pass


class TestMultipartOnS3(OnS3, MultipartContract):
    pass


class TestRacesOnS3(OnS3, RaceContract):
    pass


class TestMultipartSealedOnS3(SealedOnS3, MultipartContract):
    pass


class TestBackupsOnS3(OnS3, BackupContract):
    pass


class TestBackupsSealedOnS3(SealedOnS3, BackupContract):
    pass
