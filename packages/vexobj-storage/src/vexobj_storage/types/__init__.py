"""The values that go into and come out of the store; nothing here does I/O.

Keys are `bytes`: valid UTF-8, 1 to 1024 bytes, no NUL (`names.py` checks). Times are aware UTC
datetimes. Sizes are bytes. Digests are raw bytes unless a name says hex. An ETag is kept without
its quotes: 32 hex digits of MD5 for a single PUT, `<hex>-<parts>` for a multipart object.
"""

from vexobj_storage.types._value import value
from vexobj_storage.types.accounts import AccessKeyRecord, Identity
from vexobj_storage.types.buckets import (
    Bucket,
    BucketChange,
    BucketUsage,
    Quota,
    QuotaReached,
    Versioning,
)
from vexobj_storage.types.content import (
    BlobPlace,
    BlobRecord,
    Durability,
    Hasher,
    Location,
    Segment,
    StagedContent,
)
from vexobj_storage.types.objects import (
    Checksum,
    Deleted,
    ListedObject,
    ListedVersion,
    ObjectAttributes,
    ObjectDetails,
    ObjectName,
    ObjectVersion,
    PurgeReport,
    StoredObject,
    WriteCondition,
)
from vexobj_storage.types.pages import ObjectPage, Page, VersionPage
from vexobj_storage.types.scrub import (
    Damage,
    Finding,
    FindingPlace,
    ScrubPass,
    ScrubState,
    ScrubStep,
)
from vexobj_storage.types.upkeep import (
    Clock,
    ClockState,
    GcReport,
    LifecycleReport,
    RewriteProgress,
    RewriteStep,
    StoredBytes,
)
from vexobj_storage.types.uploads import CompletedPart, Part, PartPage, Upload, UploadPage

__all__ = [
    "AccessKeyRecord",
    "BlobPlace",
    "BlobRecord",
    "Bucket",
    "BucketChange",
    "BucketUsage",
    "Checksum",
    "Clock",
    "ClockState",
    "CompletedPart",
    "Damage",
    "Deleted",
    "Durability",
    "Finding",
    "FindingPlace",
    "GcReport",
    "Hasher",
    "Identity",
    "LifecycleReport",
    "ListedObject",
    "ListedVersion",
    "Location",
    "ObjectAttributes",
    "ObjectDetails",
    "ObjectName",
    "ObjectPage",
    "ObjectVersion",
    "Page",
    "Part",
    "PartPage",
    "PurgeReport",
    "Quota",
    "QuotaReached",
    "RewriteProgress",
    "RewriteStep",
    "ScrubPass",
    "ScrubState",
    "ScrubStep",
    "Segment",
    "StagedContent",
    "StoredBytes",
    "StoredObject",
    "Upload",
    "UploadPage",
    "VersionPage",
    "Versioning",
    "WriteCondition",
    "value",
]
