"""What every store must do, as classes to inherit in a test module, and a check of a whole store.

Inherit a contract class and give it a fixture `store`: an open, empty `ObjectStore` whose
`gc_grace` is zero. They need pytest; `StoreModel`, in the module `model`, needs Hypothesis too.
"""

from vexobj_storage.testing.audit import AuditContract
from vexobj_storage.testing.backups import BackupContract
from vexobj_storage.testing.contract import (
    AccountContract,
    BucketContract,
    ObjectContract,
)
from vexobj_storage.testing.encryption import EncryptionContract, RewritingContract
from vexobj_storage.testing.events import EventContract
from vexobj_storage.testing.invariants import Violations, invariants
from vexobj_storage.testing.lifecycle import LifecycleContract
from vexobj_storage.testing.listings import ListingContract
from vexobj_storage.testing.locks import BucketLockContract, LockContract
from vexobj_storage.testing.multipart import MultipartContract
from vexobj_storage.testing.quotas import QuotaContract
from vexobj_storage.testing.races import RaceContract
from vexobj_storage.testing.scrub import ScrubContract
from vexobj_storage.testing.versions import VersionContract
from vexobj_storage.testing.webhooks import WebhookContract

__all__ = [
    "AccountContract",
    "AuditContract",
    "BackupContract",
    "BucketContract",
    "BucketLockContract",
    "EncryptionContract",
    "EventContract",
    "LifecycleContract",
    "ListingContract",
    "LockContract",
    "MultipartContract",
    "ObjectContract",
    "QuotaContract",
    "RaceContract",
    "RewritingContract",
    "ScrubContract",
    "VersionContract",
    "Violations",
    "WebhookContract",
    "invariants",
]
