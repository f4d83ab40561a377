"""A store against a plain model of it, driven by Hypothesis, which it needs.

`StoreModel` is one machine, its rules grouped in modules by what they are about. Subclass it with a
`store` whose grace is zero, the `clock` that it goes by, and the `runner` of its event loop.
"""

from vexobj_storage.testing.model.expiring import ExpiringRules
from vexobj_storage.testing.model.listing import ListingRules
from vexobj_storage.testing.model.locking import LockingRules
from vexobj_storage.testing.model.sealing import SealingRules
from vexobj_storage.testing.model.uploading import UploadingRules
from vexobj_storage.testing.model.writing import WritingRules

__all__ = ["SealedModel", "StoreModel"]


class StoreModel(WritingRules, UploadingRules, LockingRules, ExpiringRules, ListingRules):
    """Everything that every store does."""


class SealedModel(StoreModel, SealingRules):
    """Of a store that seals: what it holds is rewritten now and then."""
